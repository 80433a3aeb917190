"""Permissions are answered from memory, and a change is never answered from memory."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from sqlalchemy import event, text
from starlette.requests import Request

from arcane.access.permissions import MEMBER, VIEWER
from arcane.kit.actor import Tenant
from tests.integration.access.conftest import Acme
from tests.integration.access.house import Browser, House, Program, running_house
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@asynccontextmanager
async def counted(house: House) -> AsyncIterator[list[str]]:
    """The statements that the house sends to Postgres while the block runs."""
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = house.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_the_second_request_with_a_key_or_session_asks_postgres_nothing(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    refused = f"{acme.in_project}/members"  # a read key has no business there: decided without a service
    for caller in (program, acme.viewer):
        assert (await caller.get(refused)).status_code == 403
        async with counted(acme.house) as statements:
            assert (await caller.get(refused)).status_code == 403
        assert statements == []


async def test_a_hit_costs_far_less_than_100_microseconds(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    assert (await program.get(acme.in_project)).status_code == 200
    scope = {
        "type": "http",
        "method": "GET",
        "path": acme.in_project,
        "headers": [(b"authorization", f"Bearer {program.key}".encode())],
        "path_params": {"project_id": acme.project["id"]},
        "query_string": b"",
    }
    authorise = acme.house.parts.authoriser.authorise
    await authorise(Request(scope), "traces:read")
    async with counted(acme.house) as statements:
        best = float("inf")
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(50):
                await authorise(Request(scope), "traces:read")
            best = min(best, (time.perf_counter() - begun) / 50)
    assert statements == []
    assert best < 100e-6


async def test_a_revoked_key_is_refused_at_once(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    assert (await program.get(acme.in_project)).status_code == 200
    await acme.project_admin.delete(f"{acme.in_project}/api-keys/{program.key_id}")
    assert (await program.get(acme.in_project)).status_code == 401


async def test_a_change_of_role_counts_at_once(acme: Acme) -> None:
    path = f"{acme.in_project}/members"
    assert (await acme.viewer.get(path)).status_code == 403
    roles = f"{path}/{acme.viewer.user_id}/roles"
    admin = (await acme.owner.get(f"{acme.in_project}/roles")).json()["items"][0]
    assert admin["name"] == "Project Admin"
    assert (await acme.project_admin.put(f"{roles}/{admin['id']}")).status_code == 200
    assert (await acme.viewer.get(path)).status_code == 200
    assert (await acme.project_admin.delete(f"{roles}/{admin['id']}")).status_code == 200
    assert (await acme.viewer.get(path)).status_code == 403


async def test_a_change_of_a_custom_role_counts_for_everybody_who_has_it(acme: Acme) -> None:
    made = await acme.admin.post(f"{acme.in_project}/roles", {"name": "Auditor", "permissions": ["projects:read"]})
    role = made.json()
    await acme.admin.put(f"{acme.in_project}/members/{acme.viewer.user_id}/roles/{role['id']}")
    assert (await acme.viewer.get(f"{acme.in_project}/members")).status_code == 403
    wanted = {"permissions": ["projects:read", "projects:members:read"]}
    assert (await acme.admin.patch(f"{acme.in_project}/roles/{role['id']}", wanted)).status_code == 200
    assert (await acme.viewer.get(f"{acme.in_project}/members")).status_code == 200


async def test_whoever_is_removed_is_a_stranger_at_once(acme: Acme) -> None:
    assert (await acme.viewer.get(acme.in_project)).status_code == 200
    await acme.project_admin.delete(f"{acme.in_project}/members/{acme.viewer.user_id}")
    assert (await acme.viewer.get(acme.in_project)).status_code == 404
    assert (await acme.member.get(acme.at)).status_code == 200
    await acme.admin.delete(f"{acme.at}/members/{acme.member.user_id}")
    assert (await acme.member.get(acme.at)).status_code == 404


async def test_a_removed_user_is_signed_out_and_cannot_sign_in(acme: Acme) -> None:
    assert (await acme.owner.delete(f"/api/v1/users/{acme.viewer.user_id}")).status_code == 204
    assert (await acme.viewer.get("/api/v1/accounts/me")).status_code == 401
    assert (await acme.house.browser().sign_in(f"viewer@{acme.organisation['slug']}.test")).status_code == 401


async def test_a_deleted_project_is_gone_at_once(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    assert (await program.get(acme.in_project)).status_code == 200
    assert (await acme.project_admin.delete(acme.in_project)).status_code == 204
    assert (await program.get(acme.in_project)).status_code == 401
    assert (await acme.owner.get(acme.in_project)).status_code == 404


async def test_another_process_hears_of_a_change(migrated_database: MigratedDatabase) -> None:
    async with running_house(migrated_database) as one, running_house(migrated_database) as two:
        owner = await one.owner()
        project = await one.project(owner, await one.organisation(owner))
        program = await two.key(_elsewhere(owner, two), project)
        path = f"/api/v1/projects/{project['id']}"
        assert (await program.get(path)).status_code == 200
        heard = anyio.Event()
        two.announcer.subscribe("access", lambda _key: heard.set())
        await owner.delete(f"{path}/api-keys/{program.key_id}")
        with anyio.fail_after(5):
            await heard.wait()
        assert (await program.get(path)).status_code == 401


def _elsewhere(browser: Browser, house: House) -> Browser:
    other = house.browser(Cookie=f"arcane_session={browser.http.cookies['arcane_session']}")
    other.csrf_token = browser.csrf_token
    return other


async def test_a_process_that_does_not_hear_trusts_nothing(migrated_database: MigratedDatabase) -> None:
    async with running_house(migrated_database, listens=False) as house:
        owner = await house.owner()
        project = await house.project(owner, await house.organisation(owner))
        program = await house.key(owner, project)
        for _ in range(2):
            async with counted(house) as statements:
                assert (await program.get(f"/api/v1/projects/{project['id']}/members")).status_code == 403
            assert any("access_api_key" in statement for statement in statements)


async def test_a_lost_connection_comes_back_and_says_that_anything_may_have_changed(acme: Acme) -> None:
    lost, heard = anyio.Event(), []

    def listen(key: str) -> None:
        heard.append(key)
        lost.set()

    acme.house.announcer.subscribe("access", listen)
    await acme.house.stored.server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'", acme.house.stored.name
    )
    with anyio.fail_after(10):
        await lost.wait()
    assert heard == [""]


async def test_a_change_is_announced_when_it_commits_and_not_before(acme: Acme) -> None:
    heard: list[str] = []
    acme.house.announcer.subscribe("probe", heard.append)
    async with acme.house.database.transaction(Tenant()) as session:
        await acme.house.announcer.announce(session, "probe", "never")
        await session.rollback()
    async with acme.house.database.transaction(Tenant()) as session:
        await acme.house.announcer.announce(session, "probe", "once")
        async with session.begin_nested():
            await session.execute(text("SELECT 1"))
        assert heard == []
    assert heard[0] == "once"
    assert "never" not in heard


async def test_when_a_key_was_last_used_is_written_down_together(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    listed = (await acme.owner.get(f"{acme.in_project}/api-keys")).json()["items"][0]
    assert listed["last_used_at"] is None
    for _ in range(3):
        await program.get(acme.in_project)
    async with counted(acme.house) as statements:
        await acme.house.parts.usage.flush()
    assert sum("access_touch_api_keys" in statement for statement in statements) == 1
    listed = (await acme.owner.get(f"{acme.in_project}/api-keys")).json()["items"][0]
    assert listed["last_used_at"] is not None


async def test_a_viewer_and_a_member_see_their_own_scope(acme: Acme) -> None:
    """What is hidden depends on the role; a read key counts as Viewer, a read-write key as Member."""
    rules = f"{acme.in_project}/attribute-visibility-rules"
    body = {"attribute_name": "gen_ai.prompt", "hidden_role_ids": [str(VIEWER.id)]}
    made = await acme.project_admin.post(rules, body)
    assert made.status_code == 201, made.text
    read = await acme.house.key(acme.owner, acme.project)
    write = await acme.house.key(acme.owner, acme.project, "read-write")
    hidden = [await _hidden(acme, caller) for caller in (acme.viewer, acme.project_member, read, write)]
    assert hidden == [{"gen_ai.prompt"}, set(), {"gen_ai.prompt"}, set()]
    changed = await acme.project_admin.put(f"{rules}/{made.json()['id']}", {"hidden_role_ids": [str(MEMBER.id)]})
    assert changed.status_code == 200
    assert await _hidden(acme, acme.viewer) == set()
    assert await _hidden(acme, write) == {"gen_ai.prompt"}
    async with counted(acme.house) as statements:
        await _hidden(acme, write)
    assert statements == []


async def _hidden(acme: Acme, caller: Browser | Program) -> set[str]:
    if isinstance(caller, Program):
        credential = (b"authorization", f"Bearer {caller.key}".encode())
    else:
        credential = (b"cookie", f"arcane_session={caller.http.cookies['arcane_session']}".encode())
    scope = {
        "type": "http",
        "method": "GET",
        "headers": [credential],
        "path_params": {"project_id": acme.project["id"]},
    }
    actor = await acme.house.parts.authoriser.authorise(Request(scope), "traces:read")
    return set((await acme.house.parts.scopes.of(actor)).hidden_attributes)
