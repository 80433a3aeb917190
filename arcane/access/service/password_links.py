"""One-time links to a new password, for whoever forgot theirs: there is no mail, an owner hands the link over.

Only the instance's owners make one. An organisation's admin may not: the account may belong to other
organisations as well, and whoever makes the link could use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from arcane.access.credentials import hash_of, new_token
from arcane.access.lookups import Lookups
from arcane.access.names import normal_email
from arcane.access.repository.accounts import SessionRepository, UserRepository
from arcane.access.repository.password_links import PasswordLinkRepository
from arcane.access.service.accounts import AccountService, account_of
from arcane.access.service.base import Service, unknown
from arcane.access.service.sessions import Client
from arcane.access.tables import PasswordLink, User
from arcane.kit.actor import Actor, Tenant
from arcane.kit.problems import NotFound, Problem
from arcane.kit.tables import now

_INSTANCE = Tenant(instance=True)
_GONE = "this link was used, was replaced or is too old; ask an owner of this instance for a new one"
_LIMITED_AS = "(password link)"


class PasswordLinkNotUsable(Problem):
    """The link was used, replaced, is too old, or never was one."""

    status = 409
    slug = "password-link-not-usable"
    title = "Password link not usable"


@dataclass(frozen=True, slots=True)
class IssuedPasswordLink:
    """A link that was just made; it is shown once."""

    user: User
    link: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"IssuedPasswordLink(user={self.user.id})"


@dataclass(frozen=True, slots=True)
class PasswordLinkService(Service):
    """Makes links, and changes the password of whoever holds one."""

    accounts: AccountService

    async def issue(self, actor: Actor, user_id: UUID) -> IssuedPasswordLink:
        """Returns a new link for the account; one that was made before does not work any more."""
        token, expires_at = new_token(), now() + timedelta(hours=self.accounts.settings.password_link_hours)
        async with self.database.transaction(actor.tenant) as session:
            row = await UserRepository(session).get(actor, user_id)
            if row is None:
                raise unknown("user")
            await PasswordLinkRepository(session).clear(row.id)
            session.add(PasswordLink(user_id=row.id, token_hash=hash_of(token), expires_at=expires_at))
            await self.audit.record(
                session, actor, "user.password_link_issued", ("user", row.id), after={"expires_at": expires_at}
            )
        link = f"{self.accounts.public_url.rstrip('/')}/new-password?token={token}"
        return IssuedPasswordLink(row, link, expires_at)

    async def issue_by_email(self, actor: Actor, email: str) -> IssuedPasswordLink:
        """Returns a new link for the account with this address; raises NotFound."""
        try:
            found = await Lookups(self.database).credentials(normal_email(email))
        except ValueError:
            found = None
        if found is None:
            raise NotFound("no account has this address")
        return await self.issue(actor, found.user_id)

    async def email_of(self, token: str) -> str | None:
        """Returns whose password the link changes, None when it changes nobody's."""
        async with self.database.transaction(_INSTANCE) as session:
            found = await PasswordLinkRepository(session).user_of(hash_of(token), now())
        return None if found is None else found.email

    async def use(self, token: str, password: str, client: Client) -> None:
        """The holder of the link signs in with `password` from now on; every session has ended, and so has the link."""
        self.accounts.limiter.begin(client.address, _LIMITED_AS)
        async with self.database.transaction(_INSTANCE) as session:
            found = await PasswordLinkRepository(session).user_of(hash_of(token), now())
        if found is None:
            raise PasswordLinkNotUsable(_GONE)
        hashed = await self.accounts.hashed(password, found.email, "#/password")
        async with self.database.transaction(_INSTANCE) as session:
            row = await PasswordLinkRepository(session).use(hash_of(token), now())
            if row is None:
                raise PasswordLinkNotUsable(_GONE)
            row.password_hash, row.password_changed_at = hashed, now()
            await SessionRepository(session).end_all(row.id)
            await self.audit.record(session, account_of(row).actor, "user.password_reset", ("user", row.id))
            await self.changed(session, f"user:{row.id}")
        self.accounts.limiter.succeeded(client.address, _LIMITED_AS)
