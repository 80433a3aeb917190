"""What somebody may do who is not asking now: work that goes on in their name has the rights they have by then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel import col, select

from arcane.access.lookups import Lookups
from arcane.access.permissions import OWNER
from arcane.access.principals import Place, held_at
from arcane.access.tables import User
from arcane.kit.actor import Actor, ActorKind, Tenant
from arcane.kit.database import Database
from arcane.kit.problems import NotFound


@dataclass(frozen=True, slots=True)
class Rights:
    """Looks up what people may do now, at the place where they once asked for something."""

    database: Database

    async def now(self, then: Actor) -> Actor | None:
        """Returns a user with the permissions and roles they hold by now; None for one who is a stranger there.

        Anybody else stays as they were: what an API key may do is said by its scope, and keys are replaced by others.
        """
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
