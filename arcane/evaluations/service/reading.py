"""Traces read for jobs, now, with the eyes of whoever made the evaluation. Nothing of them is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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

_AROUND = 3_600 * NANOS_PER_SECOND


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
