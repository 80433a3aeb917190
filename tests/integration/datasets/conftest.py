"""A project with its dataset services, and somebody who works there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from arcane.access.permissions import MEMBER
from arcane.audit.service import AuditLog
from arcane.datasets.wiring import DatasetParts, build_datasets
from arcane.kit.actor import Actor, ActorKind, Tenant
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors
from arcane.kit.signing import Signer
from arcane.settings import DatasetSettings
from tests.support.evaluating import PlantedTraces
from tests.support.postgres import MigratedDatabase

CURSORS = Cursors(Signer.of([b"k" * 32], "cursor"))
_ORGANISATION = text(
    "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES (:id, now(), now(), :slug, :slug)"
)
_PROJECT = text(
    "INSERT INTO projects (id, created_at, updated_at, organisation_id, name, slug, description) "
    "VALUES (:id, now(), now(), :organisation, :slug, :slug, '')"
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody in one project works with."""

    parts: DatasetParts
    database: Database
    actor: Actor
    traces: PlantedTraces

    async def colleague(self, *, same_organisation: bool = True) -> Actor:
        """Returns somebody in another project."""
        organisation = self.actor.organisation_id if same_organisation else None
        return await _somebody(self.database, organisation)


async def _somebody(database: Database, organisation: UUID | None = None) -> Actor:
    project = new_id()
    async with database.transaction(Tenant(instance=True)) as session:
        if organisation is None:
            organisation = new_id()
            await session.execute(_ORGANISATION, {"id": organisation, "slug": f"o{organisation.hex}"})
        await session.execute(_PROJECT, {"id": project, "organisation": organisation, "slug": f"p{project.hex}"})
    return Actor(ActorKind.USER, new_id(), "Grace Hopper", MEMBER.permissions, organisation, project)


@asynccontextmanager
async def working(stored: MigratedDatabase, limits: DatasetSettings | None = None) -> AsyncIterator[Desk]:
    """Somebody works in a new project while the block runs."""
    database = Database.connect(stored.app_url, pool_size=5)
    traces = PlantedTraces()
    parts = build_datasets(database, AuditLog(database, CURSORS), CURSORS, limits or DatasetSettings(), traces)
    try:
        yield Desk(parts, database, await _somebody(database), traces)
    finally:
        await database.aclose()


@pytest.fixture
async def desk(migrated_database: MigratedDatabase) -> AsyncIterator[Desk]:
    async with working(migrated_database) as made:
        yield made
