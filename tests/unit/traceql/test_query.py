"""What a whole query finds in a trace: structure, groups, aggregates."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest

from arcane.model.ids import SpanId
from arcane.model.span import Resource, Span, SpanEvent, SpanKind
from arcane.model.trace import Trace
from arcane.traceql.check import check
from arcane.traceql.format import format_field, format_query, format_stage
from arcane.traceql.parse import parse
from arcane.traceql.query import CompiledQuery, compile_query, is_metrics, metrics_part, query_fields, search_part
from tests.unit.traceql.asking import SPAN, TRACE_ID


def _span(name: str, parent: str = "", *, start: int | None = None, **changes: Any) -> Span:
    span = msgspec.structs.replace(SPAN, name=name, span_id=_id(name), parent_span_id=_id(parent) if parent else "")
    begun = ord(name[0]) if start is None else start
    return msgspec.structs.replace(span, start=begun, end=begun + 10, **changes)


def _id(name: str) -> SpanId:
    return SpanId(name.encode().hex().rjust(16, "0"))


WEB, DB = Resource({"service.name": "web"}), Resource({"service.name": "db"})
TREE = Trace(
    TRACE_ID,
    [
        _span("a", attributes={"n": 1}, resource=WEB),
        _span("b", "a", attributes={"n": 2}, resource=WEB),
        _span("c", "a", attributes={"n": 2.0}, resource=DB, kind=SpanKind.SERVER),
        _span("d", "b", attributes={"n": "two"}, resource=DB),
        _span("e", "d", events=(SpanEvent("x", 0), SpanEvent("y", 1, {"m": 7}))),
        _span("o", "z", attributes={"n": 4}),  # its parent is missing
        _span("p", "o"),
        _span("q", "z"),
        _span("s", "s"),  # says that it is its own parent
        _span("t", "u"),  # a circle: the earlier one is the top
        _span("u", "t"),
        _span("v", "u"),
    ],
)


def _compiled(text: str) -> CompiledQuery:
    query = parse(text)
    check(query)
    return compile_query(query)


def _found(text: str, trace: Trace = TREE) -> str:
    """Returns the span sets: names of spans without blanks, and what is said of them."""
    sets = _compiled(text)(trace)
    return " | ".join(
        " ".join(["".join(span.name for span in one.spans), *(f"{key}={said}" for key, said in one.attributes.items())])
        for one in sets
    )


def _any(names: str) -> str:
    return f'{{ name =~ "[{names}]" }}'


@pytest.mark.parametrize(
    ("left", "op", "right", "found"),
    [
        ("a", ">", "a-z", "bc"),
        ("o", ">", "a-z", "p"),
        ("s", ">", "a-z", ""),
        ("tu", ">", "a-z", "uv"),
        ("a", ">>", "a-z", "bcde"),
        ("ab", ">>", "de", "de"),
        ("t", ">>", "a-z", "uv"),
        ("u", ">>", "a-z", "v"),
        ("d", "<", "a-z", "b"),
        ("e", "<<", "a-z", "abd"),
        ("v", "<<", "a-z", "tu"),
        ("p", "<<", "a-z", "o"),
        ("b", "~", "a-z", "c"),
        ("bc", "~", "a-z", "bc"),
        ("o", "~", "a-z", "q"),
        ("as", "~", "a-z", ""),
        ("a", "!>", "abc", "a"),
        ("a", "!>>", "a-z", "aopqstuv"),
        ("e", "!<<", "a-z", "ceopqstuv"),
        ("d", "!<", "bc", "c"),
        ("b", "!~", "abc", "ab"),
        ("-", "!>", "abc", "abc"),
        ("a", "!>", "-", ""),
        ("ab", "&>", "c-e", "abcd"),
        ("ad", "&>>", "eo", "ade"),
        ("de", "&<", "ab", "bd"),
        ("e", "&<<", "ao", "ae"),
        ("b", "&~", "cd", "bc"),
        ("d", "&&", "a", "ad"),
        ("d", "&&", "-", ""),
        ("d", "||", "-", "d"),
        ("da", "||", "ab", "abd"),
    ],
)
def test_structure(left: str, op: str, right: str, found: str) -> None:
    assert _found(f"{_any(left)} {op} {_any(right)}") == found


def test_chains_group_to_the_left() -> None:
    assert _found(f"{_any('a')} > {{ }} > {{ }}") == "d"
    assert _found(f"{_any('a')} > ({{ }} > {{ }})") == "bc"
    assert _found(f"{_any('z')} || {_any('a')} && {_any('y')}") == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_any("ab") + " | { .n > 1 }", "b"),
        (_any("ab") + " | { } > { }", "b"),
        (_any("ad") + " | { } > { }", ""),
        (_any("ae") + " | { } >> { }", "e"),  # the way there may lead over others
        (
            _any("a-d") + " | by(resource.service.name)",
            "ab by(resource.service.name)=web | cd by(resource.service.name)=db",
        ),
        (_any("a-e") + " | by(.n)", "a by(.n)=1 | bc by(.n)=2 | d by(.n)=two | e by(.n)=None"),
        (_any("a-c") + " | by(kind)", "ab by(kind)=client | c by(kind)=server"),
        (_any("ab") + " | by(duration)", "ab by(duration)=10ns"),
        (_any("ab") + " | by(duration * 2)", "ab by(duration * 2)=20ns"),
        (_any("de") + " | by(event:name)", "d by(event:name)=None | e by(event:name)=x"),
        (_any("de") + " | by(event.m)", "d by(event.m)=None | e by(event.m)=7"),
        (_any("a-d") + " | by(.n > 1)", "ad by(.n > 1)=False | bc by(.n > 1)=True"),
        (
            _any("a-c") + " | by(kind) | by(.n)",
            "a by(kind)=client by(.n)=1 | b by(kind)=client by(.n)=2 | c by(kind)=server by(.n)=2.0",
        ),
        (_any("a-c") + " | by(kind) | coalesce()", "abc"),
        (_any("a-c") + " | count() > 2 | coalesce()", "abc"),
        (_any("a-c") + " | by(kind) | count() > 1", "ab by(kind)=client count()=2"),
        (_any("a-c") + " | by(kind) | { .n = 2 }", "b by(kind)=client | c by(kind)=server"),
        (_any("a-c") + " | count() = 3 | { .n = 1 }", "a count()=3"),
        (_any("a-c") + " | select(.n) | count() = 3.0", "abc count()=3"),
        (_any("a-e") + " | sum(.n) = 5", "abcde sum(.n)=5.0"),
        (_any("a-e") + " | avg(.n) > 1.6", "abcde avg(.n)=1.6666666666666667"),
        (_any("ab") + " | avg(duration) = 10ns", "ab avg(duration)=10ns"),
        (_any("ab") + " | max(.n) = 2", "ab max(.n)=2"),
        (_any("ab") + " | min(.n - 1) = 0", "ab min(.n - 1)=0"),
        (_any("de") + " | max(.n) != 5", ""),
        (_any("e") + " | sum(event.m) = 7", "e sum(event.m)=7"),
        (_any("e") + " | avg(event:timeSinceStart) < 1ms", "e avg(event:timeSinceStart)=-101ns"),
        ("count() > 3 | count() < 3", ""),
        ("by(kind) | count() = 1", "c by(kind)=server count()=1"),
        (f"({_any('ab')} | count() = 2) > ({_any('cd')} | {{ .n != nil }})", "cd"),
        (f"({_any('a-c')} | by(kind)) > ({_any('b-d')} | by(.n))", "bcd"),  # groups count as what they hold
        (f"({_any('ab')} | count() = 1) || ({_any('cd')} | count() = 2)", "cd"),
        (f"{_any('ab')} | count() > 1 with(anything=1)", "ab count()=2"),
    ],
)
def test_pipelines(text: str, found: str) -> None:
    assert _found(text) == found


def test_a_trace_that_does_not_match_gives_no_set() -> None:
    assert _compiled("{ } | count() > 100")(TREE) == []
    assert _compiled("{ }")(Trace(TRACE_ID, [])) == []


def test_spans_without_a_value_are_counted_wherever_it_is_missing() -> None:
    for text, errors in (
        ("{ } | by(1 / (span.x - 1))", 1),
        ("{ } | sum(1 / (span.x - 1)) > 0", 1),
        ("({ 1 / (span.x - 1) = 1 } | count() > 0) || ({ })", 1),
    ):
        compiled = _compiled(text)
        compiled(Trace(TRACE_ID, [_span("a", attributes={"x": 1}), _span("b", attributes={"x": 2})]))
        assert compiled.errors == errors


def test_groups_take_values_that_are_equal_together_and_others_apart() -> None:
    values: list[Any] = [1, 1.0, True, "1", [1], [1.0], ["1"], {"k": 1}, {"k": 1}, b"1", float("nan"), float("nan")]
    spans = [_span(chr(ord("a") + index), attributes={"x": value}) for index, value in enumerate(values)]
    sets = _compiled("{ } | by(span.x)")(Trace(TRACE_ID, spans))
    assert ["".join(span.name for span in one.spans) for one in sets] == ["ab", "c", "d", "ef", "g", "hi", "j", "kl"]


@pytest.mark.parametrize(
    ("values", "text", "said"),
    [
        ([2**62, 2**62], "sum(.x) > 0", float(2**63)),
        ([float("nan"), 1], "max(.x) > 0", 1),
        ([float("inf"), float("-inf")], "sum(.x) != 0", None),
        ([True, "x", [1]], "sum(.x) >= 0", None),
        ([1, 2], "avg(.x) = 1.5", 1.5),
        ([2, 2], "avg(.x) = 2", 2.0),
    ],
)
def test_aggregates_of_odd_numbers(values: list[Any], text: str, said: Any) -> None:
    spans = [_span(chr(ord("a") + index), attributes={"x": value}) for index, value in enumerate(values)]
    sets = _compiled(f"{{ }} | {text}")(Trace(TRACE_ID, spans))
    assert [list(one.attributes.values()) for one in sets] == ([] if said is None else [[said]])


def test_what_a_hit_shows_is_what_the_query_mentions_and_selects() -> None:
    query = parse("({ .a } > { .b || .a } | by(.c)) && ({ } | avg(.d) > 1) | select(.e, name) | max(.f) > 0")
    assert [format_field(field) for field in query_fields(query)] == [".a", ".b", ".c", ".d", ".e", "name", ".f"]
    assert compile_query(query).fields == query_fields(query)
    metrics = parse("({ .a } | rate() by(.b)) / ({ .c } | avg_over_time(.d)) | topk(2)")
    assert [format_field(field) for field in query_fields(metrics)] == [".a", ".b", ".c", ".d"]
    assert [format_field(field) for field in query_fields(parse("{ .a } | compare({ .b })"))] == [".a", ".b"]


@pytest.mark.parametrize(
    ("text", "search", "metrics"),
    [
        ("{ .a } | rate()", "{ .a }", "rate()"),
        ("{ .a } > { .b } | rate() by(.c) | topk(3)", "{ .a } > { .b }", "rate() by(.c) topk(3)"),
        (
            "{ .a } | by(.b) | count() > 1 | avg_over_time(.c) > 5",
            "{ .a } | by(.b) | count() > 1",
            "avg_over_time(.c) > 5",
        ),
        ("({ .a } | rate()) / ({ .b } | rate())", "{ .a } || { .b }", "({ .a } | rate()) / ({ .b } | rate())"),
        ("({ .a } | rate()) / ({ .a } | rate())", "{ .a }", "({ .a } | rate()) / ({ .a } | rate())"),
        ("({ .a } | rate()) * 100", "{ .a }", "({ .a } | rate()) * 100"),
        ("({ .a } | { .b } | rate()) + ({ .c } | rate())", "({ .a } | { .b }) || ({ .c })", None),
    ],
)
def test_a_metrics_query_is_a_search_and_what_is_made_of_it(text: str, search: str, metrics: str | None) -> None:
    query = parse(text)
    assert is_metrics(query)
    assert format_query(search_part(query)) == search
    assert metrics in (None, " ".join(format_stage(stage) for stage in metrics_part(query)))
    with pytest.raises(ValueError, match="time series"):
        compile_query(query)


def test_a_search_is_its_own_search_part() -> None:
    query = parse("{ .a } | by(.b) with(x=1)")
    assert (is_metrics(query), search_part(query), metrics_part(query)) == (False, query, ())


def _linear(count: int, parent: str) -> Trace:
    """Returns a chain, or a parent with many children."""
    spans = [msgspec.structs.replace(SPAN, span_id=SpanId(f"{1:016x}"), start=1)]
    for number in range(2, count + 1):
        above = 1 if parent == "first" else number - 1
        spans.append(
            msgspec.structs.replace(
                SPAN, span_id=SpanId(f"{number:016x}"), parent_span_id=SpanId(f"{above:016x}"), start=number
            )
        )
    return Trace(TRACE_ID, spans)


@pytest.mark.parametrize("parent", ["first", "the one before"])
@pytest.mark.parametrize("op", [">", ">>", "<", "<<", "~", "!>>", "!~", "&>>", "&~"])
def test_time_grows_with_the_spans_and_not_with_their_pairs(parent: str, op: str) -> None:
    compiled = _compiled(f"{{ }} {op} {{ }}")
    begun = time.process_time()
    compiled(_linear(10_000, parent))
    assert time.process_time() - begun < 5  # pairs would be a hundred million
