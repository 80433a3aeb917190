import itertools
import time
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import pytest

from arcane.catalog.editing import configured
from arcane.catalog.health import HealthRecord
from arcane.catalog.observed import BrokenAdapter, ObservedAdapter
from arcane.catalog.pool import AdapterMaker, AdapterPool
from arcane.catalog.registry import Kind, Registry
from arcane.catalog.sealing import sealed
from arcane.catalog.tables import Datasource
from arcane.kit.egress import Egress
from arcane.kit.ids import new_id
from arcane.kit.secrets import KeyRing, generate_key
from arcane.model.deadline import Deadline
from arcane.settings import EgressSettings, FileSettings, LimitSettings
from arcane.spi import (
    Adapter,
    Forbidden,
    HttpRequest,
    Misconfigured,
    Rejected,
    ScanRequest,
    TimeRange,
    Unreachable,
    parse_trace_id,
)
from tests.support.backends import always, backend, reply
from tests.support.clock import SetClock
from tests.support.plugins import FileishPlugin, ProbePlugin

pytestmark = pytest.mark.anyio

KEYS = KeyRing.from_texts([generate_key()])
EVERYTHING = ScanRequest(TimeRange(0, 1), 1)
TRACE = parse_trace_id("1")


def soon() -> Deadline:
    return Deadline.after(5)


def pool_of(plugin: ProbePlugin, **limits: float) -> AdapterPool:
    values = LimitSettings.model_validate({"adapter_grace_s": 0.0, **limits})
    egress = Egress(EgressSettings(allow_networks=["127.0.0.0/8"]), values)
    registry = Registry((Kind(plugin.kind, plugin.title, plugin=plugin),))
    return AdapterPool(registry, AdapterMaker(egress, FileSettings()), KEYS, values)


def row_of(plugin: ProbePlugin, **settings: object) -> Datasource:
    row_id = new_id()
    made = configured(plugin, {"url": "http://127.0.0.1:9", "token": "canary", **settings})
    return Datasource(
        id=row_id, organisation_id=new_id(), kind=plugin.kind, name="n", created_by="me", version=1,
        settings=made.public, secrets=sealed(made.secrets, str(row_id), KEYS),
    )  # fmt: skip


def changed(plugin: ProbePlugin, row: Datasource, **settings: object) -> Datasource:
    other = row_of(plugin, **settings)
    secrets = sealed({"/token": "canary"}, str(row.id), KEYS)
    return Datasource(
        **{**row.model_dump(), "settings": other.settings, "secrets": secrets, "version": row.version + 1}
    )


async def drain(adapter: Adapter) -> None:
    async for _ in adapter.scan(EVERYTHING, soon()):
        pass


async def test_one_adapter_serves_all_questions_of_a_version() -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin), row_of(plugin)
    assert pool.adapter(row) is pool.adapter(row)
    assert len(plugin.made) == 1
    await pool.aclose()
    assert plugin.made[0].closed == 1


async def test_new_settings_make_a_new_adapter_and_a_new_name_does_not() -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin), row_of(plugin)
    first = pool.adapter(row)
    renamed = Datasource(**{**row.model_dump(), "name": "other", "version": 2})
    assert pool.adapter(renamed) is first
    assert pool.adapter(changed(plugin, renamed, tenant="u")) is not first
    await pool.aclose()
    assert [adapter.closed for adapter in plugin.made] == [1, 1]


async def test_a_replaced_adapter_is_closed_once_its_last_call_is_over() -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin), row_of(plugin)
    async with anyio.create_task_group() as group:
        await group.start(pool.run)
        old = pool.adapter(row)
        plugin.made[0].gate = anyio.Event()
        async with anyio.create_task_group() as asking:
            asking.start_soon(drain, old)
            await anyio.wait_all_tasks_blocked()
            pool.adapter(changed(plugin, row, tenant="u"))
            await anyio.wait_all_tasks_blocked()
            assert plugin.made[0].closed == 0
            plugin.made[0].gate.set()
        with anyio.fail_after(2):
            while not plugin.made[0].closed:
                await anyio.lowlevel.checkpoint()
        assert plugin.made[1].closed == 0
        with pytest.raises(Unreachable, match="changed or removed meanwhile"):
            await drain(old)
        group.cancel_scope.cancel()
    assert [adapter.closed for adapter in plugin.made] == [1, 1]


async def test_who_holds_a_replaced_adapter_has_a_grace() -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin, adapter_grace_s=0.2), row_of(plugin)
    async with anyio.create_task_group() as group:
        await group.start(pool.run)
        held = pool.adapter(row)
        pool.forget(row.id)
        await anyio.sleep(0.05)
        await drain(held)
        group.cancel_scope.cancel()


async def test_rebuilding_under_load_closes_each_adapter_once_and_fails_nobody() -> None:
    plugin = ProbePlugin()
    pool, first = pool_of(plugin, adapter_grace_s=0.01), row_of(plugin)
    rows = [first]
    for number in range(20):
        rows.append(changed(plugin, rows[-1], tenant=f"t{number}"))

    async def ask(row: Datasource) -> None:
        await drain(pool.adapter(row))

    async with anyio.create_task_group() as group:
        await group.start(pool.run)
        async with anyio.create_task_group() as asking:
            for row, _ in itertools.product(rows, range(5)):
                asking.start_soon(ask, row)
                await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert len(plugin.made) == len(rows)
    assert {adapter.closed for adapter in plugin.made} == {1}


async def test_older_memory_does_not_replace_a_newer_adapter() -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin), row_of(plugin)
    newer = changed(plugin, row, tenant="u")
    current = pool.adapter(newer)
    assert pool.adapter(row) is not current
    assert pool.adapter(newer) is current
    await pool.aclose()
    assert {adapter.closed for adapter in plugin.made} == {1}


async def test_idle_adapters_are_closed_and_busy_ones_are_not() -> None:
    plugin = ProbePlugin()
    pool, idle, busy = pool_of(plugin, adapter_idle_s=60), row_of(plugin), row_of(plugin)
    async with anyio.create_task_group() as group:
        await group.start(pool.run)
        pool.adapter(idle)
        working = pool.adapter(busy)
        plugin.made[1].gate = anyio.Event()
        group.start_soon(drain, working)
        await anyio.wait_all_tasks_blocked()
        pool.sweep(time.monotonic() + 61)
        await anyio.sleep(0.05)
        assert [adapter.closed for adapter in plugin.made] == [1, 0]
        plugin.made[1].gate.set()
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def test_the_pool_is_bounded_by_the_least_used() -> None:
    plugin = ProbePlugin()
    pool, rows = pool_of(plugin, adapters_max=2), [row_of(plugin) for _ in range(3)]
    for row in (rows[0], rows[1], rows[0], rows[2]):
        pool.adapter(row)
    async with anyio.create_task_group() as group:
        await group.start(pool.run)
        await anyio.sleep(0.05)
        assert [adapter.closed for adapter in plugin.made] == [0, 1, 0]
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("settings", "kind", "says"),
    [
        ({"url": "http://10.0.0.1/"}, Forbidden, "10.0.0.1 is private"),
        ({"tenant": "bug"}, Misconfigured, "the adapter for probe broke: KeyError"),
        ({"url": "http://user:canary@tempo.example"}, Misconfigured, "user or password"),
    ],
)
async def test_what_cannot_be_made_answers_with_the_reason(
    settings: dict[str, object], kind: type[Exception], says: str
) -> None:
    plugin = ProbePlugin()
    pool, row = pool_of(plugin), row_of(plugin, **settings)
    broken = pool.adapter(row)
    assert isinstance(broken, BrokenAdapter)
    for question in (drain(broken), broken.check(soon()), broken.get_trace(TRACE, None, soon())):
        with pytest.raises(kind, match=says) as failure:
            await question
        assert "canary" not in str(failure.value)
    assert pool.health(row.id).status == "failing"


async def test_a_kind_that_is_gone_answers_with_the_reason() -> None:
    plugin = ProbePlugin()
    row = row_of(plugin)
    row.kind = "removed"
    with pytest.raises(Misconfigured, match="no installed package provides the kind removed"):
        await drain(pool_of(plugin).adapter(row))


async def test_an_adapter_without_address_gets_no_way_out() -> None:
    plugin = FileishPlugin()
    pool = pool_of(plugin)
    made = configured(plugin, {"folder": "/a"})
    pool.maker.make(plugin, made.model, HealthRecord())
    with pytest.raises(Misconfigured, match="no address"):
        await plugin.made[0].http.send(HttpRequest("/"), soon())
    with pytest.raises(Misconfigured, match="no address"):
        plugin.made[0].http.stream(HttpRequest("/"), soon())


async def test_credentials_travel_in_the_session_and_requests_are_bounded_by_the_capabilities() -> None:
    plugin = ProbePlugin()
    async with backend(always(reply(b"v1"))) as server:
        pool = pool_of(plugin)
        adapter = pool.adapter(row_of(plugin, url=server.url))
        assert (await adapter.check(soon())).version == "v1"
        await pool.aclose()
    assert server.seen[0].headers["authorization"] == "Bearer canary"


def test_health_is_what_happened_last() -> None:
    clock = SetClock(datetime(2026, 11, 21, tzinfo=UTC))
    record = HealthRecord(clock)
    assert record.status == "unknown"
    record.failed(Unreachable("nobody there"))
    assert (record.status, record.error_kind, record.error_message) == ("failing", "unreachable", "nobody there")
    clock.pass_time(timedelta(seconds=1))
    record.answered(0.25)
    assert (record.status, record.latency_ms) == ("ok", 250.0)
    clock.pass_time(timedelta(seconds=1))
    record.failed(Rejected("a question the backend does not take"))
    assert record.status == "ok"


async def test_an_abandoned_scan_ends_and_counts_as_an_answer() -> None:
    plugin = ProbePlugin()
    record = HealthRecord()
    pool = pool_of(plugin)
    adapter = pool.maker.make(plugin, configured(plugin, {"url": "http://127.0.0.1:9"}).model, record)
    pages = adapter.scan(EVERYTHING, soon())
    await anext(pages)
    assert adapter.busy
    await pages.aclose()
    assert not adapter.busy
    assert record.status == "ok"
    assert isinstance(adapter, ObservedAdapter)
    await adapter.aclose()
