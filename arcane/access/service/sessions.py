"""Signing somebody in: shared by the password, the setup link and an accepted invitation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.credentials import csrf_token, hash_of, new_token
from arcane.access.principals import SignedIn
from arcane.access.repository.accounts import SessionRepository
from arcane.access.tables import UserSession
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.tables import now

_LONGEST_AGENT = 400


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as far as it says."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun. `token` is in no other place: put it into the cookie and forget it."""

    token: str
    signed_in: SignedIn
    expires_at: datetime

    def __repr__(self) -> str:
        return f"NewSession(user={self.signed_in.user_id})"


@dataclass(frozen=True, slots=True)
class Account:
    """What a session says about its user."""

    user_id: UUID
    email: str
    name: str
    is_owner: bool

    @property
    def actor(self) -> Actor:
        """The user at instance scope."""
        permissions = frozenset({"*"}) if self.is_owner else frozenset[str]()
        return Actor(ActorKind.USER, self.user_id, self.name, permissions)


async def begin_session(session: AsyncSession, account: Account, client: Client, *, days: int) -> NewSession:
    """A session of `account` is part of the transaction; those that have ended are gone."""
    token, begun = new_token(), now()
    row = UserSession(
        user_id=account.user_id,
        token_hash=hash_of(token),
        expires_at=begun + timedelta(days=days),
        last_seen_at=begun,
        user_agent=_printable(client.user_agent)[:_LONGEST_AGENT],
        address=_printable(client.address)[:_LONGEST_AGENT],
    )
    await SessionRepository(session).end_expired(account.user_id, begun)
    session.add(row)
    await session.flush()
    signed_in = SignedIn(
        user_id=account.user_id,
        name=account.name,
        email=account.email,
        is_owner=account.is_owner,
        session_id=row.id,
        csrf_token=csrf_token(token),
        expires_at=row.expires_at,
    )
    return NewSession(token, signed_in, row.expires_at)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
