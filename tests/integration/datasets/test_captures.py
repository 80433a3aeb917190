"""Rows captured from traces: what is kept, what is left out and told, and who may."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from arcane.access.permissions import TRACES_READ
from arcane.datasets.captures import CaptureRequest, Origin
from arcane.datasets.columns import ColumnType
from arcane.datasets.problems import DatasetLimit, InvalidDataset, NothingCaptured, UnknownDataset
from arcane.datasets.views import Change, NewColumn
from arcane.federation.assemble import Assembled
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import NotAllowed
from arcane.model.deadline import Deadline
from arcane.model.hit import MatchedSpan, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.model.outcome import QueryOutcome
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace
from arcane.settings import DatasetSettings
from arcane.traces.questions import FoundTrace, SearchAnswer, SearchRequest, TraceAnswer
from tests.integration.datasets.conftest import Desk, working
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

COLUMNS = {"question": "trace:input", "weight": "span:weight"}


def _plant(desk: Desk, number: int, **attributes: object) -> Origin:
    """Returns the origin of a new trace that asks a question, with these attributes."""
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Question {number}"}]}])
    said: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": asked, **attributes}
    span = Span(
        TraceId(f"{number:032x}"), SpanId(f"{number:016x}"), "", "chat", SpanKind.CLIENT, number, number + 1,
        attributes=said,
    )  # fmt: skip
    trace = Trace(span.trace_id, [span])
    desk.traces.traces[trace.trace_id] = TraceAnswer(trace, Assembled(trace, QueryOutcome(())))
    return Origin(trace.trace_id, span.span_id)


def _found(*origins: Origin, matched: int = 1, following: str | None = None) -> SearchAnswer:
    hits = [
        TraceHit(TraceId(one.trace_id), 1, 1, "s", "chat", matched, (MatchedSpan(SpanId(one.span_id), 1, 1),))
        for one in origins
    ]
    return SearchAnswer(tuple(FoundTrace(hit, (), ()) for hit in hits), following, (), complete=True)


async def _dataset(desk: Desk) -> UUID:
    columns = [NewColumn("question"), NewColumn("weight", ColumnType.NUMBER)]
    return (await desk.parts.datasets.create(desk.actor, "Q", "", columns)).id


def _soon() -> Deadline:
    return Deadline.after(60)


async def test_spans_become_rows_that_say_where_they_come_from(desk: Desk) -> None:
    dataset = await _dataset(desk)
    origins = [_plant(desk, 1, weight=0.5), _plant(desk, 2)]
    captured = await desk.parts.captures.capture(
        desk.actor, dataset, CaptureRequest(COLUMNS, [*origins, origins[0]], split="test"), _soon()
    )
    values = [(captured.page.dataset.named(row.values), row.split) for row in captured.page.rows]
    assert values == [
        ({"question": "Question 1", "weight": 0.5}, "test"),
        ({"question": "Question 2", "weight": None}, "test"),
    ]
    kept = await desk.parts.datasets.row(desk.actor, dataset, captured.page.rows[0].row_id)
    origin = dict(kept.rows[0].origin or {})
    assert origin.pop("at")
    assert origin == {"trace_id": origins[0].trace_id, "span_id": origins[0].span_id, "by": desk.actor.name}
    newest = (await desk.parts.datasets.versions(desk.actor, dataset, PageRequest(1))).items[0]
    assert (newest.number, newest.change, newest.added) == (2, Change.CAPTURED, 2)


async def test_a_trace_that_gives_no_row_is_told_and_the_others_are_kept(desk: Desk) -> None:
    dataset = await _dataset(desk)
    gone, odd = Origin("f" * 32), _plant(desk, 1, weight="heavy")
    good = _plant(desk, 2)
    captured = await desk.parts.captures.capture(
        desk.actor, dataset, CaptureRequest(COLUMNS, [gone, odd, good]), _soon()
    )
    assert len(captured.page.rows) == 1
    assert [(one.origin, one.reason) for one in captured.skipped] == [
        (gone, "no datasource of the project has this trace"),
        (odd, "weight: the cell has to be a number"),
    ]


async def test_where_no_trace_gives_a_row_there_is_no_version(desk: Desk) -> None:
    dataset = await _dataset(desk)
    with pytest.raises(NothingCaptured) as refused:
        await desk.parts.captures.capture(desk.actor, dataset, CaptureRequest(COLUMNS, [Origin("f" * 32)]), _soon())
    assert refused.value.members["skipped"][0]["trace_id"] == "f" * 32
    assert (await desk.parts.datasets.get(desk.actor, dataset)).version == 1


async def test_a_search_is_captured_up_to_its_bound_and_says_that_there_is_more(
    migrated_database: MigratedDatabase,
) -> None:
    async with working(migrated_database, DatasetSettings(captures_max=2)) as desk:
        dataset = await _dataset(desk)
        origins = [_plant(desk, number) for number in (1, 2, 3)]
        desk.traces.answers = [_found(*origins[:2], following="more"), _found(*origins, matched=3)]
        search = SearchRequest("{ name = `chat` }", limit=100)
        request = CaptureRequest(COLUMNS, search=search)
        captured = await desk.parts.captures.capture(desk.actor, dataset, request, _soon())
        assert (len(captured.page.rows), captured.more) == (2, True)
        assert [(row.origin or {})["span_id"] for row in captured.page.rows] == [None, None]
        spans = await desk.parts.captures.capture(desk.actor, dataset, replace(request, each_span=True), _soon())
        assert [(row.origin or {})["span_id"] for row in spans.page.rows] == [one.span_id for one in origins[:2]]
        assert spans.more
        assert desk.traces.asked[0][1].limit == 2
        with pytest.raises(DatasetLimit):
            await desk.parts.captures.capture(desk.actor, dataset, CaptureRequest(COLUMNS, origins), _soon())


async def test_capturing_needs_to_read_traces_and_the_own_project(desk: Desk) -> None:
    dataset = await _dataset(desk)
    request = CaptureRequest(COLUMNS, [_plant(desk, 1)])
    blind = replace(desk.actor, permissions=desk.actor.permissions - {TRACES_READ})
    with pytest.raises(NotAllowed):
        await desk.parts.captures.capture(blind, dataset, request, _soon())
    with pytest.raises(UnknownDataset):
        await desk.parts.captures.capture(await desk.colleague(), dataset, request, _soon())


@pytest.mark.parametrize("columns", [{}, {"other": "trace:input"}, {"question": "column:x"}, {"question": "trace:x"}],
                         ids=["none", "no-column", "no-place", "no-name"])  # fmt: skip
async def test_sources_that_cannot_be_read_are_named(desk: Desk, columns: dict[str, str]) -> None:
    dataset = await _dataset(desk)
    with pytest.raises(InvalidDataset):
        await desk.parts.captures.capture(desk.actor, dataset, CaptureRequest(columns, [_plant(desk, 1)]), _soon())
