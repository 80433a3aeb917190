"""A live adapter as the catalog hands it out: what it answers is remembered, and it is closed when nobody needs it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import Any, TypeVar

import anyio

from arcane.catalog.health import HealthRecord
from arcane.model.deadline import Deadline
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.adapter import Adapter
from arcane.spi.capabilities import Capabilities
from arcane.spi.described import SentRequest
from arcane.spi.errors import DatasourceError, Unreachable
from arcane.spi.metrics import MetricsAnswer, MetricsRequest
from arcane.spi.scan import AttributeName, AttributeQuery, AttributeValueCount, Health, ScanPage, ScanRequest
from arcane.traceql.ast import Field

T = TypeVar("T")


class ObservedAdapter(Adapter):
    """An Adapter that passes everything on, counts calls under way and keeps the health record."""

    def __init__(self, inner: Adapter, health: HealthRecord, on_close: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._health = health
        self._on_close = on_close
        self._running = 0
        self._idle: anyio.Event | None = None
        self._closed = False
        self.last_used = time.monotonic()

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override] # an adapter may learn what its backend can do
        return self._inner.capabilities

    @property
    def busy(self) -> bool:
        """True while a call is under way."""
        return self._running > 0

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        with self._observed(deadline) as answered:
            started = time.monotonic()
            async with aclosing(self._inner.scan(request, deadline)) as pages:
                async for page in pages:
                    if started:
                        answered(time.monotonic() - started)
                        started = 0.0
                    yield page
            if started:
                answered(time.monotonic() - started)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return await self._timed(self._inner.get_trace(trace_id, within, deadline), deadline)

    async def check(self, deadline: Deadline) -> Health:
        """See Adapter.check. A person wants to know now, so it is asked also while others wait."""
        return await self._timed(self._inner.check(deadline), deadline, always=True)

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        return await self._timed(self._inner.attribute_names(query, deadline), deadline)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        return await self._timed(self._inner.attribute_values(field, query, deadline), deadline)

    async def metrics(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        started = time.monotonic()
        with self._observed(deadline) as answered:
            found = await self._inner.metrics(request, deadline)
            if found is not None:  # None: it was not asked
                answered(time.monotonic() - started)
        return found

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        return self._inner.describe(request, whole=whole)

    def describe_metrics(self, request: MetricsRequest) -> tuple[SentRequest, ...] | None:
        return self._inner.describe_metrics(request)

    async def until_idle(self) -> None:
        """Returns once no call is under way."""
        while self._running:
            self._idle = self._idle or anyio.Event()
            await self._idle.wait()

    async def aclose(self) -> None:
        """Frees the adapter and its connections, once; calls that come later fail."""
        if not self._closed:
            self._closed = True
            await self._on_close()

    async def _timed(self, answer: Coroutine[Any, Any, T], deadline: Deadline, *, always: bool = False) -> T:
        started = time.monotonic()
        with closing(answer), self._observed(deadline, always=always) as answered:
            found = await answer
            answered(time.monotonic() - started)
        return found

    @contextmanager
    def _observed(self, deadline: Deadline, *, always: bool = False) -> Iterator[Callable[[float], None]]:
        """Counts a call as under way; what it yields is told when there is an answer. May raise CircuitOpen."""
        if self._closed:
            raise Unreachable("the datasource was changed or removed meanwhile; ask again")
        self._running += 1
        try:
            with self._health.call(deadline, always=always) as answered:
                yield answered
        finally:
            self._running -= 1
            self.last_used = time.monotonic()
            if not self._running and self._idle is not None:
                self._idle.set()
                self._idle = None


class BrokenAdapter(Adapter):
    """Stands in for an adapter that could not be made: every question is answered with the reason."""

    capabilities = Capabilities()

    def __init__(self, error: DatasourceError) -> None:
        self.error = error

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        for page in self._refused():
            yield page

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        raise self._again()

    async def check(self, deadline: Deadline) -> Health:
        raise self._again()

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        raise self._again()

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        raise self._again()

    def _refused(self) -> Iterator[ScanPage]:
        raise self._again()

    def _again(self) -> DatasourceError:
        """A new exception each time: one that is raised twice collects tracebacks."""
        return type(self.error)(self.error.message)
