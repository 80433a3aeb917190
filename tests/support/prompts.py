"""Prompts on a real database, with projects to work in and models to choose from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import anyio
import asyncpg

from arcane.access.permissions import PROMPTS_CREATE, PROMPTS_DELETE, PROMPTS_READ, PROMPTS_UPDATE
from arcane.audit.service import AuditLog
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors
from arcane.kit.secrets import KeyRing, generate_key
from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.models.configure import Draft
from arcane.models.running import RunNow
from arcane.models.service import ModelService
from arcane.prompts.drafts import PromptKind, VersionDraft
from arcane.prompts.running import PromptRuns
from arcane.prompts.service import PromptService
from arcane.settings import PromptSettings
from arcane.workers.service import WorkerService
from tests.support.postgres import MigratedDatabase
from tests.support.workers import door_of

EVERYTHING = (PROMPTS_READ, PROMPTS_CREATE, PROMPTS_UPDATE, PROMPTS_DELETE)


@dataclass(frozen=True, slots=True)
class Place:
    """A project, somebody in it, and a model configuration of its organisation."""

    actor: Actor
    model: UUID

    def draft(self, *texts: str, **members: Any) -> VersionDraft:
        """Returns a version that says `texts`, the last one by the user and those before by the system."""
        kind, description = members.pop("kind", PromptKind.CHAT), members.pop("description", "")
        model, said = members.pop("model", self.model), texts or ("Hello {{name}}",)
        roles = [Role.SYSTEM] * (len(said) - 1) + [Role.USER]
        messages = tuple(ChatMessage(role=role, text=one) for role, one in zip(roles, said, strict=True))
        spec = PromptSpec(**{"messages": messages, "format": TemplateFormat.MUSTACHE, **members})
        return VersionDraft(spec=spec, model_configuration_id=model, kind=kind, description=description)


@dataclass(slots=True)
class PromptBench:
    """The prompts, and places to keep them in."""

    stored: MigratedDatabase
    service: PromptService
    models: ModelService
    runs: PromptRuns

    async def place(self, organisation_id: UUID | None = None) -> Place:
        """Returns a new project, of a new organisation unless one is given."""
        if organisation_id is None:
            organisation_id = new_id()
            await self.sql(
                "INSERT INTO organisations (id, created_at, updated_at, name, slug) VALUES ($1, now(), now(), $2, $2)",
                organisation_id,
                f"o-{uuid4().hex[:8]}",
            )
        project_id = new_id()
        await self.sql(
            "INSERT INTO projects (id, created_at, updated_at, organisation_id, name, slug, description) "
            "VALUES ($1, now(), now(), $2, $3, $3, '')",
            project_id,
            organisation_id,
            f"p-{uuid4().hex[:8]}",
        )
        actor = Actor(ActorKind.USER, uuid4(), "Ada", frozenset(EVERYTHING), organisation_id, project_id)
        settings = {"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-test"}
        draft = Draft(f"Stub {uuid4().hex[:6]}", "openai-compatible", "stub-small", settings, {})
        return Place(actor, (await self.models.create(actor, draft)).id)

    async def sql(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Returns what a statement answers to the superuser."""
        connection = await asyncpg.connect(self.stored.superuser_dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return found
        finally:
            await connection.close()


@asynccontextmanager
async def prompts_on(stored: MigratedDatabase, **settings: Any) -> AsyncIterator[PromptBench]:
    """Yields the prompts of a database."""
    database, ring = Database.connect(stored.app_url, pool_size=5), KeyRing.from_texts([generate_key()])
    cursors = Cursors(ring.signer("cursors"))
    audit = AuditLog(database, cursors)
    models = ModelService(database, audit, ring, cursors, 100)
    service = PromptService(database, audit, cursors, models, PromptSettings.model_validate(settings))
    try:
        clock = SystemClock()
        run_now = RunNow(models, WorkerService(door_of(None, clock), clock), clock, None, 5.0)
        yield PromptBench(stored, service, models, PromptRuns(database, service, run_now, cursors))
    finally:
        with anyio.CancelScope(shield=True):
            await database.aclose()
