"""The searches that a real Tempo answered over the corpus: the same traces, the same spans, the same attributes."""

import functools
import json
from typing import Any

import pytest

from arcane.model.hit import MatchedSet, TraceHit
from arcane.model.trace import Trace
from arcane.spi.otlp import decode_json, traces_of
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.hits import hit_of_sets
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query
from tests.unit.traceql.observed import DIFFERENCES, VECTORS

OTHER_TRACES = {row["query"]: (row["arcane"], row["tempo"]) for row in DIFFERENCES["searches"]}
"""Query -> how many traces Arcane finds, and how many Tempo did."""
OTHER_ATTRIBUTES = {row["query"] for row in DIFFERENCES["attributes"]}
"""Queries for which the attributes of a matched span are others."""


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


WHOLE = [one for one in SEARCHES if one["status"] == 200 and one["params"]["limit"] == 200]


@functools.cache
def _hits(text: str) -> dict[str, TraceHit]:
    query = parse(text)
    check(query)
    compiled = compile_query(query)
    found = ((trace, compiled(trace)) for trace in _corpus())
    return {trace.trace_id: hit_of_sets(trace, sets, compiled.fields, 100) for trace, sets in found if sets}


def _query(search: dict[str, Any]) -> str:
    return str(search["params"]["q"])


def _recorded(search: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["traceID"].rjust(32, "0"): trace for trace in search["body"]["traces"]}


def _sets(hit: TraceHit) -> tuple[MatchedSet, ...]:
    return hit.span_sets or (MatchedSet({}, hit.matched, hit.spans),)


def _attributes(recorded: dict[str, Any]) -> dict[str, Any]:
    return {pair["key"]: _value(pair["value"]) for pair in recorded.get("attributes", ())}


def test_the_recordings_are_all_here() -> None:
    assert len(WHOLE) == 74
    assert sum(parse(_query(search)).filter is None for search in WHOLE) == 20
    assert {row["reason"] for row in DIFFERENCES["searches"]} <= DIFFERENCES["reasons"].keys()


@pytest.mark.parametrize("search", WHOLE, ids=_query)
def test_a_search_finds_the_traces_and_spans_that_tempo_found(search: dict[str, Any]) -> None:
    hits, recorded = _hits(_query(search)), _recorded(search)
    if _query(search) in OTHER_TRACES:
        assert (len(hits), len(recorded)) == OTHER_TRACES[_query(search)]
        assert len(hits) != len(recorded), "no difference any more: take it out of the table"
        return
    assert hits.keys() == recorded.keys()
    for trace_id, trace in recorded.items():
        ours = {str(one.attributes): one for one in _sets(hits[trace_id])}
        assert ours.keys() == {str(_attributes(theirs)) for theirs in trace["spanSets"]}
        for theirs in trace["spanSets"]:
            one = ours[str(_attributes(theirs))]
            assert one.matched == theirs["matched"]
            if one.matched <= 100:  # beyond that, which ones are shown is each side's choice
                assert {span.span_id for span in one.spans} == {span["spanID"] for span in theirs["spans"]}


@pytest.mark.parametrize("search", WHOLE, ids=_query)
def test_a_hit_says_of_its_trace_what_tempo_says(search: dict[str, Any]) -> None:
    hits = _hits(_query(search))
    for trace_id, trace in _recorded(search).items():
        if trace_id not in hits:
            continue
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


@pytest.mark.parametrize("search", WHOLE, ids=_query)
def test_a_matched_span_shows_the_attributes_that_tempo_shows(search: dict[str, Any]) -> None:
    hits = _hits(_query(search))
    differs = False
    for trace_id, trace in _recorded(search).items():
        if trace_id not in hits:
            continue
        shown = {span.span_id: span for one in _sets(hits[trace_id]) for span in one.spans}
        for span in (span for one in trace["spanSets"] for span in one["spans"]):
            if span["spanID"] not in shown:
                continue
            ours = shown[span["spanID"]]
            theirs = _attributes(span)
            differs |= ours.attributes != theirs
            assert theirs.keys() <= ours.attributes.keys()
            assert (ours.start, ours.duration) == (int(span["startTimeUnixNano"]), int(span.get("durationNanos", 0)))
            assert span.get("name", ours.name) == ours.name
    assert differs is (_query(search) in OTHER_ATTRIBUTES)


def _value(wire: dict[str, Any]) -> Any:
    [(kind, value)] = wire.items()
    if kind == "arrayValue":
        return [_value(one) for one in value["values"]]
    return int(value) if kind == "intValue" else value


@pytest.mark.parametrize("search", [one for one in SEARCHES if one["status"] == 400], ids=_query)
def test_a_query_that_tempo_refuses_is_refused(search: dict[str, Any]) -> None:
    if "invalid TraceQL query" in search["text"]:
        with pytest.raises(TraceqlError):
            check(parse(_query(search)))
    else:  # the query was fine, a parameter was not
        check(parse(_query(search)))
