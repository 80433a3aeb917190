"""API keys and attribute visibility of a project."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import anyio
import asyncpg
import pytest

from arcane.access.permissions import MEMBER, VIEWER
from tests.integration.access.conftest import Acme, found_acme

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def test_a_key_is_shown_once_and_kept_as_a_hash(acme: Acme) -> None:
    made = (await acme.project_admin.post(f"{acme.in_project}/api-keys", {"name": "ci"})).json()
    assert re.fullmatch(r"sk-arcane-[0-9a-f]{64}", made["key"])
    assert made["scope"] == "read"
    listed = await acme.project_admin.get(f"{acme.in_project}/api-keys")
    assert made["key"] not in listed.text
    assert listed.json()["items"][0]["hint"] == made["key"][-4:]
    dump = await _dump(acme)
    assert made["key"] not in dump
    assert made["key"].removeprefix("sk-arcane-") not in dump


async def _dump(acme: Acme) -> str:
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await connection.fetch(f'SELECT t::text FROM "{table[0]}" t') for table in tables]
    await connection.close()
    return "\n".join(row[0] for table in rows for row in table)


async def test_a_key_comes_as_bearer_or_as_basic(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    basic = base64.b64encode(f"api-key:{program.key}".encode()).decode()
    other_user = base64.b64encode(f"admin:{program.key}".encode()).decode()
    for header, status in (
        (f"Bearer {program.key}", 200),
        (f"bearer {program.key}", 200),
        (f"Basic {basic}", 200),
        (f"Basic {other_user}", 401),
        (program.key, 401),
    ):
        answer = await acme.house.browser().http.get(acme.in_project, headers={"Authorization": header})
        assert answer.status_code == status, header


async def test_a_project_has_many_keys_and_each_is_revoked_alone(acme: Acme) -> None:
    one, two = [await acme.house.key(acme.owner, acme.project) for _ in range(2)]
    assert (await acme.project_admin.delete(f"{acme.in_project}/api-keys/{one.key_id}")).status_code == 204
    assert (await one.get(acme.in_project)).status_code == 401
    assert (await two.get(acme.in_project)).status_code == 200
    listed = (await acme.project_admin.get(f"{acme.in_project}/api-keys")).json()["items"]
    assert [key["revoked_at"] is not None for key in listed] == [False, True]


async def test_a_key_ends_when_it_says_so_also_in_memory(acme: Acme) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1.5)
    program = await acme.house.key(acme.owner, acme.project, expires_at=ends.isoformat())
    assert (await program.get(acme.in_project)).status_code == 200
    await anyio.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 0.05)
    assert (await program.get(acme.in_project)).status_code == 401
    past = {"name": "old", "expires_at": "2020-01-01T00:00:00Z"}
    assert (await acme.project_admin.post(f"{acme.in_project}/api-keys", past)).status_code == 422
    naive = {"name": "old", "expires_at": "2120-01-01T00:00:00"}
    assert (await acme.project_admin.post(f"{acme.in_project}/api-keys", naive)).status_code == 422


async def test_a_key_has_no_account(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project, "read-write")
    for method, path, body in (
        ("GET", "/api/v1/accounts/me", None),
        ("GET", "/api/v1/sessions", None),
        ("GET", "/api/v1/permissions", None),
        ("DELETE", f"/api/v1/sessions/{uuid4()}", None),
        ("POST", "/api/v1/organisations", {"name": "Mine"}),
        ("POST", "/api/v1/invitations/join", {"token": "x"}),
    ):
        assert (await program.call(method, path, body)).status_code == 403, path
    assert (await program.get("/api/v1/organisations")).json() == {"items": [], "next": None}


async def test_a_program_learns_its_project_from_its_key(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project)
    current = (await program.get("/api/v1/api-keys/current")).json()
    assert (current["project_id"], current["organisation_id"]) == (acme.project["id"], acme.organisation["id"])
    assert (current["name"], current["scope"]) == ("ci", "read")
    assert (await acme.viewer.get("/api/v1/api-keys/current")).status_code == 403


async def test_nobody_makes_a_key_that_can_do_more_than_they_can(acme: Acme) -> None:
    held = sorted(VIEWER.permissions | {"projects:api-keys:manage"})
    role = (await acme.admin.post(f"{acme.in_project}/roles", {"name": "Keys", "permissions": held})).json()["id"]
    await acme.admin.put(f"{acme.in_project}/members/{acme.viewer.user_id}/roles/{role}")
    keys = f"{acme.in_project}/api-keys"
    assert (await acme.viewer.post(keys, {"name": "ok", "scope": "read"})).status_code == 201
    assert (await acme.viewer.post(keys, {"name": "no", "scope": "read-write"})).status_code == 403


async def test_keys_and_rules_of_another_project_are_not_there(acme: Acme) -> None:
    other = await found_acme(acme.house, "Umbrella")
    program = await acme.house.key(other.owner, other.project)
    rule = {"attribute_name": "a", "hidden_role_ids": [str(VIEWER.id)]}
    made = (await other.project_admin.post(f"{other.in_project}/attribute-visibility-rules", rule)).json()
    mine = f"{acme.in_project}/attribute-visibility-rules/{made['id']}"
    assert (await acme.project_admin.delete(f"{acme.in_project}/api-keys/{program.key_id}")).status_code == 404
    assert (await acme.project_admin.put(mine, {"hidden_role_ids": []})).status_code == 404
    assert (await acme.project_admin.delete(mine)).status_code == 404
    assert (await program.get(acme.in_project)).status_code == 404


async def test_rules_are_made_changed_and_deleted(acme: Acme) -> None:
    rules = f"{acme.in_project}/attribute-visibility-rules"
    body = {"attribute_name": "user.email", "hidden_role_ids": [str(VIEWER.id), str(MEMBER.id)]}
    made = (await acme.project_admin.post(rules, body)).json()
    assert [role["name"] for role in made["hidden_from"]] == ["Member", "Viewer"]
    assert (await acme.project_admin.post(rules, body)).status_code == 409
    unknown = {**body, "attribute_name": "x", "hidden_role_ids": [str(uuid4())]}
    assert (await acme.project_admin.post(rules, unknown)).status_code == 404
    changed = await acme.project_admin.put(f"{rules}/{made['id']}", {"hidden_role_ids": [str(VIEWER.id)]})
    assert [role["name"] for role in changed.json()["hidden_from"]] == ["Viewer"]
    assert (await acme.project_admin.delete(f"{rules}/{made['id']}")).status_code == 204
    assert (await acme.project_admin.get(rules)).json()["items"] == []


async def test_deleting_a_role_takes_it_out_of_the_rules(acme: Acme) -> None:
    body = {"name": "Temp", "permissions": ["traces:read"]}
    role = (await acme.project_admin.post(f"{acme.in_project}/roles", body)).json()["id"]
    rules = f"{acme.in_project}/attribute-visibility-rules"
    await acme.project_admin.post(rules, {"attribute_name": "a", "hidden_role_ids": [role]})
    assert (await acme.project_admin.delete(f"{acme.in_project}/roles/{role}")).status_code == 204
    assert (await acme.project_admin.get(rules)).json()["items"][0]["hidden_from"] == []


async def test_a_key_tells_which_project_it_opens(acme: Acme) -> None:
    program = await acme.house.key(acme.owner, acme.project, "read-write")
    answer = await program.get("/api/v1/api-keys/current")
    assert answer.json()["project_id"] == acme.project["id"]
    assert answer.json()["scope"] == "read-write"
    assert (await acme.owner.get("/api/v1/api-keys/current")).status_code == 403
