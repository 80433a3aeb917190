"""A house for each test, with people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from arcane.access.permissions import MEMBER, ORGANISATION_ADMIN, PROJECT_ADMIN, VIEWER
from tests.integration.access.house import Browser, House, running_house
from tests.support.postgres import MigratedDatabase


@pytest.fixture
async def house(migrated_database: MigratedDatabase) -> AsyncIterator[House]:
    async with running_house(migrated_database) as house:
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


@pytest.fixture
async def acme(house: House) -> Acme:
    return await found_acme(house)
