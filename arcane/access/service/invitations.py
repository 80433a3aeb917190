"""Invitations: the only way to an account, apart from being the first owner.

There is no mail yet: the inviter is shown the link once and hands it over. The address that was
invited is the account's address; whoever has an account already accepts while signed in with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.credentials import hash_of, new_token
from arcane.access.lookups import InvitationFound, Lookups
from arcane.access.permissions import covers
from arcane.access.repository.invitations import InvitationRepository
from arcane.access.repository.organisations import MemberRepository, OrganisationRepository
from arcane.access.repository.projects import ProjectRepository
from arcane.access.repository.roles import RoleRepository
from arcane.access.service.accounts import AccountService, NewAccount, account_of
from arcane.access.service.base import Service, person, unique, unknown
from arcane.access.service.organisations import giveable_role
from arcane.access.service.roles import permissions_of
from arcane.access.service.sessions import Client, NewSession, begin_session
from arcane.access.tables import Invitation, OrganisationMember, ProjectMember, ProjectMemberRole
from arcane.kit.actor import Actor
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict, NotAllowed, Problem
from arcane.kit.tables import now


class InvitationStatus(StrEnum):
    """What has become of an invitation."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_FOUND = "not_found"


class InvitationNotUsable(Problem):
    """The invitation was accepted, revoked, has expired, was replaced, or is for somebody else; `reason` says."""

    status = 409
    slug = "invitation-not-usable"
    title = "Invitation not usable"


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation, and the link that accepts it. The link is shown once."""

    invitation: Invitation
    link: str


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What the holder of the link is told. Without a usable invitation: only why not."""

    status: InvitationStatus
    organisation_name: str | None = None
    email: str | None = None
    invited_by: str | None = None
    has_account: bool = False


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """Who is asked to join, as what, and maybe right into one project."""

    email: str
    role_id: UUID
    project_id: UUID | None = None
    project_role_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class InvitationService(Service):
    """Invitations of the actor's organisation, and the holder's side of them."""

    accounts: AccountService
    days: int
    public_url: str

    async def page(self, actor: Actor, request: PageRequest) -> Page[Invitation]:
        """Returns a page, newest first."""
        async with self.database.transaction(actor.tenant) as session:
            return await InvitationRepository(session).page(actor, request, self.cursors)

    async def invite(self, actor: Actor, wanted: NewInvitation) -> Invited:
        """The address is invited; inviting it again makes a new link and the old one useless."""
        token = new_token()
        async with self.database.transaction(actor.tenant) as session:
            await self._check(session, actor, wanted)
            row = await InvitationRepository(session).pending_for(actor, wanted.email)
            before = None if row is None else _shown(row)
            if row is None:
                row = Invitation(
                    organisation_id=_organisation(actor),
                    email=wanted.email,
                    role_id=wanted.role_id,
                    token_hash=b"",
                    expires_at=now(),
                    invited_by=actor.name,
                )
            row.role_id, row.project_id = wanted.role_id, wanted.project_id
            row.project_role_id, row.invited_by = wanted.project_role_id, actor.name
            row.token_hash, row.expires_at = hash_of(token), now() + timedelta(days=self.days)
            async with unique(session, "uq_invitations_pending", "somebody is inviting this address right now"):
                session.add(row)
            resource = ("invitation", row.id)
            await self.audit.record(session, actor, "organisation.user.invited", resource, before, _shown(row))
        return Invited(row, f"{self.public_url.rstrip('/')}/invitation?token={token}")

    async def revoke(self, actor: Actor, invitation_id: UUID) -> None:
        """The invitation cannot be accepted any more."""
        async with self.database.transaction(actor.tenant) as session:
            row = await InvitationRepository(session).get(actor, invitation_id)
            if row is None:
                raise unknown("invitation")
            if row.status != InvitationStatus.PENDING:
                raise Conflict(f"the invitation was {row.status}")
            before, row.status = _shown(row), InvitationStatus.REVOKED.value
            resource = ("invitation", row.id)
            await self.audit.record(session, actor, "organisation.invitation.revoked", resource, before, _shown(row))

    async def look_up(self, token: str) -> InvitationView:
        """Returns what the holder of the link may know."""
        found = await Lookups(self.database).invitation(token)
        status = _status(found)
        if found is None or status is not InvitationStatus.PENDING:
            return InvitationView(status)
        return InvitationView(status, found.organisation_name, found.email, found.invited_by, found.has_account)

    async def accept_with_new_account(self, token: str, name: str, password: str, client: Client) -> NewSession:
        """The invited address has an account with this password, belongs to the organisation and is signed in."""
        self.accounts.limiter.begin(client.address, "(invitation)")
        found = await self._usable(token)
        known = InvitationNotUsable("this address has an account: sign in, then accept", reason="has_account")
        if found.has_account:
            raise known
        row = await self.accounts.new_user(NewAccount(found.email, name, password))
        account = account_of(row)
        actor = replace(account.actor, organisation_id=found.organisation_id)
        async with self.database.transaction(actor.tenant) as session:
            async with unique(session, "uq_users_email", known):  # somebody accepted it meanwhile
                session.add(row)
            await self.audit.record(
                session, account.actor, "user.created", ("user", row.id), after={"email": row.email, "name": row.name}
            )
            await self._join(session, actor, found)
            self.accounts.limiter.succeeded(client.address, "(invitation)")
            return await begin_session(session, account, client, days=self.accounts.settings.session_days)

    async def accept(self, actor: Actor, email: str, token: str) -> UUID:
        """The signed-in user, whose address is the invited one, belongs to the organisation; returns its id."""
        found = await self._usable(token)
        if email.lower() != found.email:
            raise InvitationNotUsable("the invitation is for another address", reason="other_address")
        scoped = replace(person(actor), organisation_id=found.organisation_id)
        async with self.database.transaction(scoped.tenant) as session:
            if await MemberRepository(session).get(scoped, actor.id) is not None:
                raise Conflict("you are a member of the organisation already")
            await self._join(session, scoped, found)
        return found.organisation_id

    async def _check(self, session: AsyncSession, actor: Actor, wanted: NewInvitation) -> None:
        """Every id in an invitation belongs to the organisation, and nobody invites to more than they hold."""
        if await MemberRepository(session).with_email(actor, wanted.email) is not None:
            raise Conflict("the address belongs to a member already")
        await giveable_role(session, actor, wanted.role_id)
        if wanted.project_id is None:
            if wanted.project_role_id is not None:
                raise unknown("project")
            return
        if await ProjectRepository(session).get(actor, wanted.project_id) is None:
            raise unknown("project")
        if wanted.project_role_id is not None:
            inside = replace(actor, project_id=wanted.project_id)
            role = await RoleRepository(session).get(inside, wanted.project_role_id)
            if role is None:
                raise unknown("role")
            if not covers(actor.permissions, permissions_of(role)):
                raise NotAllowed("the role holds permissions that you do not hold")

    async def _usable(self, token: str) -> InvitationFound:
        found = await Lookups(self.database).invitation(token)
        status = _status(found)
        if found is None or status is not InvitationStatus.PENDING:
            raise InvitationNotUsable("this invitation cannot be used; ask for a new one", reason=status.value)
        return found

    async def _join(self, session: AsyncSession, actor: Actor, found: InvitationFound) -> None:
        row = await InvitationRepository(session).get(actor, found.invitation_id)
        if row is None or row.status != InvitationStatus.PENDING or row.expires_at <= now():
            raise InvitationNotUsable("this invitation cannot be used; ask for a new one", reason="accepted")
        await OrganisationRepository(session).lock(actor)
        row.status, row.accepted_at = InvitationStatus.ACCEPTED.value, now()
        session.add(OrganisationMember(organisation_id=row.organisation_id, user_id=actor.id, role_id=row.role_id))
        await session.flush()
        if row.project_id is not None:
            await _join_project(session, actor, row, row.project_id)
        await self.audit.record(
            session, actor, "organisation.user.added", ("organisation_member", actor.id), after=_shown(row)
        )
        await self.changed(session, f"user:{actor.id}")


async def _join_project(session: AsyncSession, actor: Actor, row: Invitation, project_id: UUID) -> None:
    member = ProjectMember(organisation_id=row.organisation_id, project_id=project_id, user_id=actor.id)
    session.add(member)
    await session.flush()
    if row.project_role_id is not None:
        session.add(
            ProjectMemberRole(
                organisation_id=row.organisation_id,
                project_id=project_id,
                member_id=member.id,
                role_id=row.project_role_id,
            )
        )
        await session.flush()


def status_of(row: Invitation) -> InvitationStatus:
    """Returns what has become of an invitation; time makes it expire."""
    status = InvitationStatus(row.status)
    expired = status is InvitationStatus.PENDING and row.expires_at <= now()
    return InvitationStatus.EXPIRED if expired else status


def _status(found: InvitationFound | None) -> InvitationStatus:
    if found is None:
        return InvitationStatus.NOT_FOUND
    status = InvitationStatus(found.status)
    expired = status is InvitationStatus.PENDING and found.expires_at <= now()
    return InvitationStatus.EXPIRED if expired else status


def _shown(row: Invitation) -> dict[str, object]:
    return {
        "email": row.email,
        "role_id": row.role_id,
        "project_id": row.project_id,
        "project_role_id": row.project_role_id,
        "status": row.status,
        "expires_at": row.expires_at,
    }


def _organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise unknown("organisation")
    return actor.organisation_id
