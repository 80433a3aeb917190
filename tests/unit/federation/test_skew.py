"""Clocks that disagree are told apart from work that goes on in the background."""

from __future__ import annotations

from arcane.federation.skew import skew_of
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind
from arcane.model.trace import Trace

CALLER, ANSWERER = Resource({"service.name": "front"}), Resource({"service.name": "back"})
MS = 1_000_000


def trace(start: int, end: int, *, kind: SpanKind = SpanKind.SERVER, resource: Resource = ANSWERER) -> Trace:
    """A call from 10 ms to 20 ms, and what it calls."""
    trace_id, call, answer = TraceId("1" * 32), SpanId("1" * 16), SpanId("2" * 16)
    return Trace(
        trace_id,
        [
            Span(trace_id, call, "", "call", SpanKind.CLIENT, 10 * MS, 20 * MS, resource=CALLER),
            Span(trace_id, answer, call, "answer", kind, start * MS, end * MS, resource=resource),
        ],
    )


def test_an_answer_within_its_call_is_in_order() -> None:
    assert skew_of(trace(11, 19)) == ()
    assert skew_of(trace(10, 21)) == (), "a millisecond is between two time stamps"


def test_a_span_that_begins_before_its_parent_was_timed_by_another_clock() -> None:
    (warning,) = skew_of(trace(7, 17))
    assert warning.startswith("1 spans begin before their parent, by up to 3.000 ms")
    assert skew_of(trace(7, 17, resource=CALLER)) == (), "one process has one clock"


def test_an_answer_that_ends_after_its_call_was_timed_by_another_clock() -> None:
    (warning,) = skew_of(trace(12, 25))
    assert warning.startswith("1 spans end after the calls they answer, by up to 5.000 ms")


def test_work_that_goes_on_after_its_parent_is_no_sign_of_a_clock() -> None:
    assert skew_of(trace(12, 60, kind=SpanKind.CONSUMER)) == ()
