"""One datasource's part of a metrics question, from its first request to its row in `sources[]`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import anyio
import anyio.lowlevel

from arcane.federation.asking import Asking, look_up_all
from arcane.federation.metrics_measure import Measured, MetricsBounds, Reading, Seen, merge_measured, nothing
from arcane.federation.metrics_plan import Hindrance, MeasurePlan
from arcane.federation.run import WARNINGS_MAX, error_of
from arcane.federation.together import each
from arcane.federation.verify import joined
from arcane.federation.walk import Bounds, Walk
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.model.series import Steps
from arcane.model.time import datetime_of
from arcane.model.trace import Trace
from arcane.spi.described import SentRequest
from arcane.spi.errors import DatasourceError, TimedOut, Unsupported
from arcane.spi.metrics import MetricsRequest
from arcane.spi.scan import Candidate
from arcane.traceql.ast import Field
from arcane.traceql.metrics_state import MEASURE_OF

_AT_ONCE = 200
"""Traces of one scan: what is in memory of a datasource at a time."""


@dataclass(slots=True)
class Together:
    """What the datasources of one question share for one measurement."""

    askings: Sequence[Asking]
    seen: Seen
    traces: set[TraceId] = field(default_factory=set)
    """Put together and measured already, or under way."""


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement, as one datasource takes part in it."""

    plan: MeasurePlan
    together: Together


@dataclass(slots=True)
class MetricsRun:
    """Measures in one datasource until its spans are counted, or it fails; what it has counted by then is kept."""

    asking: Asking
    tasks: Sequence[Task]
    steps: Steps
    bounds: MetricsBounds
    walked: Bounds
    state: dict[int, Measured] = field(default_factory=dict)
    """Number of the task -> what was measured."""
    error: DatasourceError | None = None
    elapsed_ms: float = 0.0
    errors: int = 0
    answered: set[int] = field(default_factory=set)
    """Numbers of the tasks that the datasource measured itself."""
    withdrawn: bool = False
    """Spans that were counted here are not any more, and others that hold them as well passed them over."""
    _vanished: int = 0
    _gaps: int = 0
    _down_to: int | None = None
    _looked_at: int = 0

    async def measure(self) -> None:
        """Returns once everything is measured; what went wrong is in `error`."""
        started = time.perf_counter()
        try:
            with anyio.move_on_after(self.asking.deadline.remaining()) as scope:
                for number, task in enumerate(self.tasks):
                    await self._measure(number, task)
            if scope.cancelled_caught:
                self.error = TimedOut()
        except DatasourceError as exc:
            self.error = exc
        if self.error is not None and len(self.tasks) > 1:
            self.withdrawn = any(_is_something(one) for at, one in self.state.items() if at not in self.answered)
            self.state.clear()  # a ratio of which one side is there in part would be wrong
        self.elapsed_ms = (time.perf_counter() - started) * 1_000

    async def _measure(self, number: int, task: Task) -> None:
        if task.plan.pushed:
            measured = await self._ask(task)
            if measured is not None:
                self.state[number] = measured
                self.answered.add(number)
                return
        await self._read(number, task)

    def describe(self, task: Task) -> tuple[SentRequest, ...] | None:
        """Returns what the datasource would be sent at first; None where it is known that it will not measure."""
        adapter = self.asking.source.adapter
        if task.plan.pushed:
            return adapter.describe_metrics(self._request(task))
        opening = self._walk(task).opening(_AT_ONCE)
        whole = task.plan.whole_traces or not adapter.capabilities.whole_traces
        return adapter.describe(opening, whole=whole) if opening else ()

    def unmeasured(self, task: Task) -> Task:
        """Returns the task as it goes on where the datasource leaves it to Arcane."""
        return replace(task, plan=replace(task.plan, hindrance=Hindrance.UNSUPPORTED))

    def _request(self, task: Task) -> MetricsRequest:
        metrics = task.plan.measurement.metrics
        return MetricsRequest(
            self.steps,
            MEASURE_OF[metrics.kind],
            task.plan.scan.pushed,
            metrics.of if isinstance(metrics.of, Field) else None,
            metrics.by,
            self.bounds.series,
            exemplars=self.bounds.exemplars > 0,
        )

    def _walk(self, task: Task) -> Walk:
        within, capabilities = self.steps.within, self.asking.source.adapter.capabilities
        begin = (within.end + 1, "")
        return Walk(self.asking.scan, capabilities, task.plan.scan.pushed, within, self.walked, begin, 1, whole=True)

    async def _ask(self, task: Task) -> Measured | None:
        try:
            answer = await self.asking.metrics(self._request(task))
        except Unsupported:
            return None
        if answer is None:
            return None
        self.asking.warnings.update(dict.fromkeys(answer.warnings))
        # Merging keeps an adapter within the bound, whatever it returned.
        kept = nothing(task.plan.measurement)
        merge_measured(kept, answer.states, self.bounds.series)
        return kept

    async def _read(self, number: int, task: Task) -> None:
        reading = Reading(task.plan.measurement, self.steps, self.bounds, task.together.seen)
        self.state[number] = reading.state
        capabilities = self.asking.source.adapter.capabilities
        walk = self._walk(task)
        try:
            while not walk.ended:
                for batch in _chunks(await walk.step(_AT_ONCE), max(8, capabilities.concurrency)):
                    await self._add(batch, reading, task)
                    await anyio.lowlevel.checkpoint()
        finally:
            self.errors += reading.errors
            self._note(walk)
        if walk.error is not None:
            raise walk.error

    def _note(self, walk: Walk) -> None:
        self._gaps += walk.gaps
        self._looked_at += walk.looked_at
        if walk.stopped and walk.frontier is not None:
            self._down_to = max(self._down_to or 0, walk.frontier[0])

    async def _add(self, batch: Sequence[Candidate], reading: Reading, task: Task) -> None:
        if not task.plan.whole_traces:
            for trace in [one.trace for one in batch if one.trace is not None]:
                reading.add(trace)
            batch = [one for one in batch if one.trace is None]

        async def add(candidate: Candidate) -> None:
            trace = await (self._whole(candidate, task) if task.plan.whole_traces else self._own(candidate))
            if trace is not None:
                reading.add(trace)

        await each(add, batch)

    async def _own(self, candidate: Candidate) -> Trace | None:
        if candidate.trace is not None:
            return candidate.trace
        trace = await self.asking.get_trace(candidate.trace_id, None)
        self._vanished += trace is None
        return trace

    async def _whole(self, candidate: Candidate, task: Task) -> Trace | None:
        """Returns the trace as all datasources have it; None where that was done for another one's part of it."""
        trace_id = candidate.trace_id
        if trace_id in task.together.traces:
            return None
        task.together.traces.add(trace_id)
        try:
            own = await self._own(candidate)
        except DatasourceError:
            task.together.traces.discard(trace_id)  # another datasource may still bring its part
            raise
        others = await look_up_all([one for one in task.together.askings if one is not self.asking], trace_id)
        return joined(trace_id, [own, *others] if own is not None else others)

    def outcome(self, rows: int, notes: Sequence[str] = ()) -> SourceOutcome:
        """Returns the row in `sources[]`; `rows` is how many series it contributed to."""
        source, missing = self.asking.source, self._missing()
        tasks = list(enumerate(self.tasks))
        pushed = [task.plan.text if at in self.answered else task.plan.scan.pushed_text for at, task in tasks]
        kept = [task.plan.text for at, task in tasks if at not in self.answered]
        return SourceOutcome(
            source.id,
            source.name,
            source.kind,
            self._status(bool(missing)),
            rows,
            round(self.elapsed_ms, 3),
            _listed([one for one in pushed if one is not None]),
            _listed(kept),
            (*missing, *self._notes(), *notes)[:WARNINGS_MAX],
            error_of(self.error) if self.error is not None else None,
        )

    @property
    def failed(self) -> bool:
        """True when it gave nothing, and not because there is nothing."""
        return self.error is not None and not any(_is_something(one) for one in self.state.values())

    def _status(self, is_missing_some: bool) -> SourceStatus:
        if self.error is not None:
            return SourceStatus.FAILED if self.failed else SourceStatus.PARTIAL
        if self._gaps or self._down_to is not None:
            return SourceStatus.APPROXIMATE
        return SourceStatus.PARTIAL if is_missing_some else SourceStatus.OK

    def _missing(self) -> list[str]:
        found: list[str] = list(self.asking.warnings)
        if self._vanished:
            found.append(Notice("%(count)d traces were found and could not be read afterwards.", count=self._vanished))
        if self.asking.lookup_error is not None:
            why = error_of(self.asking.lookup_error).message
            found.append(Notice("Parts of other datasources' traces could not be looked up here: %(why)s", why=why))
        return found

    def _notes(self) -> list[str]:
        found: list[str] = []
        if self._down_to is not None:
            until = datetime_of(self._down_to).strftime("%Y-%m-%dT%H:%M:%SZ")
            found.append(
                Notice(
                    "Stopped after reading %(count)d traces: what began before %(time)s is not counted.",
                    count=self._looked_at,
                    time=until,
                )
            )
        if self._gaps:
            found.append(
                Notice("More traces began at one instant than one request may return; some of them are missing.")
            )
        if self.errors:
            found.append(
                Notice(
                    "%(count)d spans had no value for the condition (a division by zero, for instance) "
                    "and are not counted.",
                    count=self.errors,
                )
            )
        return found


def _is_something(measured: Measured) -> bool:
    series = getattr(measured, "series", None)
    return bool(series) if series is not None else any(getattr(measured, "sides", {}).values())


def _listed(texts: Sequence[str]) -> str | None:
    return "; ".join(dict.fromkeys(texts)) or None


def _chunks(batch: Sequence[Candidate], size: int) -> list[Sequence[Candidate]]:
    return [batch[start : start + size] for start in range(0, len(batch), size)]
