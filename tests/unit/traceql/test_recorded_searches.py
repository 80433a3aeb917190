"""The searches that a real Tempo answered over the corpus: the same traces, the same spans, the same attributes."""

import functools
import json
from typing import Any

import pytest

from arcane.model.hit import TraceHit
from arcane.model.trace import Trace
from arcane.spi.otlp import decode_json, traces_of
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError, UnsupportedConstruct
from arcane.traceql.evaluate import compile_filter, mentioned_fields
from arcane.traceql.hits import hit_of
from arcane.traceql.parse import parse
from tests.unit.traceql.observed import VECTORS

# query -> how many traces Arcane finds, how many Tempo did, why
OTHER_TRACES = {
    "{ span.amount > 100 && span.amount < 120 }": (4, 0, "numbers compare by value: these are doubles"),
    "{ span.db.rows > 10 || span.amount > 150 }": (21, 20, "numbers compare by value: these are doubles"),
    "{ span:childCount > 10 }": (1, 0, "this Tempo does not count the children of spans that were stored live"),
}
# query -> why the attributes of a matched span are others
OTHER_ATTRIBUTES = {
    '{ span.tags = "a" }': "Arcane shows the whole array, Tempo the element that matched",
    "{ (status = error && kind = client) || (span.beta = true && kind = server) }": (
        "Arcane shows every field that the query mentions, Tempo leaves out some that did not match"
    ),
}


@functools.cache
def _corpus() -> tuple[Trace, ...]:
    spans = []
    for line in (VECTORS / "corpus.otlp.jsonl").read_bytes().splitlines():
        spans += decode_json(line)
    return tuple(traces_of(spans))


def _searches() -> list[dict[str, Any]]:
    lines = (VECTORS / "tempo_wire.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [json.loads(line) for line in lines]
    return [request for request in requests if request["path"] == "/api/search" and "q" in request["params"]]


SEARCHES = _searches()


def _is_filter(query: str) -> bool:
    try:
        return parse(query).filter is not None
    except TraceqlError:
        return False


WHOLE = [one for one in SEARCHES if one["status"] == 200 and one["params"]["limit"] == 200]
FILTERS = [one for one in WHOLE if _is_filter(one["params"]["q"])]
LATER = [one for one in WHOLE if not _is_filter(one["params"]["q"])]


def _hits(text: str) -> dict[str, TraceHit]:
    query = parse(text)
    check(query)
    assert query.filter is not None
    compiled, fields = compile_filter(query.filter), mentioned_fields(query.filter)
    found = {}
    for trace in _corpus():
        matched = compiled(trace)
        if matched:
            found[trace.trace_id] = hit_of(trace, matched, fields, spans_per_trace=100)
    return found


def _query(search: dict[str, Any]) -> str:
    return str(search["params"]["q"])


def _recorded(search: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["traceID"].rjust(32, "0"): trace for trace in search["body"]["traces"]}


def test_the_recordings_are_all_here() -> None:
    assert (len(FILTERS), len(LATER)) == (54, 20)


@pytest.mark.parametrize("search", FILTERS, ids=_query)
def test_a_search_finds_the_traces_and_spans_that_tempo_found(search: dict[str, Any]) -> None:
    hits, recorded = _hits(_query(search)), _recorded(search)
    if _query(search) in OTHER_TRACES:
        ours, theirs, _ = OTHER_TRACES[_query(search)]
        assert (len(hits), len(recorded)) == (ours, theirs)
        assert recorded.keys() <= hits.keys()
        return
    assert hits.keys() == recorded.keys()
    for trace_id, trace in recorded.items():
        [spanset] = trace["spanSets"]
        hit = hits[trace_id]
        assert hit.matched == spanset["matched"]
        if hit.matched <= 100:  # beyond that, which ones are shown is each side's choice
            assert {span.span_id for span in hit.spans} == {span["spanID"] for span in spanset["spans"]}


@pytest.mark.parametrize("search", FILTERS, ids=_query)
def test_a_hit_says_of_its_trace_what_tempo_says(search: dict[str, Any]) -> None:
    hits = _hits(_query(search))
    for trace_id, trace in _recorded(search).items():
        hit = hits[trace_id]
        has_root = trace["rootServiceName"] != "<root span not yet received>"
        assert hit.root_name == trace.get("rootTraceName")
        assert hit.root_service == (trace["rootServiceName"] if has_root else None)
        assert hit.start == int(trace["startTimeUnixNano"])
        assert hit.duration // 1_000_000 == trace.get("durationMs", 0)
        assert {service: (stats.span_count, stats.error_count) for service, stats in hit.services.items()} == {
            service: (stats["spanCount"], stats.get("errorCount", 0))
            for service, stats in trace["serviceStats"].items()
        }


@pytest.mark.parametrize("search", FILTERS, ids=_query)
def test_a_matched_span_shows_the_attributes_that_tempo_shows(search: dict[str, Any]) -> None:
    hits = _hits(_query(search))
    differs = False
    for trace_id, trace in _recorded(search).items():
        shown = {span.span_id: span for span in hits[trace_id].spans}
        for span in trace["spanSets"][0]["spans"]:
            if span["spanID"] not in shown:
                continue
            ours = shown[span["spanID"]]
            theirs = {pair["key"]: _value(pair["value"]) for pair in span.get("attributes", ())}
            differs |= ours.attributes != theirs
            assert theirs.keys() <= ours.attributes.keys()
            assert (ours.start, ours.duration) == (int(span["startTimeUnixNano"]), int(span.get("durationNanos", 0)))
            assert span.get("name", ours.name) == ours.name
    assert differs is (_query(search) in OTHER_ATTRIBUTES)


def _value(wire: dict[str, Any]) -> Any:
    [(kind, value)] = wire.items()
    return int(value) if kind == "intValue" else value


@pytest.mark.parametrize("search", LATER, ids=_query)
def test_what_is_more_than_a_filter_is_refused_as_unsupported(search: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedConstruct):
        check(parse(_query(search)))


@pytest.mark.parametrize("search", [one for one in SEARCHES if one["status"] == 400], ids=_query)
def test_a_query_that_tempo_refuses_is_refused(search: dict[str, Any]) -> None:
    if "invalid TraceQL query" in search["text"]:
        with pytest.raises(TraceqlError):
            check(parse(_query(search)))
    else:  # the query was fine, a parameter was not
        check(parse(_query(search)))
