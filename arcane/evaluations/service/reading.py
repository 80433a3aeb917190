"""Traces read for jobs, now, with the eyes of whoever made the evaluation. Nothing of them is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from uuid import UUID

from arcane.access.permissions import TRACES_READ
from arcane.datasets.fields import Judged, NoSuchSpan
from arcane.datasets.sources import Scope
from arcane.evaluations.repository.results import Work
from arcane.evaluations.service.wanting import Wanted, wanted_of
from arcane.evaluations.tables import Evaluation, EvaluationScore
from arcane.kit.actor import Actor, ActorKind
from arcane.messaging.jobs import Failed
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import EvaluationSettings
from arcane.traces.one_by_one import Reading, Traces, Unread, read_each

NOT_THEIRS: Final = "whoever made the evaluation may not read the traces of this project any more"
_AROUND = 3_600 * NANOS_PER_SECOND


class Rights(Protocol):
    """Who knows what somebody may do by now."""

    async def now(self, then: Actor) -> Actor | None:
        """Returns the actor as they are now at their place; None for one who is a stranger there."""
        ...


@dataclass(frozen=True, slots=True)
class Readers:
    """With whose eyes traces are read: the roles that whoever made an evaluation has by now decide what is hidden."""

    rights: Rights

    async def of(self, evaluation: Evaluation) -> Actor | None:
        """Returns who reads for the evaluation; None where they may not any more."""
        reader = evaluation.reader
        then = Actor(
            ActorKind(reader.get("kind", ActorKind.USER)),
            UUID(reader["id"]),
            reader["name"],
            frozenset({TRACES_READ}),
            evaluation.organisation_id,
            evaluation.project_id,
            frozenset(map(UUID, reader["roles"])),
        )
        found = await self.rights.now(then)
        if found is None or not found.may(TRACES_READ):
            return None
        return replace(found, permissions=then.permissions)


def reader_of(actor: Actor) -> dict[str, Any]:
    """Returns what an evaluation keeps of whoever makes it."""
    roles = sorted(map(str, actor.role_ids))
    return {"kind": actor.kind.value, "id": str(actor.id), "name": actor.name, "roles": roles}


@dataclass(frozen=True, slots=True)
class TraceReader:
    """Reads what jobs are about."""

    traces: Traces
    readers: Readers
    settings: EvaluationSettings

    async def inputs(
        self, evaluation: Evaluation, work: Sequence[Work], scores: Sequence[EvaluationScore]
    ) -> dict[UUID, Mapping[str, Any] | Failed]:
        """Returns the variables of each job; a trace that several jobs are about is read once."""
        actor = await self.readers.of(evaluation)
        if actor is None:
            return {one.job: Failed(error=NOT_THEIRS, retry=False) for one in work}
        deadline = Deadline.after(self.settings.read_timeout_s)
        wanted = {score.score_id: wanted_of(score, Scope.TRACES) for score in scores}
        by_trace: dict[str, list[Work]] = {}
        for one in work:
            by_trace.setdefault(one.subject.trace_id or "", []).append(one)
        at = {trace_id: _around(about[0].subject.time_ns or 0) for trace_id, about in by_trace.items()}
        traces = await read_each(self.traces, at, Reading(actor, deadline, self.settings.reads_at_once))
        return {
            one.job: _values(traces[trace_id], one, wanted[one.score_id])
            for trace_id, about in by_trace.items()
            for one in about
        }


def _around(time_ns: int) -> TimeRange:
    return TimeRange(max(0, time_ns - _AROUND), time_ns + _AROUND)


def _values(trace: Trace | Unread, work: Work, wanted: Wanted) -> Mapping[str, Any] | Failed:
    if isinstance(trace, Unread):
        return Failed(error=trace.reason, retry=trace.later)
    try:
        judged = Judged(trace, work.subject.span_id or "")
    except NoSuchSpan:
        return Failed(error="the trace has no such span any more", retry=False)
    return wanted.given({name: judged.value(source) for name, source in wanted.sources.items()})
