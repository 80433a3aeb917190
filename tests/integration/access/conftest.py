"""A house for each test, with people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import anyio
import pytest

from arcane.access.permissions import MEMBER, ORGANISATION_ADMIN, PROJECT_ADMIN, VIEWER
from tests.integration.access.house import Browser, House, running_house
from tests.support.postgres import OWNER, Server, cloned, shared_folder, turn


@pytest.fixture
def house_template(request: pytest.FixtureRequest) -> str:
    """What the test's house is cloned from. Not async: the templates are made in an event loop of their own."""
    if "acme" in request.fixturenames:
        return str(request.getfixturevalue("furnished")["template"])
    return str(request.getfixturevalue("template_database"))


@pytest.fixture
async def house(house_template: str, postgres_server: Server) -> AsyncIterator[House]:
    """Empty, unless the test works at Acme."""
    async with cloned(postgres_server, house_template) as stored, running_house(stored) as house:
        yield house


@dataclass(slots=True)
class Acme:
    """An organisation with one project and somebody in every role."""

    house: House
    owner: Browser
    organisation: dict[str, Any]
    project: dict[str, Any]
    admin: Browser
    member: Browser
    project_admin: Browser
    project_member: Browser
    viewer: Browser

    @property
    def at(self) -> str:
        return f"/api/v1/organisations/{self.organisation['id']}"

    @property
    def in_project(self) -> str:
        return f"/api/v1/projects/{self.project['id']}"


async def found_acme(house: House, name: str = "Acme") -> Acme:
    """Returns the organisation, made by the instance owner."""
    owner = await house.owner()
    organisation = await house.organisation(owner, name)
    project = await house.project(owner, organisation)
    domain = f"{organisation['slug']}.test"
    return Acme(
        house,
        owner,
        organisation,
        project,
        await house.member(owner, organisation, f"admin@{domain}", ORGANISATION_ADMIN.id),
        await house.member(owner, organisation, f"member@{domain}"),
        *[
            await house.member(owner, organisation, f"{who}@{domain}", project=project, project_role_id=role.id)
            for who, role in (("padmin", PROJECT_ADMIN), ("pmember", MEMBER), ("viewer", VIEWER))
        ],
    )


PEOPLE = ("owner", "admin", "member", "project_admin", "project_member", "viewer")
Furnished = dict[str, Any]


@pytest.fixture(scope="session")
def furnished(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Furnished:
    """A second template with Acme in it, and what its people hold; made once a run: it takes a while."""
    with turn(shared_folder(tmp_path_factory, worker_id)) as state:
        if "furnished" not in state:
            state["furnished"] = anyio.run(_furnish, postgres_server, template_database)
        found: Furnished = state["furnished"]
        return found


async def _furnish(server: Server, template: str) -> Furnished:
    name = f"furnished_{uuid4().hex}"
    async with cloned(server, template) as stored:
        async with running_house(stored) as house:
            acme = await found_acme(house)
        await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{stored.name}" OWNER {OWNER}')
    people = {who: getattr(acme, who).belongings() for who in PEOPLE}
    return {"template": name, "people": people, "organisation": acme.organisation, "project": acme.project}


def acme_again(house: House, furnished: Furnished) -> Acme:
    """Returns Acme, in a house on a clone of the furnished template: everybody is still signed in."""
    people = {who: house.browser() for who in PEOPLE}
    for who, browser in people.items():
        browser.carry(furnished["people"][who])
    return Acme(house, organisation=furnished["organisation"], project=furnished["project"], **people)


@pytest.fixture
async def acme(house: House, furnished: Furnished) -> Acme:
    return acme_again(house, furnished)
