"""Rows captured from traces: read now, through the one pipeline that everybody reads through, and kept with origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from arcane.access.permissions import TRACES_READ
from arcane.datasets.captures import (
    Captured,
    CaptureRequest,
    Listed,
    NothingSaid,
    Origin,
    Skipped,
    Taken,
    values_of,
)
from arcane.datasets.checking import checked_split
from arcane.datasets.columns import Column
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.problems import DatasetLimit, InvalidDataset, NothingCaptured
from arcane.datasets.service.datasets import DatasetService
from arcane.datasets.service.rows import added
from arcane.datasets.sources import BadSource, Scope, Source, read_source
from arcane.datasets.views import Change, RowDraft, RowsPage
from arcane.kit.actor import Actor
from arcane.kit.problems import NotAllowed
from arcane.model.deadline import Deadline
from arcane.settings import DatasetSettings
from arcane.traces.one_by_one import Reading, Unread, read_each
from arcane.traces.one_by_one import Traces as ReadTraces
from arcane.traces.questions import SearchAnswer, SearchRequest

_NAMED_MOST = 20
"""Skipped traces that a problem names."""


class Traces(ReadTraces, Protocol):
    """Where traces are searched, too."""

    async def search(self, actor: Actor, request: SearchRequest, deadline: Deadline) -> SearchAnswer:
        """Returns a page of hits."""
        ...


@dataclass(frozen=True, slots=True)
class CaptureService:
    """Every method takes the actor whose project is meant; it reads with that actor's eyes."""

    datasets: DatasetService
    traces: Traces

    async def capture(self, actor: Actor, dataset_id: UUID, request: CaptureRequest, deadline: Deadline) -> Captured:
        """Returns the new rows, and what gave none; raises NothingCaptured where none did, and what `take` raises."""
        pinned = await self._pinned(actor, dataset_id)
        taken = await self.take(actor, pinned.columns, request, deadline)
        if not taken.rows:
            raise NothingCaptured(
                taken.skipped[0].reason if taken.skipped else "the search finds no trace",
                skipped=[
                    {"trace_id": one.origin.trace_id, "span_id": one.origin.span_id or None, "reason": one.reason}
                    for one in taken.skipped[:_NAMED_MOST]
                ],
            )
        return Captured(await self._store(actor, dataset_id, taken, request.split), taken.skipped, taken.more)

    async def take(self, actor: Actor, columns: Sequence[Column], request: CaptureRequest, deadline: Deadline) -> Taken:
        """Returns what the traces give; nothing is stored. Raises InvalidDataset for sources that cannot be read,
        DatasetLimit, NotAllowed, and what searching raises.
        """
        if not actor.may(TRACES_READ):
            raise NotAllowed("capturing rows needs the permission to read traces", permission=TRACES_READ)
        checked_split(request.split)
        wanted = _wanted(columns, request.columns)
        listed = await self.listed(actor, request, deadline)
        reading = Reading(actor, deadline, self._limits.captures_at_once)
        traces = await read_each(self.traces, {one.trace_id: listed.within for one in listed.origins}, reading)
        rows: list[tuple[Origin, Mapping[str, Any]]] = []
        skipped: list[Skipped] = []
        for origin in listed.origins:
            trace = traces[origin.trace_id]
            try:
                if isinstance(trace, Unread):
                    raise NothingSaid(trace.reason)
                rows.append((origin, values_of(trace, origin, wanted, self._limits.cell_bytes_max)))
            except NothingSaid as exc:
                skipped.append(Skipped(origin, str(exc)))
        return Taken(rows, skipped, listed.more)

    async def listed(self, actor: Actor, request: CaptureRequest, deadline: Deadline) -> Listed:
        """Returns what is to be captured; raises DatasetLimit, and what searching raises."""
        most = self._limits.captures_max
        if request.search is None:
            origins = list(dict.fromkeys(request.origins))
            if not 0 < len(origins) <= most:
                raise DatasetLimit(f"one capture takes 1 to {most} traces or spans")
            return Listed((), origins, request.within)
        limit = min(most, request.search.limit or most)
        search = replace(request.search, limit=limit, spans_per_trace=self._limits.captured_spans_max)
        answer = await self.traces.search(actor, search, deadline)
        hits = [one.hit for one in answer.found]
        if request.each_span:
            origins = [Origin(hit.trace_id, span.span_id) for hit in hits for span in hit.spans]
            short = any(hit.matched > len(hit.spans) for hit in hits)
        else:
            origins, short = [Origin(hit.trace_id) for hit in hits], False
        more = short or answer.next is not None or len(origins) > limit
        return Listed(answer.found, origins[:limit], search.within, more)

    async def _store(self, actor: Actor, dataset_id: UUID, taken: Taken, split: str) -> RowsPage:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        origins: list[dict[str, object] | None] = [
            {"trace_id": one.trace_id, "span_id": one.span_id or None, "by": actor.name, "at": at}
            for one, _ in taken.rows
        ]
        maker = self.datasets.maker
        async with maker.making(actor, dataset_id, Change.CAPTURED) as draft:
            made = added(draft, [RowDraft(values, split) for _, values in taken.rows], maker, origins)
            await draft.rows.add(made)
        return RowsPage(draft.base, made, None)

    async def _pinned(self, actor: Actor, dataset_id: UUID) -> PinnedDataset:
        async with self.datasets.maker.database.transaction(actor.tenant) as session:
            return await self.datasets.pin(session, actor, dataset_id)

    @property
    def _limits(self) -> DatasetSettings:
        return self.datasets.maker.limits


def _wanted(columns: Sequence[Column], sources: Mapping[str, str]) -> list[tuple[Column, Source]]:
    """Returns the columns that are filled, with what fills them; raises InvalidDataset."""
    by_name = {column.name: column for column in columns}
    wanted = []
    for name, text in sources.items():
        if name not in by_name:
            raise InvalidDataset("the dataset has no column of that name", column=name)
        try:
            wanted.append((by_name[name], read_source(text, Scope.TRACES)))
        except BadSource as exc:
            raise InvalidDataset(f"{name}: {exc}", column=name) from None
    if not wanted:
        raise InvalidDataset("a capture fills at least one column")
    return wanted
