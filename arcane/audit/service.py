"""The record of what happened. Every change is recorded in the transaction that makes it: both happen, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.repository import AuditRepository
from arcane.audit.tables import AuditEntry
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest

State = Mapping[str, Any]

_SECRET_WORDS = ("password", "token", "secret", "authorization", "api_key", "private_key", "cookie")
MASK = "********"


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Writes and reads audit entries."""

    database: Database
    cursors: Cursors

    async def record(  # noqa: PLR0913 - who, what, on what, and the two states: nothing to leave out
        self,
        session: AsyncSession,
        actor: Actor,
        action: str,
        resource: tuple[str, UUID | str | None],
        before: State | None = None,
        after: State | None = None,
    ) -> None:
        """An entry is part of `session`'s transaction. Pass what anyone with read access may see.

        `action` is `<resource>.<verb in the past tense>`. With both states, only what differs is kept.
        """
        kind, resource_id = resource
        old, new = _public(before), _public(after)
        if old is not None and new is not None:
            old, new = _difference(old, new)
        entry = AuditEntry(
            organisation_id=actor.organisation_id,
            project_id=actor.project_id,
            actor_kind=actor.kind.value,
            actor_id=actor.id if actor.kind in (ActorKind.USER, ActorKind.API_KEY) else None,
            actor_name=actor.name,
            action=action,
            resource_kind=kind,
            resource_id=None if resource_id is None else str(resource_id),
            before=old,
            after=new,
        )
        session.add(entry)
        await session.flush()

    async def entries(self, actor: Actor, request: PageRequest, action: str | None = None) -> Page[AuditEntry]:
        """Returns a page of what the actor may see in its scope, newest first; `action` may hold `*`."""
        async with self.database.transaction(actor.tenant) as session:
            return await AuditRepository(session).page(actor, request, self.cursors, action)


def _public(state: State | None) -> dict[str, Any] | None:
    """What is stored of a state: plain JSON, and no secret even if a caller forgot."""
    if state is None:
        return None
    masked: dict[str, Any] = _masked(msgspec.to_builtins(dict(state), str_keys=True))
    return masked


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key, item) else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _is_secret(key: str, item: Any) -> bool:
    """A number is none: `max_tokens` is to be read, and two masks would be no difference."""
    return bool(item) and not isinstance(item, int | float) and any(word in key.lower() for word in _SECRET_WORDS)


def _difference(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return {key: old[key] for key in changed if key in old}, {key: new[key] for key in changed if key in new}
