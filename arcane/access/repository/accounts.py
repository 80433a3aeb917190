"""Selects users, their sessions and the setup link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, false, func, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import ORGANISATION_ADMIN
from arcane.access.tables import SetupLink, User, UserSession
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_AGE = Keyset("users", (col(User.id),), tuple[UUID])
_OWNERS_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('arcane.access.owners'))")
_LOCK_ADMINISTERED = text(
    "SELECT o.id FROM organisations o WHERE EXISTS (SELECT 1 FROM organisation_members m "
    "WHERE m.organisation_id = o.id AND m.user_id = :user_id AND m.role_id = :admin) ORDER BY o.id FOR UPDATE"
)
_ONLY_ADMINISTERED_BY = text(
    "SELECT o.name FROM organisations o JOIN organisation_members m ON m.organisation_id = o.id "
    "WHERE m.role_id = :admin GROUP BY o.id, o.name HAVING count(*) = 1 AND bool_or(m.user_id = :user_id)"
)


@dataclass(frozen=True, slots=True)
class UserRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects everybody for the instance owner, oneself for a user, nobody for anyone else."""
        if actor.tenant.instance:
            return select(User)
        if actor.kind is not ActorKind.USER:
            return select(User).where(false())
        return select(User).where(col(User.id) == actor.id)

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors, search: str | None) -> Page[User]:
        """Returns a page, oldest account first; `search` is part of a name or an address."""
        statement = self.visible_to(actor)
        if search:
            part = search.lower()
            statement = statement.where(
                or_(
                    func.lower(col(User.name)).contains(part, autoescape=True),
                    col(User.email).contains(part, autoescape=True),
                )
            )
        rows = (await self.session.scalars(_BY_AGE.select_after(statement, request, cursors))).all()
        return _BY_AGE.page(rows, request, cursors, lambda user: (user.id,))

    async def get(self, actor: Actor, user_id: UUID) -> User | None:
        """Returns one user; whoever else wants to change it waits."""
        statement = self.visible_to(actor).where(col(User.id) == user_id).with_for_update()
        found: User | None = (await self.session.scalars(statement)).first()
        return found

    async def lock_owners(self) -> None:
        """From here to the end of the transaction nobody else makes or unmakes an owner."""
        await self.session.execute(_OWNERS_LOCK)

    async def owners(self, actor: Actor) -> list[User]:
        """Returns the instance owners."""
        return list((await self.session.scalars(self.visible_to(actor).where(col(User.is_owner)))).all())

    async def organisations_only_administered_by(self, user_id: UUID) -> list[str]:
        """Returns the names of organisations whose last admin this is; their members stay as they are meanwhile."""
        given = {"user_id": user_id, "admin": ORGANISATION_ADMIN.id}
        await self.session.execute(_LOCK_ADMINISTERED, given)
        return list((await self.session.execute(_ONLY_ADMINISTERED_BY, given)).scalars().all())


@dataclass(frozen=True, slots=True)
class SessionRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the user's own sessions, also for the instance owner."""
        if actor.kind is not ActorKind.USER:
            return select(UserSession).where(false())
        return select(UserSession).where(col(UserSession.user_id) == actor.id)

    async def live(self, actor: Actor, now: datetime) -> list[UserSession]:
        """Returns the sessions that have not ended, last seen first."""
        statement = self.visible_to(actor).where(col(UserSession.expires_at) > now)
        return list((await self.session.scalars(statement.order_by(col(UserSession.last_seen_at).desc()))).all())

    async def get(self, actor: Actor, session_id: UUID) -> UserSession | None:
        """Returns one session."""
        found: UserSession | None = (
            await self.session.scalars(self.visible_to(actor).where(col(UserSession.id) == session_id))
        ).first()
        return found

    async def end_expired(self, user_id: UUID, now: datetime) -> None:
        """The user's sessions that have ended are gone."""
        await self.session.execute(
            delete(UserSession).where(col(UserSession.user_id) == user_id, col(UserSession.expires_at) <= now)
        )

    async def end_all(self, user_id: UUID, *, but: UUID | None = None) -> None:
        """The user's sessions are gone, except `but`."""
        statement = delete(UserSession).where(col(UserSession.user_id) == user_id)
        if but is not None:
            statement = statement.where(col(UserSession.id) != but)
        await self.session.execute(statement)


@dataclass(frozen=True, slots=True)
class SetupLinkRepository:
    """Keeps the one link of an instance without owner."""

    session: AsyncSession

    async def replace(self, token_hash: bytes, expires_at: datetime) -> None:
        """The only link that works is this one."""
        await self.session.execute(delete(SetupLink))
        self.session.add(SetupLink(token_hash=token_hash, expires_at=expires_at))
        await self.session.flush()

    async def use(self, token_hash: bytes, now: datetime) -> bool:
        """True when this was the link; it does not work again."""
        statement = delete(SetupLink).where(col(SetupLink.token_hash) == token_hash, col(SetupLink.expires_at) > now)
        used = (await self.session.execute(statement.returning(col(SetupLink.id)))).all()
        return len(used) == 1

    async def clear(self) -> None:
        """No link works any more."""
        await self.session.execute(delete(SetupLink))
