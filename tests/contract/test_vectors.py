"""A corpus, and what a real Tempo 3.0.3 that held it answered: both adapters give the same answers.

Where they do not, the query stands in a table here with the reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from arcane.federation.rewrite import normalised
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId, parse_trace_id
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi import (
    AttributeQuery,
    BackendFailed,
    Candidate,
    ScanRequest,
    Scope,
    SpansetFilter,
    decode_json,
    mentioned_fields,
)
from arcane.spi.otlp import attribute_value
from arcane.spi.otlp_wire import AnyValue
from arcane.spi.testing import scan_all
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.parse import parse
from datasources.otlp_file.adapter import OtlpFileAdapter
from datasources.tempo.adapter import TempoAdapter
from datasources.tempo.decode import decode_trace_v1
from tests.support.egress import session
from tests.support.tempo_replay import ASKS_FOR_MORE, VECTORS, Recorded, Replay, recordings, replaying
from tests.support.tempo_standin import traces_in

pytestmark = pytest.mark.anyio

OTHER_TYPE = "the literal is an integer and the stored values are doubles: Tempo compares types, Arcane values"
DIFFERS: Mapping[str, str] = {
    "{ span.db.rows > 10 || span.amount > 150 }": OTHER_TYPE,
    "{ span.amount > 100 && span.amount < 120 }": OTHER_TYPE,
    "{ span:childCount > 10 }": "Tempo 3.0.3 answers nothing; Arcane counts the children that are there",
}
"""Searches that Arcane answers with more than the recorded Tempo did."""

NOT_PUSHED: Mapping[str, str] = {
    "{ span.sampled.ratio * 2 = 1 }": "arithmetic is evaluated here",
    "{ span.db.rows + 1 > 13 }": "arithmetic is evaluated here",
    "{ span.db.rows % 2 = 0 && span.db.rows > 8 }": "arithmetic is evaluated here",
    "{ duration / 2 > 2s }": "arithmetic is evaluated here",
    "{ span.beta }": "not a comparison: the planner asks for `= true` and looks again",
    "{ span:childCount > 10 }": "no version of Tempo answers it reliably",
}
"""Searches of which the Tempo adapter is not asked the whole: the planner keeps what it does not cover."""


def searches() -> list[tuple[Recorded, SpansetFilter]]:
    """Returns the recorded searches that are one filter, and were not refused."""
    found = []
    for one in recordings():
        if one.path != "/api/search" or one.status != 200 or "q" not in one.params:
            continue
        try:
            query = parse(one.params["q"])
            check(query)
        except TraceqlError:
            continue  # structure, pipelines and metrics come later
        if query.filter is not None:
            condition = query.filter.condition
            found.append((one, SpansetFilter(normalised(condition)) if condition else query.filter))
    return found


SEARCHES = [pytest.param(*case, id=f"{case[0].params['q']}-{case[0].params['limit']}") for case in searches()]


def request_of(recorded: Recorded, spanset: SpansetFilter) -> ScanRequest:
    params = recorded.params
    within = TimeRange(int(params["start"]) * NANOS_PER_SECOND, int(params["end"]) * NANOS_PER_SECOND)
    return ScanRequest(within, int(params["limit"]), spanset, int(params.get("spss", 3)))


def one_less(request: ScanRequest) -> ScanRequest:
    """Tempo is asked for one trace more than is wanted of the newest."""
    return replace(request, limit=request.limit - 1)


def assert_same(candidate: Candidate, told: Mapping[str, Any], spanset: SpansetFilter) -> None:
    """Everything the recorded answer says of a trace is what the candidate says."""
    hit, span_set = candidate.hit, told["spanSets"][0]
    assert hit is not None
    assert candidate.start == hit.start == int(told["startTimeUnixNano"])
    assert hit.duration // 1_000_000 == told.get("durationMs", 0)
    assert hit.root_name == told.get("rootTraceName")
    assert (hit.root_service or "<root span not yet received>") == told["rootServiceName"]
    assert hit.matched == span_set["matched"]
    services = {name: (stats["spanCount"], stats.get("errorCount", 0)) for name, stats in told["serviceStats"].items()}
    assert {name: (stats.span_count, stats.error_count) for name, stats in hit.services.items()} == services
    wanted = {span["spanID"]: span for span in span_set["spans"]}
    # Which hundred of more than a hundred Tempo shows is its own choice.
    if hit.matched <= 100:
        assert {span.span_id for span in hit.spans} == wanted.keys()
    several = any(field.scope in (Scope.EVENT, Scope.LINK) for field in mentioned_fields(spanset))
    for span in hit.spans:
        if span.span_id not in wanted:
            continue
        assert (span.start, span.duration) == (
            int(wanted[span.span_id]["startTimeUnixNano"]),
            int(wanted[span.span_id]["durationNanos"]),
        )
        if not several:
            told_values = {pair["key"]: pair["value"] for pair in wanted[span.span_id].get("attributes", ())}
            for key, value in told_values.items():
                held, wanted_value = span.attributes[key], python_value(value)
                # Of a list, Tempo shows the element that matched.
                assert wanted_value in held if isinstance(held, list) and wanted_value != held else held == wanted_value


def python_value(value: Mapping[str, Any]) -> object:
    kind, held = next(iter(value.items()))
    if kind == "arrayValue":
        return [python_value(one) for one in held["values"]]
    names = {"stringValue": "string_value", "intValue": "int_value", "boolValue": "bool_value"}
    return attribute_value(AnyValue(**{names.get(kind, "double_value"): held}))


@pytest.fixture(scope="module")
def corpus() -> dict[TraceId, Trace]:
    return {trace.trace_id: trace for trace in traces_in(VECTORS / "corpus.otlp.jsonl")}


@pytest.fixture
def files() -> OtlpFileAdapter:
    return OtlpFileAdapter("corpus.otlp.jsonl", (VECTORS,), 256 * 1024 * 1024)


@pytest.fixture
async def replay() -> AsyncIterator[Replay]:
    async with replaying() as state:
        yield state


@pytest.fixture
async def tempo(replay: Replay) -> AsyncIterator[TempoAdapter]:
    async with session(replay.url) as http:
        yield TempoAdapter(http, max_range_hours=168)


@pytest.mark.parametrize(("recorded", "spanset"), SEARCHES)
async def test_files_answer_as_tempo_did(files: OtlpFileAdapter, recorded: Recorded, spanset: SpansetFilter) -> None:
    answer = await scan_all(files, request_of(recorded, spanset))
    found = {one.trace_id: one for one in answer.candidates}
    wanted = {parse_trace_id(told["traceID"]): told for told in recorded.json["traces"]}
    query = recorded.params["q"]
    if query in DIFFERS:
        assert found.keys() > wanted.keys(), "the table of differences is out of date"
    elif int(recorded.params["limit"]) < 100:
        assert len(found) == len(wanted)  # any five of them
    else:
        assert found.keys() == wanted.keys()
        for trace_id, told in wanted.items():
            assert_same(found[trace_id], told, spanset)


@pytest.mark.parametrize(("recorded", "spanset"), SEARCHES)
async def test_tempo_is_asked_what_was_recorded_and_understood(
    tempo: TempoAdapter, replay: Replay, recorded: Recorded, spanset: SpansetFilter
) -> None:
    await tempo._learn_version(Deadline.after(5))
    query, request = recorded.params["q"], one_less(request_of(recorded, spanset))
    if query in NOT_PUSHED:
        assert not tempo.capabilities.covers(spanset.condition), "the table of what is not pushed is out of date"
        return
    assert tempo.capabilities.covers(spanset.condition)
    if query in ASKS_FOR_MORE:
        with pytest.raises(BackendFailed, match="599"):
            await scan_all(tempo, request)
        return
    answer = await scan_all(tempo, request)
    assert replay.unknown == []
    found = {one.trace_id: one for one in answer.candidates}
    wanted = {parse_trace_id(told["traceID"]): told for told in recorded.json["traces"]}
    if request.limit < 100:
        assert [one.start for one in answer.candidates] == sorted((one.start for one in found.values()), reverse=True)
        assert len(found) == request.limit
        assert not answer.complete
        return
    assert found.keys() == wanted.keys()
    assert answer.complete
    for trace_id, told in wanted.items():
        assert_same(found[trace_id], told, spanset)


async def test_the_four_newest_are_the_four_newest(tempo: TempoAdapter, corpus: dict[TraceId, Trace]) -> None:
    within = TimeRange(1_795_225_717 * NANOS_PER_SECOND, 1_795_229_477 * NANOS_PER_SECOND)
    answer = await scan_all(tempo, ScanRequest(within, limit=4))
    newest = sorted(corpus.values(), key=lambda trace: (trace.start, trace.trace_id), reverse=True)[:4]
    assert [one.trace_id for one in answer.candidates] == [trace.trace_id for trace in newest]


def test_an_unknown_question_is_never_answered_by_accident() -> None:
    asked = {recorded.params["q"] for recorded, _ in searches()}
    assert asked >= DIFFERS.keys()
    assert asked >= NOT_PUSHED.keys()
    assert asked >= ASKS_FOR_MORE
    assert len(asked) > 50


async def test_what_was_not_recorded_fails(tempo: TempoAdapter, replay: Replay) -> None:
    within = TimeRange(1_795_225_717 * NANOS_PER_SECOND, 1_795_229_477 * NANOS_PER_SECOND)
    query = parse("{ span.never.recorded = 1 }").filter
    assert query is not None
    with pytest.raises(BackendFailed, match="599"):
        await scan_all(tempo, ScanRequest(within, 199, query, 100))
    assert replay.unknown


TRACES = [
    pytest.param(one, id=f"{one.path}-{one.accept}")
    for one in recordings()
    if "/traces/" in one.path and one.status == 200 and not one.params
]


@pytest.mark.parametrize("recorded", TRACES)
async def test_recorded_traces_are_the_corpus(
    tempo: TempoAdapter, corpus: dict[TraceId, Trace], recorded: Recorded
) -> None:
    trace_id = parse_trace_id(recorded.path.rsplit("/", 1)[1])
    if recorded.accept == "application/json":
        spans = decode_json(recorded.body if "batches" in recorded.json else _inner(recorded))
        found = Trace(trace_id, spans) if spans else None
    elif "/v2/" in recorded.path:
        found = await tempo.get_trace(trace_id, None, Deadline.after(5))
    else:
        found = decode_trace_v1(recorded.body, trace_id)
    wanted = corpus.get(trace_id)
    assert (found.spans if found else None) == (wanted.spans if wanted else None)


def _inner(recorded: Recorded) -> bytes:
    """The document inside the second API's answer."""
    return recorded.body[len(b'{"trace": ') : recorded.body.rindex(b"}")]


NAMES = [one for one in recordings() if one.path == "/api/v2/search/tags" and "scope" not in one.params]
VALUES = [
    pytest.param(one, id=f"{one.path}-{one.params.get('q', '')}")
    for one in recordings()
    if one.path.startswith("/api/v2/search/tag/") and one.status == 200
]


@pytest.mark.parametrize("recorded", NAMES)
async def test_attribute_names_are_what_tempo_and_the_files_say(
    tempo: TempoAdapter, files: OtlpFileAdapter, recorded: Recorded
) -> None:
    query = AttributeQuery(request_window(recorded), limit=1_000)
    told = {
        (scope["name"], tag)
        for scope in recorded.json["scopes"]
        for tag in scope["tags"]
        if scope["name"] != "intrinsic"
    }
    for adapter in (tempo, files):
        names = await adapter.attribute_names(query, Deadline.after(5))
        found = {(name.field.scope.value, name.field.name) for name in names}
        # Tempo knows of an attribute whose only values are empty lists, and has none of them.
        assert found == told


@pytest.mark.parametrize("recorded", VALUES)
async def test_attribute_values_are_what_tempo_and_the_files_say(
    tempo: TempoAdapter, files: OtlpFileAdapter, recorded: Recorded
) -> None:
    identifier = unquote(recorded.path.split("/")[5])
    field = mentioned_fields(parse(f"{{ {identifier} != nil }}").body)[0]  # type: ignore[arg-type]
    narrowed = parse(recorded.params["q"]).filter if "q" in recorded.params else SpansetFilter()
    assert narrowed is not None
    query = AttributeQuery(request_window(recorded), limit=1_000, filter=narrowed)
    keywords = identifier in ("status", "kind")
    told = {
        (value["type"], value["value"])
        for value in recorded.json["tagValues"]
        if value.get("value") and (not keywords or value["type"] == "keyword")
    }
    from_files = await files.attribute_values(field, query, Deadline.after(5))
    found = {(value.type, spelled(value.value)) for value in from_files}
    assert found <= told if keywords else found == told  # Tempo lists keywords that no span has
    if not narrowed.condition:
        from_tempo = await tempo.attribute_values(field, query, Deadline.after(5))
        assert {(value.type, spelled(value.value)) for value in from_tempo} == told


def spelled(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def request_window(recorded: Recorded) -> TimeRange:
    start, end = int(recorded.params["start"]), int(recorded.params["end"])
    return TimeRange(start * NANOS_PER_SECOND, end * NANOS_PER_SECOND)
