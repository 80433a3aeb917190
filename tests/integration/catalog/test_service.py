"""The catalog on a real Postgres: who sees what, what is kept, what is never shown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import anyio
import asyncpg
import pytest

from arcane.catalog.editing import Change, Draft
from arcane.catalog.problems import (
    DatasourceChanged,
    DatasourceLimit,
    DatasourceNameTaken,
    InvalidDatasource,
    UnknownDatasource,
)
from arcane.kit.actor import Actor
from arcane.kit.egress import Egress
from arcane.kit.pagination import BadCursor, PageRequest
from arcane.kit.problems import NotAllowed, NotFound
from arcane.kit.secrets import generate_key
from arcane.model.deadline import Deadline
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.http import HttpRequest
from tests.support.backends import always, backend, never, reply
from tests.support.catalog import CatalogBench, actor_of, catalog_on
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

CANARY = "canary-5ecret-token"
EVERYTHING = PageRequest(50)
_INSERT = (
    "INSERT INTO datasources (id, created_at, updated_at, organisation_id, kind, name, description, settings, secrets, "
    "version, created_by) VALUES ($1, now(), now(), $2, 'probe', 'n', '', '{}', '{}', 1, '')"
)


@pytest.fixture
async def bench(migrated_database: MigratedDatabase) -> AsyncIterator[CatalogBench]:
    async with catalog_on(migrated_database) as made:
        yield made


def draft(name: str = "Tempo", **settings: object) -> Draft:
    return Draft("probe", name, {"url": "http://127.0.0.1:9", "token": CANARY, **settings}, "where traces are")


async def test_a_datasource_is_created_read_changed_and_deleted(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    made = await bench.service.create(actor, draft())
    assert (made.name, made.kind_title, made.version, made.created_by) == ("Tempo", "Probe", 1, "Ada")
    assert made.settings["token"] == "********"
    assert made.secret_set == {"auth/password": False, "headers": False, "token": True}
    assert await bench.service.get(actor, made.id) == made
    changed = await bench.service.update(actor, made.id, Change(name=" Tempo  2 ", settings={"tenant": "a"}))
    assert (changed.name, changed.settings["tenant"], changed.version) == ("Tempo 2", "a", 2)
    assert changed.secret_set["token"]
    await bench.service.delete(actor, made.id)
    with pytest.raises(UnknownDatasource):
        await bench.service.get(actor, made.id)


async def test_secrets_are_in_no_answer_no_audit_entry_no_log_and_not_in_the_database(
    bench: CatalogBench, capfd: pytest.CaptureFixture[str]
) -> None:
    actor = actor_of(await bench.organisation())
    secret = {"headers": {"X-Key": CANARY}, "auth": {"user": "me", "password": CANARY}}
    shown = [await bench.service.create(actor, draft(**secret))]
    shown.append(await bench.service.update(actor, shown[0].id, Change(settings={"token": CANARY + "2"})))
    shown.append(await bench.service.get(actor, shown[0].id))
    shown += (await bench.service.page(actor, EVERYTHING)).items
    tested = await bench.service.test_saved(actor, shown[0].id, None, Deadline.after(2))
    await bench.service.sources(actor, None)
    with pytest.raises(InvalidDatasource) as moved:
        await bench.service.update(actor, shown[0].id, Change(settings={"url": "http://127.0.0.2:9"}))
    await bench.service.delete(actor, shown[0].id)
    texts = [repr(shown), repr(tested), json.dumps(moved.value.body("/")), await bench.dump(), *capfd.readouterr()]
    assert not [text for text in texts if "canary" in text]
    actions = await bench.sql("SELECT action, after FROM audit_entries ORDER BY id")
    assert [row["action"] for row in actions] == ["datasource.created", "datasource.updated", "datasource.deleted"]
    assert json.loads(actions[1]["after"])["credentials_entered"] == ["/token"]


async def test_organisations_do_not_know_of_each_other(bench: CatalogBench) -> None:
    ours, theirs = actor_of(await bench.organisation()), actor_of(await bench.organisation())
    made = await bench.service.create(ours, draft())
    assert (await bench.service.page(theirs, EVERYTHING)).items == ()
    assert await bench.service.list(theirs) == ()
    assert await bench.service.sources(theirs, None) == []
    for attempt in (
        bench.service.get(theirs, made.id),
        bench.service.update(theirs, made.id, Change(name="mine")),
        bench.service.delete(theirs, made.id),
        bench.service.test_saved(theirs, made.id, None, Deadline.after(1)),
        bench.service.sources(theirs, [made.id]),
    ):
        with pytest.raises(UnknownDatasource):
            await attempt
    await bench.service.create(theirs, draft())


async def test_the_wall_holds_in_raw_sql(bench: CatalogBench) -> None:
    ours, theirs = await bench.organisation(), await bench.organisation()
    made = await bench.service.create(actor_of(ours), draft())
    connection = await asyncpg.connect(bench.stored.app_dsn)
    try:
        assert await connection.fetch("SELECT id FROM datasources") == []
        async with connection.transaction():
            await connection.execute("SELECT set_config('arcane.organisation_id', $1, true)", str(theirs))
            assert await connection.fetch("SELECT id FROM datasources") == []
            assert await connection.execute("UPDATE datasources SET name = 'x'") == "UPDATE 0"
            assert await connection.execute("DELETE FROM datasources") == "DELETE 0"
        await connection.execute("SELECT set_config('arcane.organisation_id', $1, false)", str(theirs))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(_INSERT, uuid4(), ours)
        async with connection.transaction():
            await connection.execute("SELECT set_config('arcane.organisation_id', $1, true)", str(ours))
            assert [row["id"] for row in await connection.fetch("SELECT id FROM datasources")] == [made.id]
    finally:
        await connection.close()


async def test_names_are_unique_in_an_organisation_whatever_their_case(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    await bench.service.create(actor, draft("Tempo"))
    other = await bench.service.create(actor, draft("Jaeger"))
    with pytest.raises(DatasourceNameTaken):
        await bench.service.create(actor, draft("TEMPO"))
    with pytest.raises(DatasourceNameTaken):
        await bench.service.update(actor, other.id, Change(name="tempo"))
    await bench.service.update(actor, other.id, Change(name="JAEGER"))


async def test_who_takes_a_name_a_moment_too_late_is_told(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    first = await asyncpg.connect(bench.stored.superuser_dsn)
    try:
        async with anyio.create_task_group() as group, first.transaction():
            await first.execute(_INSERT, uuid4(), actor.organisation_id)
            group.start_soon(_expect_taken, bench, actor)
            waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            with anyio.fail_after(10):
                while not await bench.sql(waiting):  # noqa: ASYNC110 - Postgres tells nobody that somebody waits
                    await anyio.sleep(0.01)
    finally:
        await first.close()


async def _expect_taken(bench: CatalogBench, actor: Actor) -> None:
    with pytest.raises(DatasourceNameTaken):
        await bench.service.create(actor, draft("N"))


async def test_a_change_for_an_older_version_is_refused(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    made = await bench.service.create(actor, draft())
    await bench.service.update(actor, made.id, Change(description="newer", version=1))
    with pytest.raises(DatasourceChanged):
        await bench.service.update(actor, made.id, Change(description="older", version=1))


async def test_the_number_of_datasources_is_bounded(migrated_database: MigratedDatabase) -> None:
    async with catalog_on(migrated_database, datasources_per_organisation=1) as bench:
        actor = actor_of(await bench.organisation())
        await bench.service.create(actor, draft("a"))
        with pytest.raises(DatasourceLimit):
            await bench.service.create(actor, draft("b"))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": "jaeger"}, "#/kind"),
        ({"name": "  "}, "#/name"),
        ({"name": "n" * 101}, "#/name"),
        ({"settings": {"url": "http://10.0.0.1"}}, "#/settings/url"),
        ({"settings": {"url": "http://user:pw@tempo.example"}}, "#/settings/url"),
        ({"settings": {"url": "ftp://tempo.example"}}, "#/settings/url"),
        ({"settings": {}}, "#/settings/url"),
        ({"settings": {"url": "http://127.0.0.1", "limit": "x"}}, "#/settings/limit"),
    ],
)
async def test_what_cannot_work_is_refused_at_its_field(
    bench: CatalogBench, change: dict[str, object], pointer: str
) -> None:
    actor = actor_of(await bench.organisation())
    parts = {"kind": "probe", "name": "n", "settings": {"url": "http://127.0.0.1"}, **change}
    with pytest.raises(InvalidDatasource) as failure:
        await bench.service.create(actor, Draft(**parts))  # type: ignore[arg-type]
    assert [error.pointer for error in failure.value.errors] == [pointer]


async def test_pages_joined_are_the_whole_list_by_name(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    names = [f"d{number}" for number in (3, 1, 4, 5, 9, 2, 6)]
    for name in names:
        await bench.service.create(actor, draft(name))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await bench.service.page(actor, PageRequest(3, cursor))
        seen += [item.name for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == sorted(names)
    with pytest.raises(BadCursor):
        await bench.service.page(actor, PageRequest(3, "nonsense"))


async def test_sources_are_live_and_in_the_order_that_was_asked_for(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    one, two = [await bench.service.create(actor, draft(name)) for name in ("a", "b")]
    assert [source.name for source in await bench.service.sources(actor, None)] == ["a", "b"]
    chosen = await bench.service.sources(actor, [two.id, one.id, two.id])
    assert [(source.id, source.kind) for source in chosen] == [(str(two.id), "probe"), (str(one.id), "probe")]
    with pytest.raises(UnknownDatasource) as failure:
        await bench.service.sources(actor, [one.id, UUID(int=1)])
    assert failure.value.members["datasource_id"] == str(UUID(int=1))


async def test_sources_ask_no_database_until_something_changes(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    committed, echoed = anyio.Event(), anyio.Event()

    def hear(_key: str) -> None:
        """A change is heard twice where it was made: when it commits, and when Postgres repeats it."""
        (echoed if committed.is_set() else committed).set()

    bench.service.announcer.subscribe("catalog", hear)
    made = await bench.service.create(actor, draft())
    with anyio.fail_after(5):
        await echoed.wait()
    await bench.service.sources(actor, None)
    await bench.sql("UPDATE datasources SET name = 'unannounced'")
    assert [source.name for source in await bench.service.sources(actor, None)] == ["Tempo"]
    await bench.service.update(actor, made.id, Change(name="announced"))
    assert [source.name for source in await bench.service.sources(actor, None)] == ["announced"]
    await bench.service.delete(actor, made.id)
    assert await bench.service.sources(actor, None) == []


async def test_another_process_hears_of_a_change(migrated_database: MigratedDatabase) -> None:
    async with catalog_on(migrated_database) as one, catalog_on(migrated_database, keys=one.keys) as two:
        actor = actor_of(await one.organisation())
        made = await one.service.create(actor, draft())
        assert len(await two.service.sources(actor, None)) == 1
        heard = anyio.Event()
        two.service.announcer.subscribe("catalog", lambda _: heard.set())
        await one.service.delete(actor, made.id)
        with anyio.fail_after(5):
            await heard.wait()
        assert await two.service.sources(actor, None) == []


async def test_nothing_is_trusted_while_changes_are_not_heard(migrated_database: MigratedDatabase) -> None:
    async with catalog_on(migrated_database, listening=False) as bench:
        actor = actor_of(await bench.organisation())
        await bench.service.create(actor, draft())
        await bench.service.sources(actor, None)
        await bench.sql("UPDATE datasources SET name = 'unheard'")
        assert [source.name for source in await bench.service.sources(actor, None)] == ["unheard"]


async def test_a_connection_test_says_what_it_found(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    async with backend(always(reply(b"2.9"))) as server:
        found = await bench.service.test_unsaved(
            actor, "probe", {"url": server.url, "token": CANARY}, Deadline.after(5)
        )
        assert (found.ok, found.version, found.findings, found.error) == (True, "2.9", ("hello",), None)
        assert found.abilities is bench.plugin.made[0].capabilities
        assert "It answers with the newest traces first." in found.can
        made = await bench.service.create(actor, draft(url=server.url))
        assert (await bench.service.test_saved(actor, made.id, None, Deadline.after(5))).ok
        assert (await bench.service.get(actor, made.id)).health.status == "ok"
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {CANARY}"}
    assert [adapter.closed for adapter in bench.plugin.made] == [1, 1]


async def test_a_failing_connection_test_is_an_answer(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    async with backend(always(reply(status="401 Unauthorized"))) as refusing, backend(never) as silent:
        expected = {
            "http://127.0.0.1:9": "unreachable",
            "http://10.0.0.1": "forbidden",
            refusing.url: "unauthorized",
            silent.url: "timed_out",
        }
        for url, kind in expected.items():
            found = await bench.service.test_unsaved(actor, "probe", {"url": url}, Deadline.after(0.5))
            assert not found.ok
            assert found.error is not None
            assert found.error.kind == kind
        broken = await bench.service.test_unsaved(
            actor, "probe", {"url": silent.url, "tenant": "bug"}, Deadline.after(1)
        )
    assert broken.error is not None
    assert broken.error.message == "the adapter for probe broke: KeyError"


async def test_a_test_with_other_settings_cannot_lead_stored_secrets_elsewhere(bench: CatalogBench) -> None:
    editor = actor_of(await bench.organisation())
    reader = actor_of(editor.organisation_id, ["datasources:read"])
    async with backend(always(reply(b"v"))) as ours, backend(always(reply(b"v")), host="127.0.0.2") as evil:
        made = await bench.service.create(editor, draft(url=ours.url))
        with pytest.raises(NotAllowed):
            await bench.service.test_saved(reader, made.id, {"tenant": "x"}, Deadline.after(2))
        for change in ({"url": evil.url}, {"url": evil.url, "token": "********"}):
            with pytest.raises(InvalidDatasource) as failure:
                await bench.service.test_saved(editor, made.id, change, Deadline.after(2))
            assert failure.value.errors[0].pointer == "#/settings/token"
        own = await bench.service.test_saved(editor, made.id, {"url": evil.url, "token": "mine"}, Deadline.after(2))
        assert own.ok
        assert (await bench.service.test_saved(editor, made.id, {"tenant": "x"}, Deadline.after(2))).ok
    assert "canary" not in str(evil.seen)
    assert ours.seen[-1].headers["authorization"] == f"Bearer {CANARY}"


async def test_keys_rotate_in_batches_and_the_old_one_can_go(migrated_database: MigratedDatabase) -> None:
    old, new = generate_key(), generate_key()
    async with catalog_on(migrated_database, keys=[old]) as before:
        actors = [actor_of(await before.organisation()) for _ in range(2)]
        for actor, number in [(actor, number) for actor in actors for number in range(60)]:
            await before.service.create(actor, draft(f"d{number}"))
    async with catalog_on(migrated_database, keys=[new, old]) as during:
        report = await during.service.rotate_secrets()
        assert (report.datasources, report.secrets, report.rotated, report.unreadable) == (120, 120, 120, ())
        assert (await during.service.rotate_secrets()).rotated == 0
    async with catalog_on(migrated_database, keys=[new]) as after, backend(always(reply(b"v"))) as server:
        port = server.port
        made = (await after.service.page(actors[0], EVERYTHING)).items[0]
        changed = Change(settings={"url": f"http://127.0.0.1:{port}", "token": "fresh"})
        await after.service.update(actors[0], made.id, changed)
        assert (await after.service.test_saved(actors[0], made.id, None, Deadline.after(2))).ok
        for source in await after.service.sources(actors[1], None):
            assert source.adapter.capabilities.concurrency == 4  # made, so its secret was read


async def test_a_lost_key_is_named_and_its_datasource_answers_with_the_reason(
    migrated_database: MigratedDatabase,
) -> None:
    async with catalog_on(migrated_database) as before:
        actor = actor_of(await before.organisation())
        made = await before.service.create(actor, draft())
    async with catalog_on(migrated_database) as after:
        assert (await after.service.rotate_secrets()).unreadable == (made.id,)
        found = await after.service.test_saved(actor, made.id, None, Deadline.after(2))
        assert found.error is not None
        assert found.error.kind == "misconfigured"
        assert "enter it again" in found.error.message


async def test_an_actor_without_organisation_has_no_datasources(bench: CatalogBench) -> None:
    with pytest.raises(NotFound):
        await bench.service.sources(actor_of(None), None)


async def test_no_request_leaves_while_a_transaction_is_open(bench: CatalogBench) -> None:
    actor = actor_of(await bench.organisation())
    session = Egress(EgressSettings(allow_networks=["127.0.0.0/8"]), LimitSettings()).session("http://127.0.0.1:9", {})
    async with bench.service.database.transaction(actor.tenant):
        with pytest.raises(RuntimeError, match="database transaction is open"):
            await session.send(HttpRequest("/"), Deadline.after(1))
