"""Capturing rows of datasets from traces, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status
from pydantic import ConfigDict, Field, model_validator

from arcane.datasets.captures import Captured, CaptureRequest, Origin, Skipped
from arcane.datasets.endpoints import Parts, RowAdder, in_project
from arcane.datasets.schemas import Name, RowOut, RowsOut, SplitName
from arcane.kit.http import deadline_of
from arcane.kit.schema import Schema
from arcane.model.time import TimeRange
from arcane.traces.questions import SearchRequest
from arcane.traces.schemas import End, Start
from arcane.traces.service import TraceService

router = APIRouter(
    prefix="/projects/{project_id}/datasets/{dataset_id}/captures",
    tags=["datasets"],
    dependencies=[Depends(in_project)],
)
Hex = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]+$")]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class OriginIn(_In):
    """A trace, or one span of it."""

    trace_id: Annotated[Hex, Field(max_length=32, examples=["4bf92f3577b34da6a3ce929d0e0e4736"])]
    span_id: Annotated[Hex | None, Field(max_length=16, description="The whole trace, where it is left out.")] = None

    def origin(self) -> Origin:
        """Returns it as the service takes it."""
        return Origin(self.trace_id.lower().zfill(32), (self.span_id or "").lower())


class CapturedSearchIn(_In):
    """The newest traces that a query finds."""

    query: Annotated[str, Field(max_length=32_768, examples=['{ resource.service.name = "assistant" }'])]
    datasource_ids: Annotated[list[UUID], Field(max_length=16, description="All, where it is left out.")] = []
    start: Start = None
    end: End = None
    limit: Annotated[int, Field(ge=1, le=500, description="Most rows; the instance may allow fewer.")] = 100
    each_span: Annotated[bool, Field(description="A row for each span that matches, not one for each trace.")] = False

    def wanted(self, within: TimeRange | None) -> SearchRequest:
        """Returns it as the service takes it."""
        return SearchRequest(self.query, tuple(map(str, self.datasource_ids)), within, limit=self.limit)


class CaptureIn(_In):
    """Which traces become rows, and what of them: `traces` by name, or those that a `search` finds."""

    columns: Annotated[
        dict[Name, Annotated[str, Field(max_length=1_000)]],
        Field(
            min_length=1,
            max_length=200,
            description="Where the value of each column comes from: see the reference of mappings.",
            examples=[{"question": "trace:input", "answer": "trace:output", "model": "span:gen_ai.request.model"}],
        ),
    ]
    traces: Annotated[list[OriginIn], Field(max_length=500)] = []
    search: CapturedSearchIn | None = None
    split: SplitName = ""

    @model_validator(mode="after")
    def _one_way(self) -> CaptureIn:
        if bool(self.traces) == (self.search is not None):
            raise ValueError("a capture names traces, or has a search")
        return self

    def wanted(self, traces: TraceService) -> CaptureRequest:
        """Returns it as the service takes it; raises ReversedTimeRange."""
        if self.search is None:
            return CaptureRequest(self.columns, tuple(one.origin() for one in self.traces), split=self.split)
        within = traces.time_range(self.search.start, self.search.end)
        return CaptureRequest(
            self.columns, search=self.search.wanted(within), each_span=self.search.each_span, split=self.split
        )


class SkippedOut(Schema):
    """A trace that no row was made of."""

    trace_id: str
    span_id: str | None
    reason: str

    @classmethod
    def of(cls, one: Skipped) -> SkippedOut:
        """Returns what is said of it."""
        return cls(trace_id=one.origin.trace_id, span_id=one.origin.span_id or None, reason=one.reason)


class CapturedOut(RowsOut):
    """The new rows. `more` says that the search found more than one request captures."""

    skipped: list[SkippedOut]
    more: bool

    @classmethod
    def made(cls, captured: Captured) -> CapturedOut:
        """Returns the answer."""
        page = captured.page
        return cls(
            version=page.dataset.version,
            items=[RowOut.of(page.dataset, row) for row in page.rows],
            next=None,
            skipped=[SkippedOut.of(one) for one in captured.skipped],
            more=captured.more,
        )


@router.post("", status_code=status.HTTP_201_CREATED)
async def capture_dataset_rows(
    request: Request, dataset_id: UUID, body: CaptureIn, parts: Parts, actor: RowAdder
) -> CapturedOut:
    """Adds rows made of traces as they are now, as far as you may see them; needs `traces:read` as well."""
    wanted = body.wanted(request.app.state.traces)
    return CapturedOut.made(await parts.captures.capture(actor, dataset_id, wanted, deadline_of(request)))
