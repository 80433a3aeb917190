"""A catalog on a real database, with organisations to work in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import anyio
import asyncpg

from arcane.access.permissions import (
    DATASOURCES_CREATE,
    DATASOURCES_DELETE,
    DATASOURCES_READ,
    DATASOURCES_UPDATE,
    TRACES_READ,
)
from arcane.audit.service import AuditLog
from arcane.catalog.form import form_of
from arcane.catalog.memory import CatalogMemory
from arcane.catalog.pool import AdapterMaker, AdapterPool
from arcane.catalog.registry import Kind, Registry
from arcane.catalog.service import CatalogService
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.egress import Egress
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors
from arcane.kit.secrets import KeyRing, generate_key
from arcane.settings import EgressSettings, FileSettings, LimitSettings
from tests.support.plugins import ProbePlugin
from tests.support.postgres import MigratedDatabase

EVERYTHING = (DATASOURCES_READ, DATASOURCES_CREATE, DATASOURCES_UPDATE, DATASOURCES_DELETE, TRACES_READ)


@dataclass(slots=True)
class CatalogBench:
    """A running catalog; `keys` are the texts of its key ring, newest first."""

    stored: MigratedDatabase
    service: CatalogService
    plugin: ProbePlugin
    keys: list[str]

    async def organisation(self) -> UUID:
        """Returns a new organisation's id."""
        organisation_id = new_id()
        name = f"o-{uuid4().hex[:8]}"
        await self.sql(
            "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES ($1, now(), now(), $2, $2)",
            organisation_id,
            name,
        )
        return organisation_id

    async def sql(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Returns what a statement answers to the superuser."""
        connection = await asyncpg.connect(self.stored.superuser_dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return found
        finally:
            await connection.close()

    async def dump(self) -> str:
        """Returns every row of every table as text: what a backup would hold."""
        tables = await self.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        parts = [await self.sql(f'SELECT t::text AS line FROM "{row["tablename"]}" t') for row in tables]
        return "\n".join(row["line"] for rows in parts for row in rows)


def actor_of(organisation_id: UUID | None, permissions: Sequence[str] = EVERYTHING) -> Actor:
    """Returns a user of the organisation who may do `permissions`."""
    return Actor(ActorKind.USER, uuid4(), "Ada", frozenset(permissions), organisation_id=organisation_id)


@asynccontextmanager
async def catalog_on(
    stored: MigratedDatabase, *, keys: Sequence[str] = (), listening: bool = True, **limits: float
) -> AsyncIterator[CatalogBench]:
    """Yields a catalog with the one kind `probe`, on `stored`; loopback is open to it."""
    texts = list(keys) or [generate_key()]
    ring = KeyRing.from_texts(texts)
    database, announcer = Database.connect(stored.app_url, pool_size=5), Announcer(stored.app_url)
    plugin, values = ProbePlugin(), LimitSettings.model_validate({"adapter_grace_s": 0.0, **limits})
    registry = Registry((Kind("probe", "Probe", "For tests.", "tests", plugin, form_of(plugin.settings)),))
    egress = Egress(EgressSettings(allow_networks=["127.0.0.0/8"]), values)
    pool = AdapterPool(registry, AdapterMaker(egress, FileSettings()), ring, values)
    cursors = Cursors(ring.signer("cursors"))
    service = CatalogService(
        database, AuditLog(database, cursors), announcer, registry, ring, cursors, pool, CatalogMemory(announcer)
    )
    async with anyio.create_task_group() as group:
        if listening:
            await group.start(announcer.run)
        await group.start(pool.run)
        try:
            yield CatalogBench(stored, service, plugin, texts)
        finally:
            group.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        await database.aclose()
