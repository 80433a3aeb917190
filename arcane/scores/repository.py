"""Selects scores and scorers inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Actor
from arcane.kit.ids import new_id
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.tables import now
from arcane.messaging.scoring import ScorerDescription
from arcane.scores.tables import AnnouncedScorer, Score, ScoreModels

_BUILT_IN = col(Score.project_id).is_(None)
_OWN_FIRST = Keyset("scores", (_BUILT_IN, func.lower(col(Score.name)), col(Score.id)), tuple[bool, str, UUID])


@dataclass(frozen=True, slots=True)
class ScoreRepository:
    """Reads within what one actor may see; writing is `session.add`."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the scores of the actor's project, and those that every project has."""
        own = (col(Score.organisation_id) == actor.organisation_id) & (col(Score.project_id) == actor.project_id)
        return select(Score).where(or_(own, _BUILT_IN))

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Score]:
        """Returns a page by name, the project's own scores first."""
        statement = _OWN_FIRST.select_after(self.visible_to(actor), request, cursors)
        rows = (await self.session.scalars(statement)).all()
        return _OWN_FIRST.page(rows, request, cursors, lambda row: (row.project_id is None, row.name.lower(), row.id))

    async def find(self, actor: Actor, score_id: UUID, *, for_change: bool = False) -> Score | None:
        """Returns the score, with its row locked when it is about to change."""
        statement = self.visible_to(actor).where(col(Score.id) == score_id)
        if for_change:
            statement = statement.with_for_update()
        found: Score | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def name_is_taken(self, actor: Actor, name: str, *, other_than: UUID) -> bool:
        """True when another score that the project has is called so, in whatever case."""
        same = self.visible_to(actor).where(func.lower(col(Score.name)) == func.lower(name))
        return (await self.session.scalars(same.where(col(Score.id) != other_than).limit(1))).one_or_none() is not None

    async def count(self, actor: Actor) -> int:
        """Returns how many scores of its own the actor's project has."""
        own = self.visible_to(actor).where(col(Score.project_id).is_not(None))
        return (await self.session.scalars(select(func.count()).select_from(own.subquery()))).one()

    async def models(self, actor: Actor) -> ScoreModels | None:
        """Returns the models of the actor's project."""
        statement = select(ScoreModels).where(
            col(ScoreModels.organisation_id) == actor.organisation_id, col(ScoreModels.project_id) == actor.project_id
        )
        return (await self.session.scalars(statement)).one_or_none()


@dataclass(frozen=True, slots=True)
class ScorerRepository:
    """Reads and keeps what workers announced; it belongs to the instance, and anybody may read it."""

    session: AsyncSession

    async def all(self) -> list[ScorerDescription]:
        """Returns every scorer that was announced."""
        rows = (await self.session.scalars(select(AnnouncedScorer).order_by(col(AnnouncedScorer.key)))).all()
        return [msgspec.json.decode(row.description["json"], type=ScorerDescription) for row in rows]

    async def keep(self, scorers: Iterable[ScorerDescription], most: int) -> None:
        """`scorers` are kept in place of what was known of them; beyond `most`, new ones are not."""
        room = most - (await self.session.scalars(select(func.count()).select_from(AnnouncedScorer))).one()
        known = set((await self.session.scalars(select(AnnouncedScorer.key))).all())
        for one in scorers:
            if one.key not in known and room <= 0:
                continue
            room -= one.key not in known
            # As text: jsonb forgets the order of members, which is that of the form's fields.
            values = {"description": {"json": msgspec.json.encode(one).decode()}, "announced_at": now()}
            statement = insert(AnnouncedScorer).values(id=new_id(), created_at=now(), key=one.key, **values)
            await self.session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
