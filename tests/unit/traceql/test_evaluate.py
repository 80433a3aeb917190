"""Which spans a filter finds: the rules of docs/reference/query-language.md, one by one."""

from typing import Any

import msgspec
import pytest

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.evaluate import CompiledFilter, compile_filter, field_value, levels, mentioned_fields
from arcane.traceql.intrinsics import Level
from arcane.traceql.parse import parse

TRACE_ID = TraceId("00000000000000000000000000000abc")
SPAN = Span(TRACE_ID, SpanId("00000000000000aa"), "", "call", SpanKind.CLIENT, 1_000, 6_000)


def _span(attributes: dict[str, Any] | None = None, **changes: Any) -> Span:
    return msgspec.structs.replace(SPAN, attributes=attributes or {}, **changes)


def _filter(text: str) -> SpansetFilter:
    query = parse(f"{{ {text} }}")
    check(query)
    assert query.filter is not None
    return query.filter


def _compiled(text: str) -> CompiledFilter:
    return compile_filter(_filter(text))


def _matches(text: str, span: Span) -> bool:
    compiled = _compiled(text)
    found = compiled(Trace(TRACE_ID, [span]))
    assert compiled.errors == 0
    return found == [span]


def _fails(text: str, span: Span) -> bool:
    compiled = _compiled(text)
    return compiled(Trace(TRACE_ID, [span])) == [] and compiled.errors == 1


def _lines(text: str) -> list[str]:
    """Returns the lines that are neither empty nor a comment."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


HERE = _span(
    {
        "i": 5,
        "f": 2.5,
        "s": "abc",
        "t": True,
        "no": False,
        "big": 2**62,
        "words": ["x", "y"],
        "numbers": [1, 2.5],
        "flags": [True],
        "mixed": [1, "x", None],
        "empty": [],
        "bytes": b"abc",
        "map": {"a": 1},
        "null": None,
        "both": "span",
    },
    resource=Resource({"service.name": "web", "both": "resource", "only": 1, "null": 7}),
    scope=InstrumentationScope("lib", "1.0", {"sa": "x"}),
    status=StatusCode.ERROR,
    status_message="boom",
)


MATCHING = _lines(
    r"""
    # numbers compare by value
    .i = 5
    .i = 5.0
    .i = 5ns
    5 = .i
    .f > 2
    .f > 2ns
    .f != 2
    .i >= 5
    .i <= 5
    4 < .i
    4 <= .i
    6 > .i
    6 >= .i
    .i != 4
    4 != .i
    .i > .f
    .i = .i
    1s = 1000000000
    1 = 1.0
    -.i = -5
    -.f < 0
    .big * 4 > .big
    maxInt + 1 > maxInt
    minInt - 10000 < minInt
    -minInt > maxInt
    # text
    .s = "abc"
    .s != "x"
    .s < "abd"
    .s >= "abc"
    "abc" = .s
    .s =~ "a.."
    .s !~ "ab"
    .s =~ "(?i)ABC"
    "abc" =~ "a.*"
    .s > "B"
    "x" = "x"
    # truth
    .t
    !.no
    .t = true
    .no = false
    .t != false
    true
    .t && .i = 5
    .no || .t
    !.no = true
    .i > 1 = true
    (.i = 1) = .no
    !!.t
    .t = !.no
    # arrays: any element, for != all of them
    .words = "x"
    .words != "z"
    .words =~ "[y]"
    .words !~ "z"
    .words > "x"
    "x" = .words
    .numbers < 2
    .numbers = 2.5
    2 < .numbers
    .numbers != 3
    .flags = true
    .flags != false
    .mixed = 1
    .mixed = "x"
    .mixed != 2
    .empty != "x"
    .empty !~ "x"
    .empty != nil
    .s != .words
    # absent and present
    .missing = nil
    nil = .missing
    .i != nil
    nil != .i
    .bytes != nil
    span.only = nil
    .only != nil
    resource.only != nil
    span.null = nil
    .null = 7
    (.missing + 1) = nil
    # where a field is looked up
    .both = "span"
    resource.both = "resource"
    .only = 1
    instrumentation.sa = "x"
    .service.name = "web"
    instrumentation:name = "lib"
    instrumentation:version = "1.0"
    # intrinsics
    name = "call"
    duration = 5us
    duration = 5000
    status = error
    status != ok
    error = status
    kind = client
    kind != server
    statusMessage = "boom"
    status = status
    client = kind
    traceDuration = 5us
    rootName = "call"
    rootServiceName = "web"
    span:childCount = 0
    trace:id = "abc"
    trace:id = "00ABC"
    "abc" = trace:id
    trace:id =~ "a.c"
    trace:id =~ "0+ABC"
    span:id = "aa"
    span:id != "ab"
    span:id < "AB"
    "ab" > span:id
    span:id !~ "b.*"
    span:parentID = ""
    span:parentID = "00"
    span:parentID != "aa"
    span:parentID != nil
    nestedSetParent = -1
    # arithmetic
    5 / 2 = 2
    -5 / 2 = -2
    5 / -2 = -2
    -5 / -2 = 2
    5 % 3 = 2
    -5 % 3 = -2
    5 % -3 = 2
    5 / 2.0 = 2.5
    .f * 2 = 5
    .f + .i = 7.5
    2 ^ 3 = 8
    2 ^ 3 ^ 2 = 512
    2 ^ -1 = 0.5
    2.0 ^ 0.5 > 1.4
    2 ^ 63 > maxInt
    2 ^ 100000 > maxInt
    1 ^ 100000 = 1
    -1 ^ 2 = -1
    (-3) ^ 100001 < minInt
    (-3) ^ 100002 > maxInt
    1 / 0.0 > maxInt
    -1 / 0.0 < minInt
    0 / 0.0 != 0
    5 % 0.0 != 0
    0 ^ -1 > maxInt
    (-8.0) ^ 0.5 != 0
    1 / -0.0 < minInt
    duration / 2 = 2.5us
    duration / 2000 = 2.5
    duration % 3us = 2us
    duration / 0 > 1h
    duration + 1us = 6us
    duration - 4us = 1000
    duration * 2 = 10us
    duration % 0 != 1
    duration ^ 2 = 25000000
    minInt / -1 > maxInt
    # neither true nor false on one side
    true || .i = 1
    .missing = 1 || .i = 5
    """
)


@pytest.mark.parametrize("text", MATCHING)
def test_it_matches(text: str) -> None:
    assert _matches(text, HERE)


NOT_MATCHING = _lines(
    r"""
    # comparing with what is absent is false whatever the operator
    .missing = 1
    .missing != 1
    .missing !~ "x"
    .missing =~ ".*"
    .missing < 1
    .missing = .missing
    !.missing
    !(!.missing)
    -.missing < 0
    -.missing >= 0
    .i + .missing = 1
    .missing
    .words = .missing
    .missing != .words
    nil = nil
    nil != nil
    .i = nil
    .missing != nil
    .null = nil
    # so is comparing what does not go together
    .i = "5"
    .i != "5"
    .s != 5
    .s > 5
    .t = 1
    .t != 1
    .i = true
    .i != true
    .i =~ "5"
    .i !~ "x"
    .s = error
    .s != error
    .i = client
    error != .s
    name = .i
    .bytes = .bytes
    .bytes != 1
    .map = 1
    .i + .s = 1
    .words = 1
    .words != 1
    .numbers !~ "x"
    .bytes =~ "abc"
    name != .t
    .bytes
    # arrays
    .words != "x"
    .words !~ "y"
    .empty = 1
    .empty =~ ".*"
    .words = .words
    .words != .words
    .flags
    .numbers > 2.5
    2.5 < .numbers
    .mixed != 1
    .words = .s
    # conditions
    false
    .no
    .i
    .t && .i
    .i && .t
    !.t
    !(.i = 5)
    .i = 1 || .i = 2 || .i = 3
    .t && .no && .t && .t
    # || of what is neither true nor false
    .t || .missing
    .missing || .t
    .i || .t
    .t || .i
    .i = 5 || .missing
    .s =~ "ab"
    .s =~ ""
    .s =~ "b."
    .s < "abc"
    kind = server
    status = ok
    status = unset
    duration > 5us
    0 / 0.0 = 0 / 0.0
    trace:id = "abcd"
    trace:id != "ABC"
    span:id = "g"
    span:parentID = "1"
    span:parentID != ""
    2 ^ 3 = 9
    duration = 0.000005
    """
)


@pytest.mark.parametrize("text", NOT_MATCHING)
def test_it_does_not_match(text: str) -> None:
    assert not _matches(text, HERE)


WITHOUT_A_VALUE = _lines(
    r"""
    .i / 0 = 1
    .i % 0 = 1
    !.s
    !.i
    !(!.s)
    -.s = 1
    -.t = 1
    -.words = 1
    .words + 1 = 1
    1 + .words = 1
    !(.i / 0 = 1)
    !(!.s) = true
    (.i / 0) = nil
    .i / 0 != nil
    .t && !.s
    !.s && .t
    !.s || .no
    .no || !.s
    !.s || .i = 1
    .i = 1 || .i / 0 = 1
    .s / 0 = 1 || .i / 0 = 1
    .i / 0 ^ 2 = 1
    """
)


@pytest.mark.parametrize("text", WITHOUT_A_VALUE)
def test_an_expression_without_a_value_is_no_match_and_is_counted(text: str) -> None:
    assert _fails(text, HERE)


@pytest.mark.parametrize("text", [".i / 0 = 1 || .i = 5", ".i = 5 || .i / 0 = 1", "!.s || .t", ".t || !.s"])
def test_what_decides_without_the_expression_that_failed_counts(text: str) -> None:
    assert _matches(text, HERE)


@pytest.mark.parametrize(
    "text",
    [".i / 0 = 1 && .i = 1", ".i = 1 && .i / 0 = 1", "!.s && .no", ".no && !.s", "!.s || .missing", ".missing || !.s"],
)
def test_what_is_false_without_the_expression_that_failed_is_no_failure(text: str) -> None:
    assert not _matches(text, HERE)


def test_errors_are_counted_over_all_traces_asked() -> None:
    compiled = _compiled("1 / .i = 1")
    spans = [_span({"i": number % 2}, span_id=SpanId(f"{number:016x}")) for number in range(1, 7)]
    assert [span.attributes["i"] for span in compiled.matches(Trace(TRACE_ID, spans))] == [1, 1, 1]
    compiled(Trace(TRACE_ID, spans))
    assert compiled.errors == 6


def test_the_empty_filter_finds_every_span() -> None:
    trace = Trace(TRACE_ID, [HERE])
    assert compile_filter(SpansetFilter())(trace) == [HERE]


def test_spans_come_in_order_of_start() -> None:
    spans = [_span(span_id=SpanId(f"{number:016x}"), start=100 - number) for number in range(1, 6)]
    assert [span.start for span in _compiled('name = "call"')(Trace(TRACE_ID, spans))] == [95, 96, 97, 98, 99]


@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_chains_of_any_length_hold_when_all_or_one_holds(count: int) -> None:
    names = [f"a{number}" for number in range(count)]
    every = _span(dict.fromkeys(names, 1))
    all_but_last = _span(dict.fromkeys(names[:-1], 1))
    only_last = _span({names[-1]: 1})
    both = " && ".join(f".{name} = 1" for name in names)
    either = " || ".join(f".{name} = 1" for name in names)
    assert _matches(both, every)
    assert not _matches(both, all_but_last)
    assert _matches(either, only_last)
    assert not _matches(either, _span())


# events and links


def _event(name: str, at: int, **attributes: Any) -> SpanEvent:
    return SpanEvent(name, SPAN.start + at, attributes)


def _link(trace_id: str, span_id: str, **attributes: Any) -> SpanLink:
    return SpanLink(TraceId(trace_id.rjust(32, "0")), SpanId(span_id.rjust(16, "0")), attributes=attributes)


EVENTFUL = _span(
    {"i": 5},
    events=(_event("one", 5, e="1", m=3), _event("two", 7, e="2")),
    links=(_link("aaaa", "bb", l="z"), _link("cccc", "dd")),
)


OF_ONE_EVENT = _lines(
    r"""
    event.e = "1"
    event.e = "1" && event.m = 3
    event.e = "2" || event:name = "nope"
    event.e != "1"
    event.m = nil
    event.m != nil
    event:timeSinceStart = 7ns
    event:timeSinceStart > 5
    event:name != nil
    event.e = "1" && .i = 5
    event.e = "3" || .i = 5
    !(event.e = "1")
    event.e = "2" && !(event.m = 3)
    event.e = "1" && (event.m = 3 || event.m = 4)
    link.l = "z"
    link:spanID = "BB"
    link:traceID = "aaaa"
    link:traceID = "cccc" && link.l = nil
    event.e = "2" && link:spanID = "dd"
    link:traceID != nil
    link:traceID =~ "a+"
    event:name =~ "t.*"
    (event.m + 1) = 4
    event.e = event.e
    """
)


@pytest.mark.parametrize("text", OF_ONE_EVENT)
def test_a_condition_on_events_or_links_holds_of_one_of_them(text: str) -> None:
    assert _matches(text, EVENTFUL)


OF_NO_EVENT = _lines(
    r"""
    event.e = "2" && event.m = 3
    event.e = "1" && event:name = "two"
    event.e = "1" && event.m = nil
    link.l = "z" && link:spanID = "dd"
    event.x != nil
    .e = "1"
    event.i = 5
    event.e = "1" && .i = 6
    !(event:name = "one") && event.e = "1"
    event.e = link.l
    """
)


@pytest.mark.parametrize("text", OF_NO_EVENT)
def test_a_condition_that_holds_of_no_single_event_or_link_does_not_hold(text: str) -> None:
    assert not _matches(text, EVENTFUL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event.m = nil", False),
        ("link.l = nil", False),
        ("(event.m + 1) = nil", False),
        ("event:name != nil", False),
        ("link:spanID != nil", False),
        ('event.e != "1"', False),
        ('link:traceID =~ ".*"', False),
        ("event:timeSinceStart < 1s", False),
        ("!(event:name != nil)", True),
        ('event.e = "1" || .i = 5', True),
        ('!(event.e = "1")', True),
    ],
)
def test_a_span_without_events_or_links(text: str, expected: bool) -> None:
    assert _matches(text, _span({"i": 5})) is expected


def test_an_event_that_fails_does_not_hide_another_that_matches() -> None:
    assert _matches("6 / event.n = 3", _span(events=(_event("a", 1, n=0), _event("b", 2, n=2))))
    assert _fails("6 / event.n = 3", _span(events=(_event("a", 1, n=0), _event("b", 2, n=3))))


# the trace around a span


def _at(name: str, parent: str = "", start: int = 0) -> Span:
    return _span(
        span_id=SpanId(name.rjust(16, "0")), parent_span_id=parent.rjust(16, "0") if parent else "", start=start
    )


TREE = Trace(
    TRACE_ID,
    [
        _at("1", start=1),
        _at("2", "1", 2),
        _at("3", "1", 3),
        _at("4", "2", 4),
        _at("5", "99", 5),  # its parent is missing
        _at("6", "5", 6),
        _at("7", "8", 7),  # two that are each other's parent
        _at("8", "7", 8),
        _at("9", start=9),  # a second root
    ],
)


def _found(text: str) -> list[str]:
    return [span.span_id.lstrip("0") for span in _compiled(text)(TREE)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nestedSetParent < 0", ["1", "9"]),
        ("nestedSetParent = 0", ["5", "6", "7", "8"]),
        ("nestedSetLeft = 1 && nestedSetRight = 8", ["1"]),
        ("nestedSetLeft = 2 && nestedSetRight = 5 && nestedSetParent = 1", ["2"]),
        ("nestedSetLeft = 3 && nestedSetRight = 4 && nestedSetParent = 2", ["4"]),
        ("nestedSetLeft = 6 && nestedSetRight = 7 && nestedSetParent = 1", ["3"]),
        ("nestedSetLeft = 9", ["9"]),
        ("span:childCount = 2", ["1"]),
        ("span:childCount = 1", ["2", "5", "7", "8"]),
        ('span:parentID = "1"', ["2", "3"]),
        ('span:parentID = ""', ["1", "9"]),
        ("span:parentID = span:id", []),
        ("trace:id != span:id", ["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
    ],
)
def test_the_tree_can_be_asked_for(text: str, found: list[str]) -> None:
    assert _found(text) == found


def test_a_trace_without_its_root_has_empty_root_names() -> None:
    orphan = Trace(TRACE_ID, [_at("5", "99")])
    for text in ('rootName = ""', 'rootServiceName = ""', 'rootName != "x"', "traceDuration > 0"):
        assert _compiled(text)(orphan)


def test_ids_held_by_attributes_compare_as_ids() -> None:
    span = _span({"seen": "AA", "many": ["1", "00aA"], "number": 5})
    assert _matches("span:id = .seen", span)
    assert _matches(".seen = span:id", span)
    assert _matches("span:id = .many", span)
    assert not _matches("span:id = .number", span)
    assert not _matches("span:id = .missing", span)


def test_a_lone_surrogate_matches_no_pattern() -> None:
    assert not _matches('.s =~ ".*"', _span({"s": "\ud800"}))


def test_a_dot_matches_a_line_break_and_patterns_are_anchored() -> None:
    span = _span({"s": "one\ntwo"})
    assert _matches('.s =~ "one.two"', span)
    assert _matches('.s =~ "[a-z]{3}.*"', span)
    assert not _matches('.s =~ "[a-z]{3}"', span)
    assert not _matches('.s =~ "one|two"', span)


# what a filter mentions


def test_fields_are_told_once_in_the_order_of_the_text() -> None:
    spanset = _filter('.b = 1 && (status = error || !(.a > 1)) && -span.c + .b = 2 && name =~ "x"')
    assert mentioned_fields(spanset) == (
        Field(Scope.NONE, "b"),
        Field(Scope.INTRINSIC, "status"),
        Field(Scope.NONE, "a"),
        Field(Scope.SPAN, "c"),
        Field(Scope.INTRINSIC, "name"),
    )
    assert mentioned_fields(SpansetFilter()) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", set()),
        (".a && name = .b", {Level.SPAN}),
        ("traceDuration > 1s || !(event.a = 1)", {Level.TRACE, Level.EVENT}),
        ('event:name = "x" && link.b = 1', {Level.EVENT, Level.LINK}),
        ("link:spanID = .a", {Level.LINK, Level.SPAN}),
    ],
)
def test_what_has_to_be_known_is_told(text: str, expected: set[Level]) -> None:
    condition = _filter(text).condition
    assert condition is not None
    assert levels(condition) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".i", 5),
        (".missing", None),
        ("status", "unset"),
        ("kind", "client"),
        ("duration", 5_000),
        ("trace:id", str(TRACE_ID)),
        ("event:name", ["one", "two"]),
        ("event.m", 3),
        ("event.x", None),
        ("event:timeSinceStart", [5, 7]),
        ("link.l", "z"),
        ("link:spanID", ["00000000000000bb", "00000000000000dd"]),
    ],
)
def test_a_field_has_a_value(text: str, value: object) -> None:
    [field] = mentioned_fields(_filter(f"{text} != nil"))
    assert field_value(field, EVENTFUL, Trace(TRACE_ID, [EVENTFUL])) == value
