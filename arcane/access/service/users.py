"""The instance owner's view: everybody who can sign in, and who else is an owner."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from arcane.access.repository.accounts import SessionRepository, UserRepository
from arcane.access.service.accounts import shown
from arcane.access.service.base import Service, unknown
from arcane.access.tables import User
from arcane.kit.actor import Actor
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict


@dataclass(frozen=True, slots=True)
class UserService(Service):
    """Users of the whole instance. Every route to it asks for the owner's `*`."""

    async def page(self, actor: Actor, request: PageRequest, search: str | None = None) -> Page[User]:
        """Returns a page of everybody who can sign in."""
        async with self.database.transaction(actor.tenant) as session:
            return await UserRepository(session).page(actor, request, self.cursors, search)

    async def make_owner(self, actor: Actor, user_id: UUID) -> User:
        """The user holds everything, everywhere."""
        return await self._set_owner(actor, user_id, is_owner=True)

    async def unmake_owner(self, actor: Actor, user_id: UUID) -> User:
        """The user is no owner any more; the last one stays."""
        return await self._set_owner(actor, user_id, is_owner=False)

    async def remove(self, actor: Actor, user_id: UUID) -> None:
        """The account, its memberships and its sessions are gone: whoever it was is signed out now.

        The last owner stays, and so does the last admin of an organisation.
        """
        async with self.database.transaction(actor.tenant) as session:
            users = UserRepository(session)
            row = await self._locked(users, actor, user_id)
            if row.is_owner and len(await users.owners(actor)) == 1:
                raise Conflict("the last owner of the instance cannot be removed")
            names = await users.organisations_only_administered_by(user_id)
            if names:
                raise Conflict(f"the user is the last admin of: {', '.join(names)}; make another one first")
            await SessionRepository(session).end_all(user_id)
            await session.delete(row)
            await self.audit.record(session, actor, "user.removed", ("user", user_id), before=shown(row))
            await self.changed(session, f"user:{user_id}")

    async def _set_owner(self, actor: Actor, user_id: UUID, *, is_owner: bool) -> User:
        async with self.database.transaction(actor.tenant) as session:
            users = UserRepository(session)
            row = await self._locked(users, actor, user_id)
            if row.is_owner == is_owner:
                return row
            if not is_owner and len(await users.owners(actor)) == 1:
                raise Conflict("the last owner of the instance stays one; make another one first")
            before, row.is_owner = shown(row), is_owner
            action = "instance_owner.assigned" if is_owner else "instance_owner.removed"
            await self.audit.record(session, actor, action, ("user", user_id), before, shown(row))
            await self.changed(session, f"user:{user_id}")
            return row

    async def _locked(self, users: UserRepository, actor: Actor, user_id: UUID) -> User:
        await users.lock_owners()
        row = await users.get(actor, user_id)
        if row is None:
            raise unknown("user")
        return row
