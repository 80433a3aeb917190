"""The mistakes of the original product about roles, one by one."""

from __future__ import annotations

from uuid import uuid4

import pytest

from arcane.access.permissions import (
    MEMBER,
    ORGANISATION_ADMIN,
    ORGANISATION_MEMBER,
    OWNER,
    PROJECT_ADMIN,
    SYSTEM_ROLES,
    VIEWER,
)
from tests.integration.access.conftest import Acme, found_acme
from tests.integration.access.house import Browser, House

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def _role(browser: Browser, at: str, *permissions: str, name: str = "Custom") -> str:
    made = await browser.post(f"{at}/roles", {"name": name, "permissions": list(permissions)})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.mark.parametrize("permission", ["*", "datasources:*", "no:such:thing", ""])
async def test_a_custom_role_holds_only_what_exists_below_the_instance(acme: Acme, permission: str) -> None:
    for at in (acme.at, acme.in_project):
        answer = await acme.owner.post(f"{at}/roles", {"name": "Sneaky", "permissions": ["traces:read", permission]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/permissions/1"


@pytest.mark.parametrize("permission", ["organisations:roles:create", "projects:create", "datasources:delete"])
async def test_a_projects_role_holds_nothing_of_the_organisation(acme: Acme, permission: str) -> None:
    body = {"name": "Above", "permissions": [permission]}
    assert (await acme.project_admin.post(f"{acme.in_project}/roles", body)).status_code == 422
    assert (await acme.owner.post(f"{acme.in_project}/roles", body)).status_code == 422
    assert (await acme.owner.post(f"{acme.at}/roles", body)).status_code == 201


async def test_a_role_holds_nothing_its_author_does_not_hold(acme: Acme) -> None:
    clerk = await _role(acme.admin, acme.at, "organisations:read", "organisations:roles:create", name="Clerk")
    await acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": clerk})
    own = {"name": "Mine", "permissions": ["organisations:read"]}
    more = {"name": "More", "permissions": ["organisations:read", "organisations:delete"]}
    assert (await acme.member.post(f"{acme.at}/roles", own)).status_code == 201
    assert (await acme.member.post(f"{acme.at}/roles", more)).status_code == 403


async def test_nobody_gives_a_role_that_holds_more_than_they_hold(acme: Acme) -> None:
    clerk = await _role(acme.admin, acme.at, "organisations:read", "organisations:members:update", name="Clerk")
    await acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": clerk})
    me = f"{acme.at}/members/{acme.member.user_id}"
    boss = f"{acme.at}/members/{acme.admin.user_id}"
    assert (await acme.member.put(me, {"role_id": str(ORGANISATION_ADMIN.id)})).status_code == 403
    assert (await acme.member.put(boss, {"role_id": clerk})).status_code == 403


async def test_the_owner_role_is_out_of_reach(acme: Acme) -> None:
    me = f"{acme.at}/members/{acme.admin.user_id}"
    assert (await acme.admin.put(me, {"role_id": str(OWNER.id)})).status_code == 404
    assert (await acme.owner.put(me, {"role_id": str(OWNER.id)})).status_code == 404
    in_project = f"{acme.in_project}/members/{acme.viewer.user_id}/roles"
    for role in (OWNER, ORGANISATION_ADMIN, ORGANISATION_MEMBER):
        assert (await acme.owner.put(f"{in_project}/{role.id}")).status_code == 404
    body = {"email": "x@acme.test", "role_id": str(OWNER.id)}
    assert (await acme.owner.post(f"{acme.at}/invitations", body)).status_code == 404
    body = {"email": "x@acme.test", "role_id": str(PROJECT_ADMIN.id)}
    assert (await acme.owner.post(f"{acme.at}/invitations", body)).status_code == 404


async def test_roles_of_another_organisation_or_project_are_not_there(house: House, acme: Acme) -> None:
    other = await found_acme(house, "Umbrella")
    theirs = await _role(other.admin, other.at, "organisations:read")
    next_door = await house.project(acme.owner, acme.organisation, "Next door")
    special = await _role(acme.owner, f"/api/v1/projects/{next_door['id']}", "traces:read")
    for role_id in (theirs, special, str(uuid4())):
        for call in (
            acme.admin.get(f"{acme.at}/roles/{role_id}"),
            acme.admin.patch(f"{acme.at}/roles/{role_id}", {"name": "Mine now"}),
            acme.admin.delete(f"{acme.at}/roles/{role_id}"),
            acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": role_id}),
            acme.admin.post(f"{acme.at}/invitations", {"email": "x@acme.test", "role_id": role_id}),
            acme.project_admin.get(f"{acme.in_project}/roles/{role_id}"),
            acme.project_admin.delete(f"{acme.in_project}/roles/{role_id}"),
            acme.project_admin.put(f"{acme.in_project}/members/{acme.viewer.user_id}/roles/{role_id}"),
            acme.project_admin.post(
                f"{acme.in_project}/members", {"user_id": acme.member.user_id, "role_ids": [role_id]}
            ),
        ):
            assert (await call).status_code == 404


async def test_the_systems_roles_are_fixed(acme: Acme) -> None:
    for role in SYSTEM_ROLES.values():
        at = acme.at if role.level == "organisation" else acme.in_project
        wanted = 404 if role is OWNER else 409
        assert (await acme.owner.patch(f"{at}/roles/{role.id}", {"name": "Mine"})).status_code == wanted
        assert (await acme.owner.delete(f"{at}/roles/{role.id}")).status_code == wanted


async def test_a_project_role_gives_nothing_in_the_organisation(acme: Acme) -> None:
    """The original took the union of all project roles for the organisation's routes."""
    mine = await acme.project_admin.get(f"/api/v1/accounts/me/permissions?organisation_id={acme.organisation['id']}")
    assert set(mine.json()["organisation"]) == ORGANISATION_MEMBER.permissions
    assert (await acme.project_admin.get(f"{acme.at}/members")).status_code == 403
    assert (await acme.project_admin.patch(acme.at, {"name": "Mine"})).status_code == 403
    assert (await acme.project_admin.delete(acme.at)).status_code == 403


async def test_the_pages_can_ask_what_somebody_may_do(acme: Acme) -> None:
    query = f"?organisation_id={acme.organisation['id']}&project_id={acme.project['id']}"
    viewer = (await acme.viewer.get(f"/api/v1/accounts/me/permissions{query}")).json()
    assert viewer["instance"] == []
    assert set(viewer["project"]) == VIEWER.permissions | ORGANISATION_MEMBER.permissions
    owner = (await acme.owner.get(f"/api/v1/accounts/me/permissions{query}")).json()
    assert owner["instance"][0] == "*"
    assert "projects:api-keys:manage" in owner["project"]
    assert (await acme.member.get(f"/api/v1/accounts/me/permissions{query}")).status_code == 404


async def test_a_custom_role_of_the_organisation_reaches_into_its_projects(acme: Acme) -> None:
    role = await _role(acme.admin, acme.at, "organisations:read", "projects:read", "traces:read", name="Auditor")
    assert (await acme.member.get(acme.in_project)).status_code == 404
    await acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": role})
    assert (await acme.member.get(acme.in_project)).status_code == 200
    assert (await acme.member.get(f"{acme.in_project}/members")).status_code == 403


async def test_a_role_somebody_has_stays(acme: Acme) -> None:
    role = await _role(acme.admin, acme.in_project, "projects:read")
    member = f"{acme.in_project}/members/{acme.viewer.user_id}/roles/{role}"
    await acme.admin.put(member)
    assert (await acme.admin.delete(f"{acme.in_project}/roles/{role}")).status_code == 409
    assert (await acme.admin.delete(member)).status_code == 200
    assert (await acme.admin.delete(f"{acme.in_project}/roles/{role}")).status_code == 204


async def test_names_of_roles_are_unique_where_they_are_given(acme: Acme) -> None:
    await _role(acme.admin, acme.at, "organisations:read", name="Auditor")
    body = {"name": "auditor", "permissions": ["organisations:read"]}
    assert (await acme.admin.post(f"{acme.at}/roles", body)).status_code == 409
    await _role(acme.admin, acme.in_project, "projects:read", name="Auditor")


async def test_the_list_shows_the_roles_of_the_level_and_what_they_hold(acme: Acme) -> None:
    await _role(acme.admin, acme.in_project, "projects:read", name="Ours")
    organisation = (await acme.admin.get(f"{acme.at}/roles")).json()["items"]
    project = (await acme.admin.get(f"{acme.in_project}/roles")).json()["items"]
    assert [role["name"] for role in organisation] == ["Organisation Admin", "Organisation Member"]
    assert [role["name"] for role in project] == ["Project Admin", "Member", "Viewer", "Ours"]
    assert set(project[1]["permissions"]) == MEMBER.permissions


async def test_a_page_of_roles_continues_where_the_last_one_ended(acme: Acme) -> None:
    whole = (await acme.admin.get(f"{acme.in_project}/roles")).json()
    first = (await acme.admin.get(f"{acme.in_project}/roles?limit=2")).json()
    second = (await acme.admin.get(f"{acme.in_project}/roles?limit=2&cursor={first['next']}")).json()
    assert first["items"] + second["items"] == whole["items"]
    assert (second["next"], whole["next"]) == (None, None)
    assert (await acme.admin.get(f"{acme.in_project}/roles?limit=1000")).status_code == 422
    assert (await acme.admin.get(f"{acme.in_project}/roles?cursor=nonsense")).status_code == 400
    assert (await acme.admin.get(f"{acme.in_project}/members?cursor={first['next']}")).status_code == 400
