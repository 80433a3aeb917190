"""What happened is written down, with the change, without secrets."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from arcane.access.permissions import ORGANISATION_ADMIN, ORGANISATION_MEMBER, VIEWER
from arcane.access.principals import SYSTEM
from arcane.kit.actor import Tenant
from tests.integration.access.conftest import Acme, found_acme
from tests.integration.access.house import PASSWORD, Browser, House

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def _entries(browser: Browser, at: str = "/api/v1", query: str = "") -> list[dict[str, Any]]:
    answer = await browser.get(f"{at}/audit-entries?limit=200{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_every_way_in_and_out_is_recorded(house: House) -> None:
    owner = await house.owner()
    await house.browser(**{"User-Agent": "Firefox"}).sign_in("owner@arcane.test", "wrong wrong wrong")
    await house.browser().sign_in("secret typed here", "wrong wrong wrong")
    guest = house.browser()
    await guest.sign_in("owner@arcane.test")
    await guest.delete("/api/v1/sessions/current")
    entries = await _entries(owner)
    assert [entry["action"] for entry in entries] == [
        "user.signed_out",
        "user.signed_in",
        "user.sign_in_failed",
        "user.sign_in_failed",
        "instance.owner_claimed",
    ]
    failed = entries[3]
    assert failed["actor"] == {"kind": "anonymous", "id": None, "name": "owner@arcane.test"}
    assert failed["after"] == {"address": "192.0.2.7", "user_agent": "Firefox"}
    assert failed["resource"] == {"kind": "user", "id": owner.user_id}
    assert "secret typed here" not in str(entries)


async def test_every_kind_of_change_is_recorded_with_who_did_it(acme: Acme) -> None:
    house, admin = acme.house, acme.admin
    key = await house.key(admin, acme.project)
    await admin.delete(f"{acme.in_project}/api-keys/{key.key_id}")
    rules = f"{acme.in_project}/attribute-visibility-rules"
    rule = (await admin.post(rules, {"attribute_name": "a", "hidden_role_ids": [str(VIEWER.id)]})).json()["id"]
    await admin.put(f"{rules}/{rule}", {"hidden_role_ids": []})
    await admin.delete(f"{rules}/{rule}")
    body = {"name": "Temp", "permissions": ["projects:read"]}
    role = (await admin.post(f"{acme.in_project}/roles", body)).json()["id"]
    await admin.patch(f"{acme.in_project}/roles/{role}", {"name": "Tmp"})
    member = f"{acme.in_project}/members/{acme.viewer.user_id}"
    await admin.put(f"{member}/roles/{role}")
    await admin.delete(f"{member}/roles/{role}")
    await admin.delete(f"{acme.in_project}/roles/{role}")
    await admin.delete(member)
    await admin.post(f"{acme.in_project}/members", {"user_id": acme.viewer.user_id})
    await admin.patch(acme.in_project, {"name": "Shop 2"})
    await admin.patch(acme.at, {"name": "Acme 2"})
    invited = {"email": "x@y.test", "role_id": str(ORGANISATION_MEMBER.id)}
    invitation = (await admin.post(f"{acme.at}/invitations", invited)).json()["id"]
    await admin.delete(f"{acme.at}/invitations/{invitation}")
    await admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": str(ORGANISATION_MEMBER.id)})
    await admin.delete(f"{acme.at}/members/{acme.member.user_id}")
    await admin.delete(acme.in_project)
    done = [entry for entry in await _entries(admin, acme.at) if entry["actor"]["id"] == admin.user_id]
    assert {entry["actor"]["name"] for entry in done} == {"admin"}
    assert [entry["action"] for entry in reversed(done)] == [
        "organisation.user.added",
        "api_key.created",
        "api_key.revoked",
        "attribute-visibility-rule.created",
        "attribute-visibility-rule.updated",
        "attribute-visibility-rule.deleted",
        "role.created",
        "role.updated",
        "project_role.assigned",
        "project_role.removed",
        "role.deleted",
        "project_member.removed",
        "project_member.added",
        "project.updated",
        "organisation.updated",
        "organisation.user.invited",
        "organisation.invitation.revoked",
        "organisation.user.role.assigned",
        "organisation.user.removed",
        "project.deleted",
    ]


async def test_a_change_keeps_what_differs_before_and_after(acme: Acme) -> None:
    await acme.project_admin.patch(acme.in_project, {"description": "New"})
    entry = (await _entries(acme.project_admin, acme.in_project))[0]
    assert (entry["before"], entry["after"]) == ({"description": ""}, {"description": "New"})
    assert entry["project_id"] == acme.project["id"]


async def test_who_invites_an_address_again_is_told_with_what_it_was_invited_to_before(acme: Acme) -> None:
    invited = {"email": "x@y.test", "role_id": str(ORGANISATION_MEMBER.id)}
    for role in (ORGANISATION_MEMBER, ORGANISATION_ADMIN):
        answer = await acme.admin.post(f"{acme.at}/invitations", {**invited, "role_id": str(role.id)})
        assert answer.status_code == 201
    again, first = (await _entries(acme.admin, acme.at, "&action=organisation.user.invited"))[:2]
    assert (first["before"], first["after"]["email"]) == (None, "x@y.test")
    assert again["resource"] == first["resource"]
    assert again["before"]["role_id"] == str(ORGANISATION_MEMBER.id)
    assert again["after"]["role_id"] == str(ORGANISATION_ADMIN.id)


async def test_no_secret_reaches_the_log_even_if_a_caller_forgets(acme: Acme) -> None:
    house = acme.house
    program = await house.key(acme.owner, acme.project)
    await acme.owner.put("/api/v1/accounts/me/password", {"current": PASSWORD, "new": "another long password"})
    async with house.database.transaction(Tenant(instance=True)) as session:
        careless = {"url": "http://tempo", "auth": {"password": "hunter2", "api_key": None}, "headers": ["x"]}
        await house.parts.accounts.audit.record(session, SYSTEM, "x.y", ("datasource", None), after=careless)
    connection = await asyncpg.connect(house.stored.superuser_dsn)
    dump = str([tuple(row) for row in await connection.fetch("SELECT * FROM audit_entries")])
    await connection.close()
    for secret in ("hunter2", program.key, PASSWORD, "another long password"):
        assert secret not in dump
    assert '"password": "********"' in dump


async def test_a_number_is_no_secret_whatever_it_is_called(acme: Acme) -> None:
    async with acme.house.database.transaction(Tenant(instance=True)) as session:
        before, after = {"parameters": {"max_tokens": 100}}, {"parameters": {"max_tokens": 200}}
        await acme.house.parts.accounts.audit.record(session, SYSTEM, "x.y", ("model", None), before, after)
    (entry,) = await _entries(acme.owner, query="&action=x.y")
    assert (entry["before"], entry["after"]) == (before, after)


async def test_a_change_that_fails_leaves_no_entry(acme: Acme) -> None:
    before = len(await _entries(acme.admin, acme.at))
    assert (await acme.admin.delete(f"{acme.at}/roles/{VIEWER.id}")).status_code == 404
    taken = await acme.house.organisation(acme.owner, "Taken")
    assert (await acme.admin.patch(acme.at, {"slug": taken["slug"]})).status_code == 409
    assert len(await _entries(acme.admin, acme.at)) == before


async def test_everybody_reads_their_own_scope_only(acme: Acme) -> None:
    other = await found_acme(acme.house, "Umbrella")
    organisations = {entry["organisation_id"] for entry in await _entries(acme.admin, acme.at)}
    assert organisations == {acme.organisation["id"]}
    projects = {entry["project_id"] for entry in await _entries(other.project_admin, other.in_project)}
    assert projects == {other.project["id"]}
    everywhere = {entry["organisation_id"] for entry in await _entries(acme.owner)}
    assert everywhere == {None, acme.organisation["id"], other.organisation["id"]}
    assert (await acme.member.get(f"{acme.at}/audit-entries")).status_code == 403
    assert (await acme.viewer.get(f"{acme.in_project}/audit-entries")).status_code == 403
    assert (await acme.admin.get("/api/v1/audit-entries")).status_code == 403


async def test_entries_are_filtered_by_action_and_paged(acme: Acme) -> None:
    await acme.house.key(acme.owner, acme.project)
    filtered = await _entries(acme.admin, acme.at, "&action=api_key.*")
    assert [entry["action"] for entry in filtered] == ["api_key.created"]
    assert await _entries(acme.admin, acme.at, "&action=api%25") == []
    assert await _entries(acme.admin, acme.at, "&action=apiXkey.*") == []
    whole = await _entries(acme.admin, acme.at)
    paged: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await acme.admin.get(f"{acme.at}/audit-entries?limit=3{cursor}")).json()
        paged += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == whole
    first = (await acme.admin.get(f"{acme.at}/audit-entries?limit=3")).json()["next"]
    other = "y" if first[10] == "x" else "x"
    tampered = await acme.admin.get(f"{acme.at}/audit-entries?cursor={first[:10]}{other}{first[11:]}")
    assert (tampered.status_code, tampered.json()["type"]) == (400, "/problems/tampered-cursor")


async def test_entries_outlive_what_they_speak_of(acme: Acme) -> None:
    assert (await acme.admin.delete(acme.at)).status_code == 204
    deleted = (await _entries(acme.owner, query="&action=organisation.deleted"))[0]
    assert deleted["resource"] == {"kind": "organisation", "id": acme.organisation["id"]}
    assert deleted["before"] == {"name": "Acme", "slug": "acme"}
