"""Organisations, projects, and who belongs to them."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from arcane.access.permissions import MEMBER, ORGANISATION_ADMIN, ORGANISATION_MEMBER, VIEWER
from tests.integration.access.conftest import Acme
from tests.integration.access.house import House

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def test_whoever_makes_an_organisation_is_its_admin(acme: Acme) -> None:
    made = await acme.viewer.post("/api/v1/organisations", {"name": "Side Project GmbH"})
    assert (made.status_code, made.json()["slug"]) == (201, "side-project-gmbh")
    members = (await acme.viewer.get(f"/api/v1/organisations/{made.json()['id']}/members")).json()["items"]
    assert [(member["name"], member["role_name"]) for member in members] == [("viewer", "Organisation Admin")]


async def test_everybody_lists_their_own_organisations_and_the_owner_all(acme: Acme) -> None:
    other = await acme.house.organisation(acme.owner, "Umbrella")
    listed = (await acme.viewer.get("/api/v1/organisations")).json()["items"]
    assert [row["id"] for row in listed] == [acme.organisation["id"]]
    everything = (await acme.owner.get("/api/v1/organisations")).json()["items"]
    assert [row["id"] for row in everything] == [acme.organisation["id"], other["id"]]


async def test_a_short_name_is_found_when_it_is_taken_and_refused_when_it_was_asked_for(acme: Acme) -> None:
    second = await acme.house.organisation(acme.owner, "Acme")
    assert second["slug"].startswith("acme-")
    wanted = await acme.owner.post("/api/v1/organisations", {"name": "Third", "slug": "acme"})
    assert wanted.status_code == 409
    assert (await acme.owner.patch(acme.at, {"slug": second["slug"]})).status_code == 409
    for slug in ("Acme", "-acme", "a b", "", "a" * 60):
        assert (await acme.owner.post("/api/v1/organisations", {"name": "X", "slug": slug})).status_code == 422
    projects = [await acme.house.project(acme.owner, acme.organisation, "Shop") for _ in range(2)]
    assert len({project["slug"] for project in projects}) == 2


async def test_a_member_may_neither_rename_nor_delete_nor_add_nor_remove(acme: Acme) -> None:
    """The original forgot to ask for a permission on all of these."""
    person = f"{acme.at}/members/{acme.viewer.user_id}"
    for call in (
        acme.member.patch(acme.at, {"name": "Mine"}),
        acme.member.delete(acme.at),
        acme.member.post(f"{acme.at}/invitations", {"email": "x@y.test", "role_id": str(ORGANISATION_MEMBER.id)}),
        acme.member.delete(person),
        acme.member.put(person, {"role_id": str(ORGANISATION_ADMIN.id)}),
        acme.viewer.delete(f"{acme.in_project}/members/{acme.project_member.user_id}"),
    ):
        assert (await call).status_code == 403


async def test_the_last_admin_stays(acme: Acme) -> None:
    me = f"{acme.at}/members/{acme.admin.user_id}"
    await acme.owner.delete(f"{acme.at}/members/{acme.owner.user_id}")
    assert (await acme.admin.put(me, {"role_id": str(ORGANISATION_MEMBER.id)})).status_code == 409
    assert (await acme.admin.delete(me)).status_code == 409
    assert (await acme.owner.delete(f"/api/v1/users/{acme.admin.user_id}")).status_code == 409
    promoted = await acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": str(ORGANISATION_ADMIN.id)})
    assert promoted.status_code == 200
    assert (await acme.admin.delete(me)).status_code == 204


async def test_the_last_owner_stays(acme: Acme) -> None:
    me = f"/api/v1/users/{acme.owner.user_id}"
    assert (await acme.owner.delete(f"{me}/owner")).status_code == 409
    assert (await acme.owner.delete(me)).status_code == 409
    assert (await acme.owner.put(f"/api/v1/users/{acme.admin.user_id}/owner")).json()["is_owner"] is True
    assert (await acme.admin.get("/api/v1/users")).status_code == 200
    assert (await acme.admin.delete(f"{me}/owner")).json()["is_owner"] is False
    assert (await acme.owner.get("/api/v1/users")).status_code == 403


async def test_the_owner_finds_people_by_name_or_address(acme: Acme) -> None:
    found = (await acme.owner.get("/api/v1/users?search=VIEW")).json()["items"]
    assert [user["email"] for user in found] == ["viewer@acme.test"]
    assert (await acme.owner.get("/api/v1/users?search=%25")).json()["items"] == []


async def test_who_is_no_member_of_the_organisation_cannot_be_added_to_a_project(house: House, acme: Acme) -> None:
    elsewhere = await house.organisation(acme.owner, "Umbrella")
    stranger = await house.member(acme.owner, elsewhere, "stranger@umbrella.test")
    members = f"{acme.in_project}/members"
    for user_id in (stranger.user_id, str(uuid4())):
        assert (await acme.project_admin.post(members, {"user_id": user_id})).status_code == 404
    added = await acme.project_admin.post(members, {"user_id": acme.member.user_id, "role_ids": [str(VIEWER.id)]})
    assert added.status_code == 201
    assert [role["name"] for role in added.json()["roles"]] == ["Viewer"]
    assert (await acme.project_admin.post(members, {"user_id": acme.member.user_id})).status_code == 409
    assert (await acme.member.get(acme.in_project)).status_code == 200


async def test_a_project_member_without_a_role_knows_the_project_and_may_nothing(acme: Acme) -> None:
    await acme.project_admin.post(f"{acme.in_project}/members", {"user_id": acme.member.user_id})
    assert (await acme.member.get(acme.in_project)).status_code == 403


async def test_leaving_the_organisation_leaves_its_projects(acme: Acme) -> None:
    assert (await acme.admin.delete(f"{acme.at}/members/{acme.viewer.user_id}")).status_code == 204
    listed = (await acme.admin.get(f"{acme.in_project}/members")).json()["items"]
    assert acme.viewer.user_id not in {member["user_id"] for member in listed}
    assert (await acme.viewer.get(acme.in_project)).status_code == 404


async def test_everybody_lists_the_projects_they_may_know(acme: Acme) -> None:
    await acme.house.project(acme.owner, acme.organisation, "Secret")
    projects = f"{acme.at}/projects"
    assert [row["name"] for row in (await acme.viewer.get(projects)).json()["items"]] == ["Shop"]
    assert (await acme.member.get(projects)).json()["items"] == []
    assert [row["name"] for row in (await acme.admin.get(projects)).json()["items"]] == ["Shop", "Secret"]


async def test_the_trace_filter_has_a_name_and_a_value_or_is_not_there(acme: Acme) -> None:
    given = {"attribute_name": "service.namespace", "attribute_value": "shop"}
    changed = await acme.project_admin.patch(acme.in_project, {"trace_filter": given})
    assert changed.json()["trace_filter_attribute_name"] == "service.namespace"
    kept = await acme.project_admin.patch(acme.in_project, {"description": "Our shop"})
    assert kept.json()["trace_filter_attribute_value"] == "shop"
    gone = await acme.project_admin.patch(acme.in_project, {"trace_filter": None})
    assert gone.json()["trace_filter_attribute_name"] is None
    half = await acme.project_admin.patch(acme.in_project, {"trace_filter": {"attribute_name": "x"}})
    assert half.status_code == 422
    unknown = await acme.project_admin.patch(acme.in_project, {"trace_filters": None})
    assert unknown.status_code == 422


async def test_roles_are_given_with_the_permission_to_give_them(acme: Acme) -> None:
    made = await acme.admin.post(
        f"{acme.in_project}/roles",
        {"name": "Greeter", "permissions": ["projects:read", "projects:members:create", "projects:members:delete"]},
    )
    await acme.admin.put(f"{acme.in_project}/members/{acme.viewer.user_id}/roles/{made.json()['id']}")
    members = f"{acme.in_project}/members"
    with_role = {"user_id": acme.member.user_id, "role_ids": [str(VIEWER.id)]}
    assert (await acme.viewer.post(members, with_role)).status_code == 403
    assert (await acme.viewer.post(members, {"user_id": acme.member.user_id})).status_code == 201
    above = f"{members}/{acme.project_admin.user_id}"
    assert (await acme.viewer.delete(above)).status_code == 403
    assert (await acme.admin.delete(above)).status_code == 204


async def test_people_who_could_be_added_are_searched_for(acme: Acme) -> None:
    found = (await acme.project_admin.get(f"{acme.in_project}/members/available?search=memb")).json()["items"]
    assert {member["email"] for member in found} == {"member@acme.test", "pmember@acme.test"}


async def test_deleting_an_organisation_takes_everything_in_it_along(acme: Acme) -> None:
    await acme.admin.post(f"{acme.at}/roles", {"name": "Auditor", "permissions": ["organisations:read"]})
    role = (await acme.admin.get(f"{acme.at}/roles")).json()["items"][-1]["id"]
    await acme.admin.put(f"{acme.at}/members/{acme.member.user_id}", {"role_id": role})
    await acme.house.key(acme.owner, acme.project)
    rule = {"attribute_name": "user.email", "hidden_role_ids": [str(MEMBER.id), role]}
    assert (await acme.admin.post(f"{acme.in_project}/attribute-visibility-rules", rule)).status_code == 201
    await acme.admin.post(f"{acme.at}/invitations", {"email": "x@y.test", "role_id": role})
    assert (await acme.admin.delete(acme.at)).status_code == 204
    assert (await acme.admin.get(acme.at)).status_code == 404
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'organisation_id' AND table_name <> 'audit_entries'"
    )
    left = {
        row[0]: await connection.fetchval(f'SELECT count(*) FROM "{row[0]}" WHERE organisation_id IS NOT NULL')
        for row in tables
    }
    assert set(left.values()) == {0}, left
    await connection.close()
