"""Puts the slice together: everything `app.state` gets of it, made once a process."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.access.authoriser import AccessAuthoriser
from arcane.access.limiter import SignInLimiter
from arcane.access.passwords import Passwords
from arcane.access.retention import Retention
from arcane.access.service.accounts import AccountService
from arcane.access.service.api_keys import ApiKeyService
from arcane.access.service.invitations import InvitationService
from arcane.access.service.organisations import OrganisationService
from arcane.access.service.password_links import PasswordLinkService
from arcane.access.service.projects import ProjectService
from arcane.access.service.roles import RoleService
from arcane.access.service.scopes import ScopeService
from arcane.access.service.users import UserService
from arcane.access.service.visibility import VisibilityService
from arcane.access.usage import Usage
from arcane.audit.service import AuditLog
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors
from arcane.settings import Settings


@dataclass(frozen=True, slots=True)
class AccessParts:
    """The services of the slice. `usage.run` and `retention.run` belong into the lifespan's task group."""

    authoriser: AccessAuthoriser
    accounts: AccountService
    users: UserService
    organisations: OrganisationService
    projects: ProjectService
    roles: RoleService
    invitations: InvitationService
    password_links: PasswordLinkService
    api_keys: ApiKeyService
    visibility: VisibilityService
    scopes: ScopeService
    usage: Usage
    retention: Retention


@dataclass(frozen=True, slots=True)
class Foundation:
    """What the slice stands on."""

    settings: Settings
    database: Database
    audit: AuditLog
    announcer: Announcer
    cursors: Cursors


def build_access(on: Foundation, *, passwords: Passwords | None = None) -> AccessParts:
    """Returns the parts; nothing has been asked of the database yet."""
    settings, access = on.settings, on.settings.access
    usage = Usage(on.database, access.last_used_seconds)
    authoriser = AccessAuthoriser(settings, on.database, on.announcer, usage)
    shared = (on.database, on.audit, on.announcer, on.cursors)
    public_url = settings.server.public_url
    accounts = AccountService(
        *shared,
        settings=access,
        public_url=public_url,
        passwords=passwords or Passwords(),
        limiter=SignInLimiter(access.sign_in_attempts),
        cookie=authoriser.cookie,
    )
    return AccessParts(
        authoriser=authoriser,
        accounts=accounts,
        users=UserService(*shared),
        organisations=OrganisationService(*shared),
        projects=ProjectService(*shared),
        roles=RoleService(*shared),
        invitations=InvitationService(*shared, accounts=accounts, days=access.invitation_days, public_url=public_url),
        password_links=PasswordLinkService(*shared, accounts=accounts),
        api_keys=ApiKeyService(*shared),
        visibility=VisibilityService(*shared),
        scopes=ScopeService(access, on.database, on.announcer),
        usage=usage,
        retention=Retention(on.database, access),
    )
