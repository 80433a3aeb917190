"""What every service of this slice is given, and how it says that something changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.authoriser import TOPIC
from arcane.audit.service import AuditLog
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors
from arcane.kit.problems import Conflict, NotAllowed, NotFound, Problem

EVERYBODY = "everybody"
"""Announced when a change may concern anyone: an organisation, a project, a role."""


@dataclass(frozen=True, slots=True)
class Service:
    """Collaborators of a service."""

    database: Database
    audit: AuditLog
    announcer: Announcer
    cursors: Cursors

    async def changed(self, session: AsyncSession, key: str = EVERYBODY) -> None:
        """Once `session` commits, nobody is let in or kept out by what was true before."""
        await self.announcer.announce(session, TOPIC, key)


def unknown(what: str) -> NotFound:
    """Returns the answer for an id that does not exist, or is none of the caller's business."""
    return NotFound(f"there is no such {what} that you can see")


def person(actor: Actor) -> Actor:
    """Returns the actor when it is a signed-in user; a key has no account."""
    if actor.kind is not ActorKind.USER:
        raise NotAllowed("only a signed-in user can do this")
    return actor


@asynccontextmanager
async def unique(session: AsyncSession, constraint: str, otherwise: str | Problem) -> AsyncIterator[None]:
    """What the block adds is in the database; raises `otherwise` (a Conflict) when it breaks `constraint`."""
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as exc:
        if f'"{constraint}"' in str(exc.orig):
            raise Conflict(otherwise) if isinstance(otherwise, str) else otherwise from None
        raise
