"""What somebody may do who is not asking now: work that goes on in their name has the rights they have by then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import or_
from sqlmodel import col, select

from arcane.access.lookups import Lookups
from arcane.access.permissions import OWNER, KeyScope
from arcane.access.principals import Place, held_at
from arcane.access.tables import ApiKey, User
from arcane.kit.actor import Actor, ActorKind, Tenant
from arcane.kit.database import Database
from arcane.kit.problems import NotFound
from arcane.kit.tables import now


@dataclass(frozen=True, slots=True)
class Rights:
    """Looks up what people may do now, at the place where they once asked for something."""

    database: Database

    async def now(self, then: Actor) -> Actor | None:
        """Returns the actor with the permissions and roles they hold by now; None for one who is a stranger there.

        A key that was revoked, or has expired, is a stranger. The process itself stays what it was.
        """
        if then.kind is ActorKind.API_KEY:
            return await self._key(then)
        if then.kind is not ActorKind.USER or then.organisation_id is None:
            return then
        async with self.database.transaction(Tenant(user_id=then.id)) as session:
            is_owner = (await session.scalars(select(User.is_owner).where(col(User.id) == then.id))).one_or_none()
        if is_owner is None:
            return None
        if is_owner:
            return replace(then, permissions=OWNER.permissions, role_ids=frozenset({OWNER.id}))
        lookups = Lookups(self.database)
        place = Place(then.organisation_id, "", then.project_id)
        try:
            permissions, roles = held_at(await lookups.grants(then.id), place)
        except NotFound:
            return None
        return replace(then, permissions=permissions, role_ids=frozenset(roles))

    async def _key(self, then: Actor) -> Actor | None:
        statement = select(ApiKey.scope).where(
            col(ApiKey.id) == then.id,
            col(ApiKey.project_id) == then.project_id,
            col(ApiKey.revoked_at).is_(None),
            or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > now()),
        )
        async with self.database.transaction(then.tenant) as session:
            scope = (await session.scalars(statement)).one_or_none()
        if scope is None:
            return None
        role = KeyScope(scope).role
        return replace(then, permissions=role.permissions, role_ids=frozenset({role.id}))
