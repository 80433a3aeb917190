"""Traces read for jobs, now, with the eyes of whoever made the evaluation. Nothing of them is kept.

They come through the one pipeline that everybody reads through: project scope, redaction, LLM view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import anyio

from arcane.datasets.fields import Judged, NoSuchSpan
from arcane.datasets.sources import Scope
from arcane.evaluations.repository.results import Work
from arcane.evaluations.service.wanting import Wanted, wanted_of
from arcane.evaluations.tables import Evaluation, EvaluationScore
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.problems import NotFound, Problem
from arcane.messaging.jobs import Failed
from arcane.model.deadline import Deadline
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.settings import EvaluationSettings
from arcane.traces.problems import TraceUncertain
from arcane.traces.questions import TraceAnswer

_AROUND = 3_600 * NANOS_PER_SECOND


class Traces(Protocol):
    """Where traces are read."""

    async def trace(
        self, actor: Actor, trace_id: str, deadline: Deadline, within: TimeRange | None = None
    ) -> TraceAnswer:
        """Returns the trace as the actor may see it; raises the problems of one that cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class TraceReader:
    """Reads what jobs are about."""

    traces: Traces
    settings: EvaluationSettings

    async def inputs(
        self, evaluation: Evaluation, work: Sequence[Work], scores: Sequence[EvaluationScore]
    ) -> dict[UUID, Mapping[str, Any] | Failed]:
        """Returns the variables of each job; a trace that several jobs are about is read once."""
        actor = reader_of(evaluation)
        deadline = Deadline.after(self.settings.read_timeout_s)
        wanted = {score.score_id: wanted_of(score, Scope.TRACES) for score in scores}
        by_trace: dict[str, list[Work]] = {}
        for one in work:
            by_trace.setdefault(one.subject.trace_id or "", []).append(one)
        found: dict[UUID, Mapping[str, Any] | Failed] = {}
        limiter = anyio.CapacityLimiter(self.settings.reads_at_once)

        async def read(trace_id: str, about: list[Work]) -> None:
            async with limiter:
                trace = await self._trace(actor, trace_id, about[0].subject.time_ns or 0, deadline)
            for one in about:
                found[one.job] = _values(trace, one, wanted[one.score_id])

        async with anyio.create_task_group() as group:
            for trace_id, about in by_trace.items():
                group.start_soon(read, trace_id, about)
        return found

    async def _trace(self, actor: Actor, trace_id: str, time_ns: int, deadline: Deadline) -> Trace | Failed:
        around = TimeRange(max(0, time_ns - _AROUND), time_ns + _AROUND)
        try:
            answer = await self.traces.trace(actor, trace_id, deadline, around)
        except TraceUncertain:
            return Failed(error="a datasource that may have the trace did not answer", retry=True)
        except NotFound:
            return Failed(error="no datasource of the project has this trace any more", retry=False)
        except Problem as problem:
            return Failed(error=f"the trace could not be read: {type(problem).title.lower()}", retry=True)
        return answer.trace


def _values(trace: Trace | Failed, work: Work, wanted: Wanted) -> Mapping[str, Any] | Failed:
    if isinstance(trace, Failed):
        return trace
    try:
        judged = Judged(trace, work.subject.span_id or "")
    except NoSuchSpan:
        return Failed(error="the trace has no such span any more", retry=False)
    return wanted.given({name: judged.value(source) for name, source in wanted.sources.items()})


def reader_of(evaluation: Evaluation) -> Actor:
    """Returns with whose eyes traces are read: the roles of whoever made the evaluation decide what is hidden."""
    reader = evaluation.reader
    return Actor(
        ActorKind.SYSTEM,
        UUID(reader["id"]),
        reader["name"],
        frozenset({"traces:read"}),
        evaluation.organisation_id,
        evaluation.project_id,
        frozenset(map(UUID, reader["roles"])),
    )
