"""A value of the wrong type is passed over, never an error."""

import pytest

from arcane.conventions import view_of
from arcane.conventions.read import amount, count, mapping, text, texts, whole
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (3.0, 3), ("3", 3), (0, 0), (10**9, 10**9)]
    + [
        (bad, None)
        for bad in (True, -1, 10**9 + 1, 3.5, float("nan"), float("inf"), "", "3.0", "²", "9" * 11, [3], None)
    ],
)
def test_a_count_is_a_whole_number_in_bounds(value: object, number: int | None) -> None:
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [(0.5, 0.5), (2, 2.0), ("0.5", 0.5)]
    + [(bad, None) for bad in (True, -0.1, float("nan"), "inf", "free", 10**400, None, [1])],
)
def test_an_amount_is_finite_and_not_negative(value: object, number: float | None) -> None:
    assert amount(value) == number


@pytest.mark.parametrize(
    ("value", "found"),
    [("stop", ("stop",)), (["a", 1, "b"], ("a", "b")), ('["a"]', ("a",)), ('"a"', ("a",)), ('""', ()), (7, ())],
)
def test_texts(value: object, found: tuple[str, ...]) -> None:
    assert texts(value) == found


def test_the_first_usable_key_wins() -> None:
    assert text({"a": "", "b": None, "c": ["x"], "d": 4}, ("a", "b", "c", "d")) == "4"
    assert text({"a": '"x"'}, ("a",)) == "x"
    assert text({"a": '"x'}, ("a",)) == '"x'
    assert text({}, ("a",)) is None
    assert count({"a": "x", "b": 2}, ("a", "b")) == 2
    assert count({"a": "x"}, ("a",)) is None


def test_only_a_map_is_a_map() -> None:
    assert mapping('{"a": 1}') == mapping({"a": 1, 2: 3}) == {"a": 1}
    assert mapping("[1]") == mapping(3) == {}


def test_a_first_token_before_the_span_is_no_first_token() -> None:
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.completion_start_time": "2020-01-01T00:00:00Z",
    }
    start = 1_795_262_400_000_000_000
    view = view_of(
        Span(TraceId("a" * 32), SpanId("b" * 16), "", "x", SpanKind.CLIENT, start, start, attributes=dict(attributes))
    )
    assert view is not None
    assert view.time_to_first_token is None
