"""One datasource within one question: everything that is asked of it goes through here, and waits its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import anyio
from anyio import Semaphore

from arcane.federation.source import Source
from arcane.federation.together import each
from arcane.federation.walk import Scanned
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.adapter import Adapter
from arcane.spi.errors import DatasourceError, TimedOut
from arcane.spi.metrics import MetricsAnswer, MetricsRequest
from arcane.spi.scan import Candidate, ScanRequest

_WARNINGS_KEPT = 100


class Gates:
    """How much is under way at once: in this process, and towards each datasource. Held only while one call lasts."""

    def __init__(self, concurrent: int) -> None:
        self.process = Semaphore(concurrent, fast_acquire=True)
        self._adapters: WeakKeyDictionary[Adapter, Semaphore] = WeakKeyDictionary()

    def of(self, adapter: Adapter) -> Semaphore:
        """Returns the gate of one datasource, shared by all questions; an adapter may learn how wide it may be."""
        most = max(1, adapter.capabilities.concurrency)
        gate = self._adapters.get(adapter)
        if gate is None or gate.max_value != most:
            gate = self._adapters[adapter] = Semaphore(most, max_value=most, fast_acquire=True)
        return gate


@dataclass(slots=True)
class Asking:
    """Asks `source` for one question, within its deadline; remembers what the answers warned of."""

    source: Source
    deadline: Deadline
    gates: Gates
    warnings: dict[str, None] = field(default_factory=dict)
    lookup_error: DatasourceError | None = None
    """Why traces could not be looked up here for other datasources; after the first failure nobody tries again."""
    early: Callable[[Sequence[Candidate]], None] | None = None
    """Is told of each page of a scan as it comes, before the scan is through."""
    overall: Deadline | None = None
    patience_s: float = 0.0

    def renew(self) -> None:
        """The datasource has its share of time again, within the deadline of the whole answer."""
        if self.overall is not None:
            self.deadline = self.overall.within(self.patience_s)

    async def scan(self, request: ScanRequest) -> Scanned:
        """Returns everything one scan gives. A fault is part of the answer, with what came before it."""
        candidates: list[Candidate] = []
        complete = False
        adapter = self.source.adapter
        try:
            async with (
                self.gates.of(adapter),
                self.gates.process,
                aclosing(adapter.scan(request, self.deadline)) as pages,
            ):
                async for page in pages:
                    candidates.extend(page.candidates)
                    complete = page.complete
                    if page.warnings:
                        self._warn(page.warnings)
                    if self.early is not None:
                        self.early(page.candidates)
        except DatasourceError as exc:
            return Scanned(candidates, complete=False, error=exc)
        return Scanned(candidates, complete)

    def _warn(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            if len(self.warnings) < _WARNINGS_KEPT:
                self.warnings[warning] = None

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None) -> Trace | None:
        """Returns what the datasource has of the trace; raises DatasourceError."""
        adapter = self.source.adapter
        async with self.gates.of(adapter), self.gates.process:
            return await adapter.get_trace(trace_id, within, self.deadline)

    async def metrics(self, request: MetricsRequest) -> MetricsAnswer | None:
        """Returns what the datasource measured; None where it leaves that to Arcane. Raises DatasourceError."""
        adapter = self.source.adapter
        async with self.gates.of(adapter), self.gates.process:
            return await adapter.metrics(request, self.deadline)

    async def look_up(self, trace_id: TraceId) -> Trace | None:
        """Returns what the datasource has of another one's trace; None, once and for all, after a fault."""
        adapter = self.source.adapter
        try:
            with anyio.fail_after(self.deadline.remaining()):
                async with self.gates.of(adapter), self.gates.process:
                    if self.lookup_error is None:
                        return await adapter.get_trace(trace_id, None, self.deadline)
        except DatasourceError as exc:
            self.lookup_error = exc
        except TimeoutError:
            self.lookup_error = TimedOut()
        return None


async def look_up_all(askings: Sequence[Asking], trace_id: TraceId) -> list[Trace]:
    """Returns the parts of the trace that the datasources have, asked all at once, in the order of `askings`."""
    parts: list[Trace | None] = [None] * len(askings)

    async def look_up(index: int) -> None:
        parts[index] = await askings[index].look_up(trace_id)

    await each(look_up, range(len(askings)))
    return [part for part in parts if part is not None]
