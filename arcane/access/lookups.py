"""The only reads before the tenant is known: each calls one door of the database (alembic/sql/0001_walls.sql)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.credentials import csrf_token, hash_of
from arcane.access.permissions import KeyScope
from arcane.access.principals import Grant, KeyPrincipal, Place, SignedIn, UserPrincipal
from arcane.kit.actor import Tenant
from arcane.kit.database import Database

_SESSION = text("SELECT * FROM access_session(:hash)")
_API_KEY = text("SELECT * FROM access_api_key(:hash)")
_GRANTS = text("SELECT * FROM access_grants(:user_id)")
_PLACE = text("SELECT * FROM access_place(:organisation_id, :organisation_slug, :project_id, :project_slug)")
_CREDENTIALS = text("SELECT * FROM access_credentials(:email)")
_INVITATION = text("SELECT * FROM access_invitation(:hash)")
_IS_SET_UP = text("SELECT access_is_set_up()")


@dataclass(frozen=True, slots=True)
class Address:
    """How a path names a place: by ids (API) or by slugs (pages)."""

    organisation_id: UUID | None = None
    organisation_slug: str | None = None
    project_id: UUID | None = None
    project_slug: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in compares with."""

    user_id: UUID
    email: str
    name: str
    password_hash: str
    is_owner: bool


@dataclass(frozen=True, slots=True)
class InvitationFound:
    """What an invitation's token leads to."""

    invitation_id: UUID
    organisation_id: UUID
    organisation_name: str
    organisation_slug: str
    email: str
    status: str
    expires_at: datetime
    invited_by: str
    has_account: bool


@dataclass(frozen=True, slots=True)
class Lookups:
    """Finds who and where. Every method is one short transaction that sees no tenant."""

    database: Database

    async def session(self, token: str) -> UserPrincipal | None:
        """Returns whose session `token` is, with every role of theirs; None when it has ended."""
        async with self.database.transaction(Tenant()) as session:
            found = await _first(session, _SESSION, hash=hash_of(token))
            if found is None:
                return None
            grants = await self._grants(session, found["user_id"])
        signed_in = SignedIn(
            user_id=found["user_id"],
            name=found["name"],
            email=found["email"],
            is_owner=found["is_owner"],
            session_id=found["session_id"],
            csrf_token=csrf_token(token),
            expires_at=found["expires_at"],
        )
        return UserPrincipal(signed_in, grants)

    async def principal_of(self, signed_in: SignedIn) -> UserPrincipal:
        """Returns the principal of somebody who is signed in, with every role of theirs as it is now."""
        return UserPrincipal(signed_in, await self.grants(signed_in.user_id))

    async def grants(self, user_id: UUID) -> tuple[Grant, ...]:
        """Returns every role of a user as it is now."""
        async with self.database.transaction(Tenant()) as session:
            return await self._grants(session, user_id)

    async def api_key(self, key: str) -> KeyPrincipal | None:
        """Returns what `key` opens; None when it does not exist, was revoked or has expired."""
        async with self.database.transaction(Tenant()) as session:
            found = await _first(session, _API_KEY, hash=hash_of(key))
        if found is None:
            return None
        return KeyPrincipal(**{**found, "scope": KeyScope(found["scope"])})

    async def place(self, address: Address) -> Place | None:
        """Returns what `address` names, None when there is no such place."""
        async with self.database.transaction(Tenant()) as session:
            found = await _first(
                session,
                _PLACE,
                organisation_id=address.organisation_id,
                organisation_slug=address.organisation_slug,
                project_id=address.project_id,
                project_slug=address.project_slug,
            )
        return None if found is None else Place(**found)

    async def credentials(self, email: str) -> Credentials | None:
        """Returns what is stored of the account with this address."""
        async with self.database.transaction(Tenant()) as session:
            found = await _first(session, _CREDENTIALS, email=email)
        return None if found is None else Credentials(**found)

    async def invitation(self, token: str) -> InvitationFound | None:
        """Returns the invitation this token belongs to, whatever has become of it."""
        async with self.database.transaction(Tenant()) as session:
            found = await _first(session, _INVITATION, hash=hash_of(token))
        return None if found is None else InvitationFound(**found)

    async def is_set_up(self) -> bool:
        """True when this instance has an owner."""
        async with self.database.transaction(Tenant()) as session:
            return bool((await session.execute(_IS_SET_UP)).scalar_one())

    async def _grants(self, session: AsyncSession, user_id: UUID) -> tuple[Grant, ...]:
        rows = (await session.execute(_GRANTS, {"user_id": user_id})).mappings()
        return tuple(
            Grant.of((row["organisation_id"], row["project_id"]), row["role_id"], row["permissions"]) for row in rows
        )


async def _first(session: AsyncSession, statement: Any, **given: Any) -> dict[str, Any] | None:
    row = (await session.execute(statement, given)).mappings().first()
    return None if row is None else dict(row)
