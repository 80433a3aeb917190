"""Scores on a real database, with projects to work in and a worker that announced its scorers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import SCORES_CREATE, SCORES_DELETE, SCORES_READ, SCORES_UPDATE
from arcane.audit.service import AuditLog
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors
from arcane.kit.problems import NotFound
from arcane.kit.secrets import KeyRing, generate_key
from arcane.messaging.generation import ModelSpec, Provider
from arcane.messaging.workers import WorkerAnnouncement
from arcane.scores.service.scorers import Scorers
from arcane.scores.service.scores import ScoreService
from arcane.workers.service import PresentWorker, WorkerService
from arcane.workers.sessions import WorkerDoor
from tests.support.postgres import MigratedDatabase
from worker.scoring.registry import Registry

EVERYTHING = (SCORES_READ, SCORES_CREATE, SCORES_UPDATE, SCORES_DELETE)


@dataclass(slots=True)
class KnownModels:
    """Model configurations by organisation."""

    known: dict[UUID, set[UUID]] = field(default_factory=dict)

    async def spec(self, session: AsyncSession, organisation_id: UUID, configuration_id: UUID) -> ModelSpec:
        if configuration_id not in self.known.get(organisation_id, ()):
            raise NotFound("there is no such model configuration")
        return ModelSpec(configuration=configuration_id, provider=Provider.OPENAI, model="small")


@dataclass(slots=True)
class ScoreBench:
    """Running scores."""

    stored: MigratedDatabase
    service: ScoreService
    models: KnownModels
    workers: WorkerService

    def worker_comes(self, name: str = "one") -> None:
        """A worker with all scorers is there."""
        now = datetime.now(UTC)
        announcement = WorkerAnnouncement(
            name=name, version="1", started_at=now, runs=("score",), scorers=Registry.load().announced()
        )
        self.workers._heard[name] = PresentWorker(announcement, now)

    def workers_go(self) -> None:
        """No worker is there any more."""
        self.workers._heard.clear()

    async def actor(self, permissions: Sequence[str] = EVERYTHING, organisation: UUID | None = None) -> Actor:
        """Returns a user of a new project, in a new organisation where none is named."""
        if organisation is None:
            organisation, name = new_id(), f"o-{uuid4().hex[:8]}"
            await self.sql(
                "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES ($1, now(), now(), $2, $2)",
                organisation,
                name,
            )
        project, slug = new_id(), f"p-{uuid4().hex[:8]}"
        await self.sql(
            "INSERT INTO projects (id, created_at, updated_at, organisation_id, name, slug, description) "
            "VALUES ($1, now(), now(), $2, $3, $3, '')",
            project,
            organisation,
            slug,
        )
        return Actor(
            ActorKind.USER, uuid4(), "Ada", frozenset(permissions), organisation_id=organisation, project_id=project
        )

    async def model(self, actor: Actor) -> UUID:
        """Returns a model configuration of the actor's organisation."""
        made = new_id()
        assert actor.organisation_id is not None
        await self.sql(
            "INSERT INTO model_configurations (id, created_at, updated_at, organisation_id, name, provider, model, "
            "settings, secrets, parameters, version, created_by) "
            "VALUES ($1, now(), now(), $2, $3, 'openai', 'small', '{}', '{}', '{}', 1, 'Ada')",
            made,
            actor.organisation_id,
            made.hex,
        )
        self.models.known.setdefault(actor.organisation_id, set()).add(made)
        return made

    async def sql(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Returns what a statement answers to the superuser."""
        connection = await asyncpg.connect(self.stored.superuser_dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return found
        finally:
            await connection.close()


@asynccontextmanager
async def scores_on(stored: MigratedDatabase, most: int = 500) -> AsyncIterator[ScoreBench]:
    """Yields scores on `stored`, with one worker there."""
    database = Database.connect(stored.app_url, pool_size=5)
    ring = KeyRing.from_texts([generate_key()])
    cursors = Cursors(ring.signer("cursors"))
    workers = WorkerService(WorkerDoor(None, ring.signer("worker session"), SystemClock()), SystemClock())
    models = KnownModels()
    service = ScoreService(database, AuditLog(database, cursors), cursors, Scorers(database, workers), models, most)
    bench = ScoreBench(stored, service, models, workers)
    bench.worker_comes()
    try:
        yield bench
    finally:
        await database.aclose()
