"""What endpoints are given: services from `app.state`, and whose browser it is.

The dependencies are coroutines because FastAPI runs plain functions on a worker thread.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from arcane.access.authoriser import AccessAuthoriser
from arcane.access.principals import KeyPrincipal, SignedIn
from arcane.access.service.accounts import AccountService
from arcane.access.service.api_keys import ApiKeyService
from arcane.access.service.invitations import InvitationService
from arcane.access.service.organisations import OrganisationService
from arcane.access.service.password_links import PasswordLinkService
from arcane.access.service.projects import ProjectService
from arcane.access.service.roles import RoleService
from arcane.access.service.sessions import Client
from arcane.access.service.users import UserService
from arcane.access.service.visibility import VisibilityService
from arcane.kit.problems import NotAllowed


async def client_of(request: Request) -> Client:
    """Returns where the request comes from."""
    address = request.client.host if request.client is not None else "unknown"
    return Client(address, request.headers.get("user-agent", ""))


def session_of(request: Request) -> SignedIn:
    """Returns whose browser this is; an API key has none. Stands after the route's guard."""
    session: SignedIn | None = getattr(request.state, "session", None)
    if session is None:
        raise NotAllowed("only a signed-in user can do this")
    return session


def api_key_of(request: Request) -> KeyPrincipal:
    """Returns the API key that the request came with; a browser has none. Stands after the route's guard."""
    key: KeyPrincipal | None = getattr(request.state, "api_key", None)
    if key is None:
        raise NotAllowed("only an API key can do this")
    return key


async def _authoriser(request: Request) -> AccessAuthoriser:
    authoriser: AccessAuthoriser = request.app.state.authoriser
    return authoriser


async def _accounts(request: Request) -> AccountService:
    accounts: AccountService = request.app.state.accounts
    return accounts


async def _password_links(request: Request) -> PasswordLinkService:
    links: PasswordLinkService = request.app.state.password_links
    return links


async def _users(request: Request) -> UserService:
    users: UserService = request.app.state.users
    return users


async def _organisations(request: Request) -> OrganisationService:
    organisations: OrganisationService = request.app.state.organisations
    return organisations


async def _projects(request: Request) -> ProjectService:
    projects: ProjectService = request.app.state.projects
    return projects


async def _roles(request: Request) -> RoleService:
    roles: RoleService = request.app.state.roles
    return roles


async def _invitations(request: Request) -> InvitationService:
    invitations: InvitationService = request.app.state.invitations
    return invitations


async def _api_keys(request: Request) -> ApiKeyService:
    api_keys: ApiKeyService = request.app.state.api_keys
    return api_keys


async def _visibility(request: Request) -> VisibilityService:
    visibility: VisibilityService = request.app.state.visibility
    return visibility


From = Annotated[Client, Depends(client_of)]
Authorising = Annotated[AccessAuthoriser, Depends(_authoriser)]
Accounts = Annotated[AccountService, Depends(_accounts)]
PasswordLinks = Annotated[PasswordLinkService, Depends(_password_links)]
Users = Annotated[UserService, Depends(_users)]
Organisations = Annotated[OrganisationService, Depends(_organisations)]
Projects = Annotated[ProjectService, Depends(_projects)]
Roles = Annotated[RoleService, Depends(_roles)]
Invitations = Annotated[InvitationService, Depends(_invitations)]
ApiKeys = Annotated[ApiKeyService, Depends(_api_keys)]
Visibility = Annotated[VisibilityService, Depends(_visibility)]
