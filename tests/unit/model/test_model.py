"""The vocabulary keeps its promises: ids have one spelling, a trace is a tree whatever it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from arcane.model.deadline import Deadline
from arcane.model.hit import TraceHit
from arcane.model.ids import SpanId, TraceId, parse_span_id, parse_trace_id
from arcane.model.outcome import QueryOutcome, SourceOutcome, SourceStatus
from arcane.model.span import InstrumentationScope, Resource, Span, SpanKind, StatusCode
from arcane.model.time import TimeRange, datetime_of, nanos_of
from arcane.model.trace import LEFT_OUT, Trace

TRACE = TraceId("0" * 31 + "1")


def span(span_id: str, parent: str = "", start: int = 0, end: int = 1, status: StatusCode = StatusCode.UNSET) -> Span:
    return Span(
        trace_id=TRACE,
        span_id=SpanId(span_id.rjust(16, "0")),
        parent_span_id=parent and parent.rjust(16, "0"),
        name=span_id,
        kind=SpanKind.INTERNAL,
        start=start,
        end=end,
        status=status,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("AB", "0" * 30 + "ab"), (" 1 ", "0" * 31 + "1"), ("f" * 32, "f" * 32)],
)
def test_a_trace_id_has_one_spelling(text: str, expected: str) -> None:
    assert parse_trace_id(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "xyz", "0", "0" * 32, "1" * 33, "../../etc", "a b"])
def test_what_is_no_trace_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="trace id"):
        parse_trace_id(text)


def test_a_span_id_is_padded_to_sixteen_digits() -> None:
    assert parse_span_id("bB") == "00000000000000bb"
    with pytest.raises(ValueError, match="span id"):
        parse_span_id("1" * 17)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_datetimes_survive_the_way_to_nanoseconds_and_back(moment: datetime) -> None:
    assert datetime_of(nanos_of(moment)) == moment


def test_a_naive_datetime_is_refused_and_an_offset_is_honoured() -> None:
    with pytest.raises(ValueError, match="offset"):
        nanos_of(datetime(2026, 1, 1))  # noqa: DTZ001
    east = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert nanos_of(east) == nanos_of(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_time_range_has_an_order_and_overlaps_at_its_edges() -> None:
    window = TimeRange(10, 20)
    assert window.duration == 10
    assert window.overlaps(20, 30)
    assert window.overlaps(0, 10)
    assert not window.overlaps(21, 30)
    with pytest.raises(ValueError, match="before"):
        TimeRange(2, 1)


def test_a_deadline_only_ever_gets_closer() -> None:
    deadline = Deadline.after(100)
    assert 99 < deadline.remaining() <= 100
    assert not deadline.expired
    assert deadline.within(1).remaining() <= 1
    assert deadline.within(1_000).at == deadline.at
    assert Deadline.after(-1).expired
    assert Deadline.after(-1).remaining() == 0


def test_a_trace_is_a_tree_of_its_spans() -> None:
    trace = Trace(
        TRACE, [span("3", "2", 2, 9, StatusCode.ERROR), span("1", "", 0, 5), span("2", "1", 1, 4), span("1", "9")]
    )
    assert [s.name for s in trace.spans] == ["1", "2", "3"]
    assert trace.root is trace.spans[0]
    assert (trace.start, trace.end, trace.duration, trace.error_count) == (0, 9, 9, 1)
    assert [(s.name, depth) for s, depth in trace.walk()] == [("1", 0), ("2", 1), ("3", 2)]
    assert trace.orphans == ()
    assert "3 spans" in repr(trace)


def test_a_trace_without_its_root_keeps_its_orphans() -> None:
    trace = Trace(TRACE, [span("2", "1", 1), span("3", "2", 2)])
    assert trace.root is None
    assert [s.name for s in trace.orphans] == ["2"]
    assert [s.name for s, _ in trace.walk()] == ["2", "3"]


@pytest.mark.parametrize("end", [0, 99], ids=["never ended", "clock set back"])
def test_a_trace_never_ends_before_it_starts(end: int) -> None:
    trace = Trace(TRACE, [span("1", start=100, end=end), span("2", "1", start=110, end=end)])
    assert (trace.start, trace.end, trace.duration) == (100, 110, 10)


def test_of_two_spans_with_one_id_the_first_counts_and_it_is_said_where_they_are_no_copies() -> None:
    call, answer = span("1", start=10, end=20), span("1", start=12, end=18)
    assert Trace(TRACE, [call, replace(call)]).warnings == ()
    both = Trace(TRACE, [call, answer], ("cut",))
    assert (both.spans, both.warnings) == ((call,), ("cut", LEFT_OUT))
    assert both.with_spans([answer, call]) is both
    assert Trace(TRACE, [call]).with_spans([answer]).warnings == (LEFT_OUT,)


def test_an_empty_trace_has_no_extent() -> None:
    trace = Trace(TRACE, ())
    assert (trace.start, trace.end, trace.duration, trace.root) == (0, 0, 0, None)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12), st.integers(0, 50)), max_size=12))
def test_walking_reaches_every_span_once_also_around_cycles(rows: list[tuple[int, int, int]]) -> None:
    trace = Trace(TRACE, [span(f"{own:x}", f"{parent:x}" if parent else "", start) for own, parent, start in rows])
    walked = [s.span_id for s, _ in trace.walk()]
    assert sorted(walked) == sorted(trace.by_id)


def test_a_span_knows_its_service_and_never_lasts_less_than_nothing() -> None:
    backwards = span("1", start=5, end=3)
    assert backwards.duration == 0
    assert backwards.service_name == ""
    assert Resource({"service.name": "api"}).service_name == "api"
    assert Resource({"service.name": 3}).service_name == ""
    assert InstrumentationScope().name == ""
    assert SpanKind.SERVER.word == "server"
    assert StatusCode.ERROR.word == "error"


def test_hits_sort_newest_first_by_position() -> None:
    def hit(start: int, trace_id: str) -> TraceHit:
        return TraceHit(TraceId(trace_id), start, 1, None, None, 0, ())

    hits = sorted([hit(1, "b"), hit(2, "a"), hit(1, "c")], key=lambda h: h.position, reverse=True)
    assert [h.trace_id for h in hits] == ["a", "c", "b"]


def test_an_answer_is_complete_only_when_every_source_is() -> None:
    def source(status: SourceStatus) -> SourceOutcome:
        return SourceOutcome("1", "tempo", "tempo", status, 0, 1.0)

    assert QueryOutcome((source(SourceStatus.OK),)).complete
    assert not QueryOutcome((source(SourceStatus.OK), source(SourceStatus.APPROXIMATE))).complete
