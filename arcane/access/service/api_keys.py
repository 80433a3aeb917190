"""API keys: as many as a project needs, each with a name, a scope and an end; shown once, kept as a hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from arcane.access.credentials import HINT_LENGTH, hash_of, new_api_key
from arcane.access.permissions import KeyScope, covers
from arcane.access.repository.api_keys import ApiKeyRepository
from arcane.access.service.base import Service, unknown
from arcane.access.tables import ApiKey
from arcane.kit.actor import Actor
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict, MalformedInput, NotAllowed
from arcane.kit.tables import now

LIVE_MAX = 200
"""Most keys of a project that are not revoked: more than that is a program that forgets its keys."""


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that has just been made. `key` is in no other place: show it and forget it."""

    row: ApiKey
    key: str

    def __repr__(self) -> str:
        return f"NewApiKey(id={self.row.id})"


@dataclass(frozen=True, slots=True)
class ApiKeyService(Service):
    """Keys of the actor's project."""

    async def page(self, actor: Actor, request: PageRequest) -> Page[ApiKey]:
        """Returns a page, newest first, revoked ones included."""
        async with self.database.transaction(actor.tenant) as session:
            return await ApiKeyRepository(session).page(actor, request, self.cursors)

    async def create(self, actor: Actor, name: str, scope: KeyScope, expires_at: datetime | None = None) -> NewApiKey:
        """The key works from now on; nobody makes a key that may do more than they may."""
        if actor.organisation_id is None or actor.project_id is None:
            raise unknown("project")
        if not covers(actor.permissions, scope.role.permissions):
            raise NotAllowed("the key could do what you cannot do")
        if expires_at is not None and expires_at <= now():
            past = "this time has passed"
            raise MalformedInput(past, errors=[{"pointer": "#/expires_at", "detail": past}])
        key = new_api_key()
        row = ApiKey(
            organisation_id=actor.organisation_id,
            project_id=actor.project_id,
            name=name,
            scope=scope.value,
            key_hash=hash_of(key),
            hint=key[-HINT_LENGTH:],
            expires_at=expires_at,
            created_by=actor.name,
        )
        async with self.database.transaction(actor.tenant) as session:
            if await ApiKeyRepository(session).live_count(actor) >= LIVE_MAX:
                raise Conflict(f"the project has {LIVE_MAX} keys already; revoke some")
            session.add(row)
            await self.audit.record(session, actor, "api_key.created", ("api_key", row.id), after=_shown(row))
        return NewApiKey(row, key)

    async def revoke(self, actor: Actor, key_id: UUID) -> None:
        """The key opens nothing any more, in any process, now."""
        async with self.database.transaction(actor.tenant) as session:
            row = await ApiKeyRepository(session).get(actor, key_id)
            if row is None:
                raise unknown("API key")
            if row.revoked_at is not None:
                return
            before, row.revoked_at = _shown(row), now()
            await self.audit.record(session, actor, "api_key.revoked", ("api_key", row.id), before, _shown(row))
            await self.changed(session, f"key:{row.id}")


def _shown(row: ApiKey) -> dict[str, object]:
    return {
        "name": row.name,
        "scope": row.scope,
        "hint": row.hint,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
