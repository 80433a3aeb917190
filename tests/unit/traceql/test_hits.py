"""What a result list shows of a trace that matched."""

import msgspec

from arcane.model.hit import SPAN_SETS_SHOWN, ServiceStats, TraceHit
from arcane.model.ids import SpanId
from arcane.model.span import Resource, SpanEvent, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.check import check
from arcane.traceql.evaluate import compile_filter, mentioned_fields
from arcane.traceql.hits import hit_of, hit_of_sets
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query
from tests.unit.traceql.asking import SPAN, TRACE_ID, filter_of, span_with

ROOT = span_with({"a": 1}, resource=Resource({"service.name": "web"}))
CHILD = span_with(
    {"a": 2, "words": ["x"]},
    span_id=SpanId("00000000000000bb"),
    parent_span_id=SPAN.span_id,
    name="child",
    start=2_000,
    end=9_000,
    status=StatusCode.ERROR,
    resource=Resource({"service.name": "db", "a": "of the resource"}),
    events=(SpanEvent("one", 2_005), SpanEvent("two", 3_000)),
)
TRACE = Trace(TRACE_ID, [CHILD, ROOT])


def _hit(text: str, spans_per_trace: int = 3) -> TraceHit:
    spanset = filter_of(text)
    return hit_of(TRACE, compile_filter(spanset)(TRACE), mentioned_fields(spanset), spans_per_trace)


def test_a_hit_tells_of_the_whole_trace() -> None:
    hit = _hit(".a = 2")
    assert (hit.trace_id, hit.start, hit.duration) == (TRACE_ID, 1_000, 8_000)
    assert (hit.root_service, hit.root_name) == ("web", "call")
    assert (hit.span_count, hit.error_count, hit.matched) == (2, 1, 1)
    assert hit.services == {"web": ServiceStats(1, 0), "db": ServiceStats(1, 1)}


def test_a_hit_of_a_trace_without_its_root_has_no_root_names() -> None:
    hit = hit_of(Trace(TRACE_ID, [CHILD]), [CHILD], (), 3)
    assert (hit.root_service, hit.root_name) == (None, None)


def test_all_matches_are_counted_and_the_first_are_shown() -> None:
    hit = _hit(".a > 0", spans_per_trace=1)
    assert hit.matched == 2
    assert [span.span_id for span in hit.spans] == [SPAN.span_id]


def test_a_matched_span_shows_what_the_query_mentions() -> None:
    [span] = _hit('.a = 2 && status = error && .missing = nil && .words = "x" && resource.a != nil').spans
    assert (span.name, span.service, span.status) == ("child", "db", StatusCode.ERROR)
    assert (span.start, span.duration) == (2_000, 7_000)
    assert span.attributes == {"a": 2, "status": "error", "words": ["x"]}


def test_what_a_hit_has_in_places_of_its_own_is_no_attribute() -> None:
    text = 'name = "child" && duration > 1ns && trace:id != "" && span:id != "" && rootName != "" && traceDuration > 0'
    [span] = _hit(text).spans
    assert span.attributes == {}


def test_durations_are_shown_as_text() -> None:
    [span] = _hit("event:timeSinceStart < 1us").spans
    assert span.attributes == {"event:timeSinceStart": ["5ns", "1us"]}
    one = msgspec.structs.replace(CHILD, events=CHILD.events[:1])
    spanset = filter_of("event:timeSinceStart < 1us")
    [shown] = hit_of(Trace(TRACE_ID, [one]), [one], mentioned_fields(spanset), 3).spans
    assert shown.attributes == {"event:timeSinceStart": "5ns"}


def _hit_of_sets(text: str, spans_per_trace: int = 3) -> TraceHit:
    query = parse(text)
    check(query)
    compiled = compile_query(query)
    return hit_of_sets(TRACE, compiled(TRACE), compiled.fields, spans_per_trace)


def test_one_set_of_which_nothing_is_said_is_a_plain_hit() -> None:
    assert _hit_of_sets("{ .a > 0 }") == _hit(".a > 0")
    assert _hit_of_sets("{ .a > 0 } | by(name) | coalesce()").span_sets == ()


def test_each_group_shows_its_first_spans_and_what_is_said_of_it() -> None:
    hit = _hit_of_sets("{ } | by(resource.service.name) | count() > 0 | select(.a)", spans_per_trace=1)
    assert [(one.attributes, one.matched, [span.name for span in one.spans]) for one in hit.span_sets] == [
        ({"by(resource.service.name)": "web", "count()": 1}, 1, ["call"]),
        ({"by(resource.service.name)": "db", "count()": 1}, 1, ["child"]),
    ]
    assert hit.span_sets[1].spans[0].attributes == {"service.name": "db", "a": 2}
    assert (hit.matched, hit.span_set_count, [span.name for span in hit.spans]) == (2, 2, ["call"])


def test_of_many_groups_the_first_are_shown_and_all_are_counted() -> None:
    spans = [msgspec.structs.replace(SPAN, span_id=SpanId(f"{number:016x}"), start=number) for number in range(1, 151)]
    compiled = compile_query(parse("{ } | by(span:id)"))
    trace = Trace(TRACE_ID, spans)
    hit = hit_of_sets(trace, compiled(trace), (), 3)
    assert (len(hit.span_sets), hit.span_set_count, hit.matched) == (SPAN_SETS_SHOWN, 150, 150)
