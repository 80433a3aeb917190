"""Selects links to a new password, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.tables import PasswordLink, User


@dataclass(frozen=True, slots=True)
class PasswordLinkRepository:
    """Selects inside one transaction, at instance scope."""

    session: AsyncSession

    async def clear(self, user_id: UUID) -> None:
        """No link for this account works any more."""
        await self.session.execute(delete(PasswordLink).where(col(PasswordLink.user_id) == user_id))

    async def user_of(self, token_hash: bytes, now: datetime) -> User | None:
        """Returns whose link it is, None when it does not work."""
        statement = (
            select(User)
            .join(PasswordLink, col(PasswordLink.user_id) == col(User.id))
            .where(col(PasswordLink.token_hash) == token_hash, col(PasswordLink.expires_at) > now)
        )
        return (await self.session.scalars(statement)).first()

    async def use(self, token_hash: bytes, now: datetime) -> User | None:
        """Returns whose link it was; it does not work again. Of two at once, one gets the account."""
        statement = delete(PasswordLink).where(
            col(PasswordLink.token_hash) == token_hash, col(PasswordLink.expires_at) > now
        )
        used = (await self.session.execute(statement.returning(col(PasswordLink.user_id)))).all()
        if not used:
            return None
        return (await self.session.scalars(select(User).where(col(User.id) == used[0][0]).with_for_update())).first()
