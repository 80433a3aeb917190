"""A worker at work: messages come in, their jobs are claimed in batches, run, and reported.

    messages -> inbox -> claim -> crew -> executor -> reports -> acknowledged

Nothing is acknowledged before the backend has its result, so that a worker may be killed at any point.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import msgspec
from anyio.abc import TaskGroup

from arcane.kit.logging import get_logger
from arcane.messaging.broker import BrokerError, Delivery
from arcane.messaging.jobs import (
    CLAIMED_AT_ONCE_MAX,
    ClaimAnswer,
    Claimed,
    JobNotice,
    JobResult,
    NotNow,
    Spec,
)
from arcane.model.deadline import Deadline
from worker.backend import BackendRefused, BackendUnreachable
from worker.crew import Crew, Held
from worker.desk import Desk, JobKeys
from worker.executors import Done, Executors, JobFailed, Work, tag_of
from worker.meters import AGAIN, DONE, FAILED, STOPPED, Meters
from worker.reporting import Reports, give_back, settle

log = get_logger("worker.shift")

_PAUSE_S = 0.5
_SPECS_KEPT = 200


@dataclass(slots=True)
class Shift:
    """Works on what `deliveries` brings, as long as `run` runs."""

    desk: Desk
    executors: Executors
    crew: Crew
    ahead: int
    meters: Meters = field(default_factory=Meters)
    held: dict[UUID, Held] = field(default_factory=dict)
    finished: int = 0
    failed: int = 0
    _inbox: list[Held] = field(default_factory=list)
    _changed: anyio.Event = field(default_factory=anyio.Event)
    _specs: dict[UUID, Spec] = field(default_factory=dict)
    _closing: bool = False
    _runs_changed: anyio.Event = field(default_factory=anyio.Event)
    _stopped: dict[UUID, NotNow] = field(default_factory=dict)
    _reports: Reports = field(init=False)

    def __post_init__(self) -> None:
        self._reports = Reports(self.desk, self._let_go)
        self.meters.watch(
            running=lambda: self.crew.running, waiting=lambda: self.crew.waiting, held=lambda: len(self.held)
        )

    async def run(self, deliveries: AsyncIterator[Delivery], *, grace_s: float, ending: anyio.Event) -> None:
        """Works until `ending` is set; then what runs is finished within `grace_s`, and the rest given back."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._receive, deliveries)
            group.start_soon(self._claim, group)
            group.start_soon(self._reports.run)
            group.start_soon(self._hear)
            await ending.wait()
            await self._close(grace_s)
            group.cancel_scope.cancel()
        log.info("shift_ended", finished=self.finished, failed=self.failed, given_back=len(self.held))

    async def _close(self, grace_s: float) -> None:
        self._closing = True
        unbegun = [*self._inbox, *self.crew.take_back()]
        self._inbox.clear()
        async with anyio.create_task_group() as group:
            for held in unbegun:
                group.start_soon(give_back, held)
        for held in unbegun:
            self._let_go(held)
        with anyio.move_on_after(grace_s):
            while self.held:
                self._changed = anyio.Event()
                await self._changed.wait()

    async def _receive(self, deliveries: AsyncIterator[Delivery]) -> None:
        async for delivery in deliveries:
            if self._closing:  # it goes back to the broker when we hang up
                continue
            try:
                notice = msgspec.json.decode(delivery.message.body, type=JobNotice)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                await self._reject(delivery)
                continue
            held = self.held.get(notice.job)
            if held is not None:
                held.deliveries.append(delivery)
                continue
            held = Held(notice.job, notice.run, [delivery])
            self.held[notice.job] = held
            self._inbox.append(held)
            self._changed.set()

    async def _reject(self, delivery: Delivery) -> None:
        log.error("message_unreadable", message_id=str(delivery.message.id))
        try:
            await delivery.reject("not a message about a job")
        except BrokerError as exc:
            log.info("message_not_settled", reason=type(exc).__name__)

    async def _claim(self, group: TaskGroup) -> None:
        while True:
            room = min(self.crew.at_once + self.ahead - self.crew.running - self.crew.waiting, CLAIMED_AT_ONCE_MAX)
            batch = self._inbox[: max(0, room)]
            if not batch or self._closing:
                self._changed = anyio.Event()
                await self._changed.wait()
                continue
            del self._inbox[: len(batch)]
            try:
                answer = await self.desk.claim([held.job for held in batch], list(self._specs))
            except (BackendUnreachable, BackendRefused) as exc:
                log.warning("jobs_not_claimed", jobs=len(batch), reason=str(exc))
                self._inbox[:0] = batch
                await anyio.sleep(_PAUSE_S)
                continue
            self._take(answer, batch, group)

    def _take(self, answer: ClaimAnswer, batch: Sequence[Held], group: TaskGroup) -> None:
        self._remember(answer.specs)
        claimed = {one.job: one for one in answer.claimed}
        for held in batch:
            one = claimed.get(held.job)
            if one is not None and self._closing:
                group.start_soon(self._give_back, held)
            elif one is not None and one.spec in self._specs:
                held.claimed, held.spec = one, self._specs[one.spec]
                self.meters.took(tag_of(held.spec))
                self.crew.add(one.organisation, held)
            elif held.job in answer.failed and answer.failed[held.job].retry:
                group.start_soon(self._settle, held, "inputs")
            elif one is not None:  # its spec was forgotten here while the claim was on its way
                self._inbox.append(held)
            else:
                group.start_soon(self._settle, held, None)
        self._runs_changed.set()
        self._begin(group)

    def _remember(self, specs: Mapping[UUID, Spec]) -> None:
        self._specs.update(specs)
        for oldest in list(self._specs)[: max(0, len(self._specs) - _SPECS_KEPT)]:
            if oldest not in specs:
                del self._specs[oldest]

    def _begin(self, group: TaskGroup) -> None:
        while not self._closing and (held := self.crew.next()) is not None:
            group.start_soon(self._work, held, group)

    async def _work(self, held: Held, group: TaskGroup) -> None:
        claimed, spec = held.claimed, held.spec
        assert claimed is not None  # noqa: S101 - only claimed jobs begin
        assert spec is not None  # noqa: S101 - and they have their spec
        began = time.monotonic()
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + claimed.deadline_s) as held.scope:
                outcome = await self._tried(spec, self._work_of(held, claimed))
            if held.scope.cancelled_caught:
                message = f"not done within {claimed.deadline_s:g} s"
                outcome = JobFailed.because("deadline", message, retry=True)
        finally:
            self.crew.finished(claimed.organisation)
        held.scope = None
        seconds = time.monotonic() - began
        self.meters.tried(tag_of(spec), _outcome(held, outcome), seconds)
        if held.stopped:
            await self._settle(held, None)
        else:
            self._report(held, outcome, seconds * 1000)
        self._begin(group)

    async def _tried(self, spec: Spec, work: Work) -> Done | JobFailed:
        try:
            return await self.executors.run(spec, work)
        except JobFailed as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 - whatever an executor did not foresee is a failed try, not our end
            log.error("job_broke", job=str(work.job), error=type(exc).__name__)
            return JobFailed.because("internal", f"the worker failed: {type(exc).__name__}", retry=True)

    def _work_of(self, held: Held, claimed: Claimed) -> Work:
        return Work(
            job=held.job,
            run=held.run,
            organisation=claimed.organisation,
            inputs=claimed.inputs,
            attempt=claimed.attempt,
            deadline=Deadline.after(claimed.deadline_s),
            keys=JobKeys(self.desk, held.job),
            traceparent=held.traceparent,
        )

    def _report(self, held: Held, outcome: Done | JobFailed, duration_ms: float) -> None:
        assert held.claimed is not None  # noqa: S101 - see _work
        attempt = held.claimed.attempt
        held.claimed = None
        if isinstance(outcome, Done):
            self.finished += 1
            held.result = JobResult(
                job=held.job,
                attempt=attempt,
                duration_ms=duration_ms,
                generated=outcome.generated,
                verdict=outcome.verdict,
            )
        else:
            self.failed += 1
            held.result = JobResult(
                job=held.job, attempt=attempt, duration_ms=duration_ms, error=outcome.error, final=not outcome.retry
            )
        self._reports.add(held)

    async def _settle(self, held: Held, again: str | None) -> None:
        await settle(held, again)
        self._let_go(held)

    async def _give_back(self, held: Held) -> None:
        await give_back(held)
        self._let_go(held)

    def _let_go(self, held: Held) -> None:
        self.held.pop(held.job, None)
        self._changed.set()

    async def _hear(self) -> None:
        """Runs that are stopped are heard of at once: the question is put again whenever there are other runs."""
        while True:
            runs = {held.run for held in self.held.values() if held.claimed is not None}
            self._runs_changed = anyio.Event()
            if not runs:
                await self._runs_changed.wait()
                continue
            self._stopped = {run: why for run, why in self._stopped.items() if run in runs}
            async with anyio.create_task_group() as group:
                group.start_soon(self._ask_again_when_changed, runs, group)
                await self._ask(runs)
                group.cancel_scope.cancel()

    async def _ask_again_when_changed(self, runs: set[UUID], group: TaskGroup) -> None:
        while {held.run for held in self.held.values() if held.claimed is not None} <= runs:
            self._runs_changed = anyio.Event()
            await self._runs_changed.wait()
        group.cancel_scope.cancel()

    async def _ask(self, runs: set[UUID]) -> None:
        try:
            stopped = await self.desk.stopped(sorted(runs), self._stopped)
        except (BackendUnreachable, BackendRefused) as exc:
            log.warning("control_not_heard", reason=str(exc))
            await anyio.sleep(_PAUSE_S)
            return
        self._stopped = dict(stopped)
        for run, why in stopped.items():
            self._stop(run, why)

    def _stop(self, run: UUID, why: NotNow) -> None:
        """What has not begun is claimed once more, and told what became of it; of what runs, a paused run's goes on."""
        unbegun = self.crew.take_back(run)
        for held in unbegun:
            held.claimed = None
        self._inbox += unbegun
        self._changed.set()
        if why is NotNow.HELD:
            return
        for held in list(self.held.values()):
            if held.run == run and held.scope is not None:
                held.stopped = True
                held.scope.cancel()


def _outcome(held: Held, outcome: Done | JobFailed) -> str:
    if held.stopped:
        return STOPPED
    if isinstance(outcome, Done):
        return DONE
    return AGAIN if outcome.retry else FAILED
