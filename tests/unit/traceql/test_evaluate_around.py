"""What a filter finds in the events, the links and the trace around a span, and what it mentions."""

from typing import Any

import pytest

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanEvent, SpanLink
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.evaluate import field_value, levels, mentioned_fields
from arcane.traceql.intrinsics import Level
from tests.unit.traceql.asking import SPAN, TRACE_ID, compiled, fails, filter_of, listed, matches, span_with

# events and links


def _event(name: str, at: int, **attributes: Any) -> SpanEvent:
    return SpanEvent(name, SPAN.start + at, attributes)


def _link(trace_id: str, span_id: str, **attributes: Any) -> SpanLink:
    return SpanLink(TraceId(trace_id.rjust(32, "0")), SpanId(span_id.rjust(16, "0")), attributes=attributes)


EVENTFUL = span_with(
    {"i": 5},
    events=(_event("one", 5, e="1", m=3), _event("two", 7, e="2")),
    links=(_link("aaaa", "bb", l="z"), _link("cccc", "dd")),
)


OF_ONE_EVENT = listed(
    r"""
    event.e = "1"  event.e = "1" && event.m = 3  event.e = "2" || event:name = "nope"  event.e != "1"
    event.m = nil  event.m != nil  event:timeSinceStart = 7ns  event:timeSinceStart > 5  event:name != nil
    event.e = "1" && .i = 5  event.e = "3" || .i = 5  !(event.e = "1")  event.e = "2" && !(event.m = 3)
    event.e = "1" && (event.m = 3 || event.m = 4)  link.l = "z"  link:spanID = "BB"  link:traceID = "aaaa"
    link:traceID = "cccc" && link.l = nil  event.e = "2" && link:spanID = "dd"  link:traceID != nil
    link:traceID =~ "a+"  event:name =~ "t.*"  (event.m + 1) = 4  event.e = event.e
    """
)


@pytest.mark.parametrize("text", OF_ONE_EVENT)
def test_a_condition_on_events_or_links_holds_of_one_of_them(text: str) -> None:
    assert matches(text, EVENTFUL)


OF_NO_EVENT = listed(
    r"""
    event.e = "2" && event.m = 3  event.e = "1" && event:name = "two"  event.e = "1" && event.m = nil
    link.l = "z" && link:spanID = "dd"  event.x != nil  .e = "1"  event.i = 5  event.e = "1" && .i = 6
    !(event:name = "one") && event.e = "1"  event.e = link.l
    """
)


@pytest.mark.parametrize("text", OF_NO_EVENT)
def test_a_condition_that_holds_of_no_single_event_or_link_does_not_hold(text: str) -> None:
    assert not matches(text, EVENTFUL)


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
    assert matches(text, span_with({"i": 5})) is expected


def test_an_event_that_fails_does_not_hide_another_that_matches() -> None:
    assert matches("6 / event.n = 3", span_with(events=(_event("a", 1, n=0), _event("b", 2, n=2))))
    assert fails("6 / event.n = 3", span_with(events=(_event("a", 1, n=0), _event("b", 2, n=3))))


# the trace around a span


def _at(name: str, parent: str = "", start: int = 0) -> Span:
    return span_with(
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
        _at("7", "8", 7),  # two that are each other's parent: the earlier one is taken for the top
        _at("8", "7", 8),
        _at("9", start=9),  # a second root
    ],
)


def _found(text: str) -> list[str]:
    return [span.span_id.lstrip("0") for span in compiled(text)(TREE)]


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
        ("span:childCount = 1", ["2", "5", "7"]),
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
        assert compiled(text)(orphan)


def test_ids_held_by_attributes_compare_as_ids() -> None:
    span = span_with({"seen": "AA", "many": ["1", "00aA"], "number": 5})
    assert matches("span:id = .seen", span)
    assert matches(".seen = span:id", span)
    assert matches("span:id = .many", span)
    assert not matches("span:id = .number", span)
    assert not matches("span:id = .missing", span)


def test_a_lone_surrogate_matches_no_pattern() -> None:
    assert not matches('.s =~ ".*"', span_with({"s": "\ud800"}))


def test_a_dot_matches_a_line_break_and_patterns_are_anchored() -> None:
    span = span_with({"s": "one\ntwo"})
    assert matches('.s =~ "one.two"', span)
    assert matches('.s =~ "[a-z]{3}.*"', span)
    assert not matches('.s =~ "[a-z]{3}"', span)
    assert not matches('.s =~ "one|two"', span)


# what a filter mentions


def test_fields_are_told_once_in_the_order_of_the_text() -> None:
    spanset = filter_of('.b = 1 && (status = error || !(.a > 1)) && -span.c + .b = 2 && name =~ "x"')
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
    condition = filter_of(text).condition
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
    [field] = mentioned_fields(filter_of(f"{text} != nil"))
    assert field_value(field, EVENTFUL, Trace(TRACE_ID, [EVENTFUL])) == value
