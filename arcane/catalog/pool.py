"""Live adapters: one for each version of a datasource's settings, made when first asked for, closed when not needed.

A changed datasource gets a new adapter at once; the old one answers who still holds it and is closed after
a grace. What cannot be made is handed out too: it answers every question with the reason, so that an answer names
the datasource instead of leaving it out (R4).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
from anyio.abc import TaskGroup, TaskStatus
from pydantic import BaseModel

from arcane.catalog.configure import stored_model
from arcane.catalog.health import HealthRecord
from arcane.catalog.observed import BrokenAdapter, ObservedAdapter
from arcane.catalog.registry import Registry
from arcane.catalog.tables import Datasource
from arcane.kit.egress import Egress, EgressSession
from arcane.kit.egress_retry import Backoff, RetryingSession
from arcane.kit.logging import get_logger
from arcane.kit.secrets import KeyRing
from arcane.model.notice import Notice
from arcane.settings import FileSettings, LimitSettings, ResilienceSettings
from arcane.spi.adapter import Adapter, AdapterContext, DatasourcePlugin
from arcane.spi.errors import DatasourceError, Misconfigured
from arcane.spi.http import HttpRequest, HttpResponse, HttpSession

log = get_logger("arcane.catalog")

_CLOSE_TIMEOUT_S = 5.0
_SWEEPS_A_LIFE = 4
_MOST_HEALTH_RECORDS = 10_000


class NoAddress:
    """The HttpSession of a datasource without a base URL."""

    async def send(self, _request: HttpRequest, _deadline: object) -> HttpResponse:
        """Raises Misconfigured."""
        raise Misconfigured("this datasource has no address to send requests to")

    def stream(self, _request: HttpRequest, _deadline: object) -> Any:
        """Raises Misconfigured."""
        raise Misconfigured("this datasource has no address to send requests to")


@dataclass(frozen=True, slots=True)
class AdapterMaker:
    """Makes live adapters from settings."""

    egress: Egress
    files: FileSettings
    resilience: ResilienceSettings = field(default_factory=ResilienceSettings)

    def make(self, plugin: DatasourcePlugin[Any], settings: BaseModel, health: HealthRecord) -> ObservedAdapter:
        """Returns a live adapter that has made no request yet; raises DatasourceError, also for a plugin's bug."""
        try:
            return self._make(plugin, settings, health)
        except DatasourceError:
            raise
        except Exception as exc:  # noqa: BLE001 - a stranger's code: its bug is its own datasource's failure
            log.error("adapter_not_made", kind=plugin.kind, error=type(exc).__name__)
            raise Misconfigured(
                Notice("the adapter for %(kind)s broke: %(error)s", kind=plugin.kind, error=type(exc).__name__)
            ) from None

    def _make(self, plugin: DatasourcePlugin[Any], settings: BaseModel, health: HealthRecord) -> ObservedAdapter:
        base_url = plugin.base_url(settings)
        session: EgressSession | None = None
        http: HttpSession = NoAddress()
        if base_url is not None:
            session = self.egress.session(base_url, plugin.headers(settings))
            http = RetryingSession(session, Backoff(self.resilience), health.repeated)
        context = AdapterContext(
            http=http,
            max_response_bytes=self.egress.settings.max_response_bytes,
            max_index_bytes=self.files.max_index_bytes,
            file_roots=tuple(self.files.allow_roots),
        )
        adapter = plugin.connect(settings, context)
        if session is not None:
            session.limit_by(lambda: adapter.capabilities.concurrency)
        return ObservedAdapter(adapter, health, _closing(adapter, session))


def _closing(adapter: Adapter, session: EgressSession | None) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        try:
            await adapter.aclose()
        finally:
            if session is not None:
                await session.aclose()

    return close


@dataclass(slots=True)
class _Live:
    """An adapter and what it was made of. A new name or description is a new version that it serves just as well."""

    adapter: ObservedAdapter
    version: int
    settings: dict[str, Any]
    secrets: dict[str, str]

    def serves(self, row: Datasource) -> bool:
        if self.version == row.version:
            return True
        return (self.settings, self.secrets) == (row.settings, row.secrets)


@dataclass(slots=True)
class AdapterPool:
    """The live adapters of this process. `run` closes what is not needed any more; `aclose` closes all."""

    registry: Registry
    maker: AdapterMaker
    keys: KeyRing
    limits: LimitSettings
    _live: OrderedDict[UUID, _Live] = field(default_factory=OrderedDict)
    _retired: set[ObservedAdapter] = field(default_factory=set)
    _health: dict[UUID, HealthRecord] = field(default_factory=dict)
    _group: TaskGroup | None = None

    def adapter(self, row: Datasource) -> Adapter:
        """Returns the live adapter for the settings of `row`; never raises, never waits."""
        live = self._live.get(row.id)
        if live is not None and live.serves(row):
            self._live.move_to_end(row.id)
            live.version = max(live.version, row.version)
            live.adapter.last_used = time.monotonic()
            return live.adapter
        made = self._made(row)
        if not isinstance(made, ObservedAdapter):
            return made  # not kept: what it lacks may be there at the next question
        if live is not None and live.version > row.version:
            self._retire(made)  # the caller's memory is older than the pool's: it gets its answer, not the place
            return made
        self.forget(row.id)
        self._live[row.id] = _Live(made, row.version, row.settings, row.secrets)
        while len(self._live) > self.limits.adapters_max:
            self._retire(self._live.popitem(last=False)[1].adapter)
        return made

    def health(self, datasource_id: UUID) -> HealthRecord:
        """Returns what this process knows of how the datasource answers."""
        record = self._health.get(datasource_id)
        if record is None:
            record = self._health[datasource_id] = HealthRecord(settings=self.maker.resilience)
        if len(self._health) > _MOST_HEALTH_RECORDS:
            del self._health[next(iter(self._health))]
        return record

    def forget(self, datasource_id: UUID, *, health: bool = False) -> None:
        """The datasource has no live adapter; who holds its last one may finish. `health` forgets that too."""
        found = self._live.pop(datasource_id, None)
        if found is not None:
            self._retire(found.adapter)
            self.health(datasource_id).breaker.reset()  # what was wrong with old settings says nothing of the next
        if health:
            self._health.pop(datasource_id, None)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Closes retired and idle adapters until it is cancelled; then closes all."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                for adapter in self._retired:
                    group.start_soon(self._close_later, adapter)
                task_status.started()
                while True:
                    await anyio.sleep(self.limits.adapter_idle_s / _SWEEPS_A_LIFE)
                    self.sweep(time.monotonic())
        finally:
            self._group = None
            with anyio.CancelScope(shield=True):
                await self.aclose()

    def sweep(self, now: float) -> None:
        """Every adapter that nobody has used for the idle time is retired."""
        for datasource_id, live in list(self._live.items()):
            if not live.adapter.busy and now - live.adapter.last_used >= self.limits.adapter_idle_s:
                self.forget(datasource_id)

    async def aclose(self) -> None:
        """Closes every adapter, whoever holds it."""
        for datasource_id in list(self._live):
            self.forget(datasource_id)
        for adapter in list(self._retired):
            await self._close(adapter)

    def _made(self, row: Datasource) -> Adapter:
        plugin = self.registry.plugin(row.kind)
        if plugin is None:
            return BrokenAdapter(Misconfigured(self.registry.why_not(row.kind)))
        try:
            return self.maker.make(plugin, stored_model(plugin, row, self.keys), self.health(row.id))
        except DatasourceError as exc:
            self.health(row.id).failed(exc)
            return BrokenAdapter(exc)

    def _retire(self, adapter: ObservedAdapter) -> None:
        self._retired.add(adapter)
        if self._group is not None:
            self._group.start_soon(self._close_later, adapter)

    async def _close_later(self, adapter: ObservedAdapter) -> None:
        """Somebody may hold the adapter between two calls: the grace is for them, and then for calls under way."""
        await anyio.sleep(self.limits.adapter_grace_s)
        await adapter.until_idle()
        await self._close(adapter)

    async def _close(self, adapter: ObservedAdapter) -> None:
        self._retired.discard(adapter)
        with anyio.move_on_after(_CLOSE_TIMEOUT_S):
            try:
                await adapter.aclose()
            except Exception as exc:  # noqa: BLE001 - a stranger's code: its clean-up must not end ours
                log.warning("adapter_not_closed", error=type(exc).__name__)
