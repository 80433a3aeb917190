"""Selects the history of runs inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.prompts.tables import PromptRun

_NEWEST = Keyset("prompt-runs", (col(PromptRun.id),), tuple[UUID], descending=True)
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class RunRepository:
    """Reads within what one actor may see."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the runs of the actor's project."""
        return select(PromptRun).where(
            col(PromptRun.organisation_id) == actor.organisation_id, col(PromptRun.project_id) == actor.project_id
        )

    async def page(
        self, actor: Actor, request: PageRequest, cursors: Cursors, prompt_id: UUID | None
    ) -> Page[PromptRun]:
        """Returns a page, newest first."""
        statement = self.visible_to(actor)
        if prompt_id is not None:
            statement = statement.where(col(PromptRun.prompt_id) == prompt_id)
        rows = (await self.session.scalars(_NEWEST.select_after(statement, request, cursors))).all()
        return _NEWEST.page(rows, request, cursors, lambda row: (row.id,))

    async def find(self, actor: Actor, run_id: UUID) -> PromptRun | None:
        """Returns the run."""
        found: PromptRun | None = (
            await self.session.scalars(self.visible_to(actor).where(col(PromptRun.id) == run_id))
        ).one_or_none()
        return found

    async def to_settle(self, run_id: UUID) -> PromptRun | None:
        """Returns the run while it has not ended, its row locked."""
        statement = select(PromptRun).where(col(PromptRun.id) == run_id, col(PromptRun.status) == "running")
        found: PromptRun | None = (await self.session.scalars(statement.with_for_update())).one_or_none()
        return found

    async def fail_lost(self, before: datetime) -> None:
        """Runs that began before and never ended are failed: the process that ran them is gone."""
        lost = (col(PromptRun.status) == "running", col(PromptRun.created_at) < before)
        ended = {"status": "failed", "error": "the backend stopped before there was an answer"}
        await self.session.execute(update(PromptRun).where(*lost).values(**ended))

    async def forget(self, before: datetime) -> int:
        """Returns how many runs that began before are gone; a sweep after a long time takes several."""
        due = select(col(PromptRun.id)).where(col(PromptRun.created_at) < before).limit(_AT_ONCE)
        gone = await self.session.execute(
            delete(PromptRun).where(col(PromptRun.id).in_(due)).returning(col(PromptRun.id))
        )
        return len(gone.all())
