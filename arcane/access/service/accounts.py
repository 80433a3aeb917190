"""Accounts: the first owner, signing in and out, sessions, one's own name and password."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.credentials import SessionCookie, hash_of, new_token
from arcane.access.limiter import SignInLimiter
from arcane.access.lookups import Credentials, Lookups
from arcane.access.names import normal_email
from arcane.access.passwords import Passwords, check_password
from arcane.access.principals import SYSTEM, anonymous
from arcane.access.repository.accounts import SessionRepository, SetupLinkRepository, UserRepository
from arcane.access.repository.password_links import PasswordLinkRepository
from arcane.access.service.base import Service, person, unknown
from arcane.access.service.sessions import Account, Client, NewSession, begin_session
from arcane.access.tables import User, UserSession
from arcane.kit.actor import Actor, Tenant
from arcane.kit.problems import Conflict, MalformedInput, NotSignedIn, Problem
from arcane.kit.tables import now
from arcane.settings import AccessSettings

_INSTANCE = Tenant(instance=True)
_SETUP_LINK_VALID = timedelta(days=7)
_LINK_GONE = "this link was used, was replaced or is too old; `arcane create-owner-link` prints a new one"


class WrongCredentials(NotSignedIn):
    """The address or the password is wrong; which of them is nobody's business."""

    slug = "wrong-credentials"
    title = "Wrong credentials"


class SetupLinkNotUsable(Problem):
    """The link was used, replaced, is too old, or never was one."""

    status = 409
    slug = "setup-link-not-usable"
    title = "Setup link not usable"


@dataclass(frozen=True, slots=True)
class SetupStatus:
    """Whether somebody still has to become the owner of this instance."""

    needs_owner: bool


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What somebody says about themselves when their account is made."""

    email: str
    name: str
    password: str

    def __repr__(self) -> str:
        return f"NewAccount(email={self.email!r})"


@dataclass(frozen=True, slots=True)
class AccountService(Service):
    """Who can sign in. `cookie` is how a browser is signed in."""

    settings: AccessSettings
    public_url: str
    passwords: Passwords
    limiter: SignInLimiter
    cookie: SessionCookie

    async def setup_status(self) -> SetupStatus:
        """Returns whether this instance still has no owner."""
        return SetupStatus(needs_owner=not await self._lookups.is_set_up())

    async def issue_setup_link(self) -> str | None:
        """Returns a new one-time link that makes its holder the owner, None when there is one already.

        Only a hash is kept, so it can be shown once; a link that was made before does not work any more.
        """
        if await self._lookups.is_set_up():
            return None
        token = new_token()
        async with self.database.transaction(_INSTANCE) as session:
            await SetupLinkRepository(session).replace(hash_of(token), now() + _SETUP_LINK_VALID)
        return f"{self.public_url.rstrip('/')}/setup?token={token}"

    async def claim_owner(self, token: str, account: NewAccount, client: Client) -> NewSession:
        """The holder of the setup link is the instance owner and signed in; the link does not work again."""
        self.limiter.begin(client.address, "(setup)")
        if await self._lookups.is_set_up():
            raise SetupLinkNotUsable(_LINK_GONE)
        row = await self._new_user(account, is_owner=True)
        async with self.database.transaction(_INSTANCE) as session:
            users = UserRepository(session)
            await users.lock_owners()
            if await users.owners(SYSTEM) or not await SetupLinkRepository(session).use(hash_of(token), now()):
                raise SetupLinkNotUsable(_LINK_GONE)
            session.add(row)
            await session.flush()
            self.limiter.succeeded(client.address, "(setup)")
            mine = account_of(row)
            await self.audit.record(session, mine.actor, "instance.owner_claimed", ("user", row.id), after=shown(row))
            return await begin_session(session, mine, client, days=self.settings.session_days)

    async def ensure_owner_from_settings(self) -> bool:
        """True when the owner named in the settings was created now; does nothing once there is an owner."""
        email, password = self.settings.owner_email, self.settings.owner_password
        if email is None or password is None or await self._lookups.is_set_up():
            return False
        try:
            account = NewAccount(normal_email(email), email.partition("@")[0], password.get_secret_value())
        except ValueError as exc:
            raise MalformedInput(f"ARCANE_ACCESS__OWNER_EMAIL: {email} is {exc}") from None
        row = await self._new_user(account, is_owner=True)
        async with self.database.transaction(_INSTANCE) as session:
            users = UserRepository(session)
            await users.lock_owners()
            if await users.owners(SYSTEM):
                return False
            await SetupLinkRepository(session).clear()
            session.add(row)
            await session.flush()
            await self.audit.record(session, SYSTEM, "instance.owner_created", ("user", row.id), after=shown(row))
        return True

    async def sign_in(self, email: str, password: str, client: Client) -> NewSession:
        """Returns a new session; raises WrongCredentials or TooManyRequests.

        An unknown address takes as long as a wrong password and gets the same answer.
        """
        try:
            address = normal_email(email)
        except ValueError:
            address = ""
        self.limiter.begin(client.address, address)
        found = await self._lookups.credentials(address) if address else None
        if not await self.passwords.verify(found.password_hash if found else None, password) or found is None:
            await self._record_failure(address, found, client)
            raise WrongCredentials("the e-mail address or the password is wrong")
        self.limiter.succeeded(client.address, address)
        return await self._signed_in(found, password, client)

    async def sign_out(self, actor: Actor, session_id: UUID) -> None:
        """The session has ended, everywhere, now."""
        await self._end(actor, session_id, "user.signed_out")

    async def sessions(self, actor: Actor) -> Sequence[UserSession]:
        """Returns where the user is signed in, last seen first."""
        async with self.database.transaction(person(actor).tenant) as session:
            return await SessionRepository(session).live(actor, now())

    async def revoke_session(self, actor: Actor, session_id: UUID) -> None:
        """One of the user's sessions has ended, everywhere, now."""
        await self._end(actor, session_id, "user.session_revoked")

    async def revoke_other_sessions(self, actor: Actor, current_session: UUID) -> None:
        """Every session of the user but the current one has ended, everywhere, now."""
        async with self.database.transaction(person(actor).tenant) as session:
            await SessionRepository(session).end_all(actor.id, but=current_session)
            await self.audit.record(session, actor, "user.other_sessions_revoked", ("user", actor.id))
            await self.changed(session, f"user:{actor.id}")

    async def profile(self, actor: Actor) -> User:
        """Returns the user's own account."""
        async with self.database.transaction(person(actor).tenant) as session:
            return await _own(session, actor)

    async def rename(self, actor: Actor, name: str) -> User:
        """The user is shown by this name."""
        async with self.database.transaction(person(actor).tenant) as session:
            row = await _own(session, actor)
            before, row.name = shown(row), name
            await self.audit.record(session, actor, "user.renamed", ("user", row.id), before, shown(row))
            await self.changed(session, f"user:{row.id}")
            return row

    async def change_password(self, actor: Actor, current_session: UUID, current: str, new: str) -> None:
        """The user signs in with `new` from now on; every other session of theirs has ended, and so has a link."""
        row = await self.profile(actor)
        self.limiter.begin(f"session:{current_session}", row.email)
        if not await self.passwords.verify(row.password_hash, current):
            wrong = "this is not your password"
            raise MalformedInput(wrong, errors=[{"pointer": "#/current", "detail": wrong}])
        self.limiter.succeeded(f"session:{current_session}", row.email)
        self._check(new, row.email, "#/new")
        hashed = await self.passwords.hash(new)
        tenant = replace(actor.tenant, instance=True)  # a link to a new password is the instance's, not the user's
        async with self.database.transaction(tenant) as session:
            row = await _own(session, actor)
            row.password_hash, row.password_changed_at = hashed, now()
            await SessionRepository(session).end_all(row.id, but=current_session)
            await PasswordLinkRepository(session).clear(row.id)
            await self.audit.record(session, actor, "user.password_changed", ("user", row.id))
            await self.changed(session, f"user:{row.id}")

    async def new_user(self, account: NewAccount) -> User:
        """Returns the row of a new account, its password checked and hashed; nothing is written."""
        return await self._new_user(account, is_owner=False)

    async def hashed(self, password: str, email: str, pointer: str) -> str:
        """Returns the hash of a new password; raises MalformedInput, pointing there, for one that is too weak."""
        self._check(password, email, pointer)
        return await self.passwords.hash(password)

    async def _new_user(self, account: NewAccount, *, is_owner: bool) -> User:
        self._check(account.password, account.email, "#/password")
        hashed = await self.passwords.hash(account.password)
        return User(email=account.email, name=account.name, password_hash=hashed, is_owner=is_owner)

    def _check(self, password: str, email: str, pointer: str) -> None:
        check_password(password, shortest=self.settings.min_password_length, email=email, pointer=pointer)

    async def _signed_in(self, found: Credentials, password: str, client: Client) -> NewSession:
        account = Account(found.user_id, found.email, found.name, found.is_owner)
        renewed = await self.passwords.hash(password) if self.passwords.is_outdated(found.password_hash) else None
        async with self.database.transaction(Tenant(user_id=found.user_id)) as session:
            row = await _own(session, account.actor)
            if row.password_hash != found.password_hash:
                raise Conflict("the password has just been changed; sign in again")
            row.password_hash = renewed or row.password_hash
            begun = await begin_session(session, account, client, days=self.settings.session_days)
            await self.audit.record(session, account.actor, "user.signed_in", ("user", row.id), after=_from(client))
            return begun

    async def _record_failure(self, address: str, found: Credentials | None, client: Client) -> None:
        who = anonymous(address or "(not an e-mail address)")
        resource = ("user", found.user_id if found else None)
        async with self.database.transaction(Tenant()) as session:
            await self.audit.record(session, who, "user.sign_in_failed", resource, after=_from(client))

    async def _end(self, actor: Actor, session_id: UUID, action: str) -> None:
        async with self.database.transaction(person(actor).tenant) as session:
            row = await SessionRepository(session).get(actor, session_id)
            if row is None:
                raise unknown("session")
            await session.delete(row)
            state = {"user_agent": row.user_agent, "address": row.address}
            await self.audit.record(session, actor, action, ("session", row.id), before=state)
            await self.changed(session, f"session:{row.id}")

    @property
    def _lookups(self) -> Lookups:
        return Lookups(self.database)


def account_of(user: User) -> Account:
    """Returns what a session of `user` says."""
    return Account(user.id, user.email, user.name, user.is_owner)


def shown(user: User) -> dict[str, object]:
    """Returns what the audit log keeps of an account."""
    return {"email": user.email, "name": user.name, "is_owner": user.is_owner}


async def _own(session: AsyncSession, actor: Actor) -> User:
    row = await UserRepository(session).get(actor, actor.id)
    if row is None:
        raise unknown("account")
    return row


def _from(client: Client) -> dict[str, str]:
    return {"address": client.address, "user_agent": client.user_agent}
