"""Becoming the owner, signing in and out, one's own account and sessions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi import status as http

from arcane.access.lookups import Address
from arcane.access.permissions import LEVELS, Level, within
from arcane.access.routes.given import Accounts, Authorising, From, PasswordLinks, session_of
from arcane.access.schemas.accounts import (
    AccountOut,
    AccountUpdate,
    MyPermissions,
    NewPasswordIn,
    PasswordChange,
    PermissionList,
    PermissionOut,
    SessionOut,
    Sessions,
    SetupIn,
    SetupOut,
    SignedInOut,
    SignInIn,
)
from arcane.access.service.accounts import NewAccount
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.guard import public, signed_in
from arcane.kit.problems import NotAllowed

router = APIRouter(tags=["accounts"])

Me = Annotated[Actor, signed_in()]


@router.get("/setup", dependencies=[public("nobody can be signed in before there is an owner")])
async def get_setup(accounts: Accounts) -> SetupOut:
    """Says whether this instance still needs an owner."""
    return SetupOut.model_validate(await accounts.setup_status())


@router.post(
    "/setup",
    status_code=http.HTTP_201_CREATED,
    dependencies=[public("the setup link is the credential")],
)
async def claim_owner(body: SetupIn, accounts: Accounts, client: From, response: Response) -> SignedInOut:
    """Makes the holder of the setup link the owner of the instance, and signs them in."""
    account = NewAccount(body.email, body.name, body.password.get_secret_value())
    begun = await accounts.claim_owner(body.token.get_secret_value(), account, client)
    accounts.cookie.set(response, begun.token, begun.expires_at)
    return SignedInOut.model_validate(begun.signed_in)


@router.post(
    "/new-password",
    status_code=http.HTTP_204_NO_CONTENT,
    dependencies=[public("the link is the credential: whoever holds it cannot sign in")],
)
async def set_new_password(body: NewPasswordIn, links: PasswordLinks, client: From) -> None:
    """Changes the password of the account the link is for; every session of it ends."""
    await links.use(body.token.get_secret_value(), body.password.get_secret_value(), client)


@router.post("/sessions", status_code=http.HTTP_201_CREATED, dependencies=[public("this is how one signs in")])
async def sign_in(body: SignInIn, accounts: Accounts, client: From, response: Response) -> SignedInOut:
    """Signs in: the answer sets the session's cookie."""
    begun = await accounts.sign_in(body.email, body.password.get_secret_value(), client)
    accounts.cookie.set(response, begun.token, begun.expires_at)
    return SignedInOut.model_validate(begun.signed_in)


@router.get("/sessions")
async def list_sessions(request: Request, accounts: Accounts, me: Me) -> Sessions:
    """Lists where the caller is signed in."""
    current = session_of(request).session_id
    rows = await accounts.sessions(me)
    items = [SessionOut.model_validate({**row.model_dump(), "is_current": row.id == current}) for row in rows]
    return Sessions(items=items, next=None)


@router.delete("/sessions/current", status_code=http.HTTP_204_NO_CONTENT)
async def sign_out(request: Request, accounts: Accounts, me: Me, response: Response) -> None:
    """Signs out."""
    await accounts.sign_out(me, session_of(request).session_id)
    accounts.cookie.clear(response)


@router.delete("/sessions/others", status_code=http.HTTP_204_NO_CONTENT)
async def revoke_other_sessions(request: Request, accounts: Accounts, me: Me) -> None:
    """Ends every session of the caller but this one."""
    await accounts.revoke_other_sessions(me, session_of(request).session_id)


@router.delete("/sessions/{session_id}", status_code=http.HTTP_204_NO_CONTENT)
async def revoke_session(session_id: UUID, accounts: Accounts, me: Me) -> None:
    """Ends one of the caller's sessions."""
    await accounts.revoke_session(me, session_id)


@router.get("/accounts/me")
async def get_account(accounts: Accounts, me: Me) -> AccountOut:
    """Returns the caller's own account."""
    return AccountOut.model_validate(await accounts.profile(me))


@router.patch("/accounts/me")
async def update_account(body: AccountUpdate, accounts: Accounts, me: Me) -> AccountOut:
    """Changes how the caller is shown."""
    return AccountOut.model_validate(await accounts.rename(me, body.name))


@router.put("/accounts/me/password", status_code=http.HTTP_204_NO_CONTENT)
async def change_password(request: Request, body: PasswordChange, accounts: Accounts, me: Me) -> None:
    """Changes the caller's password and ends their other sessions."""
    current, new = body.current.get_secret_value(), body.new.get_secret_value()
    await accounts.change_password(me, session_of(request).session_id, current, new)


@router.get("/accounts/me/session")
async def get_session(request: Request, me: Me) -> SignedInOut:
    """Returns who is signed in, with the token that changes have to carry."""
    return SignedInOut.model_validate(session_of(request))


async def _asked(
    request: Request,
    authoriser: Authorising,
    me: Me,
    organisation_id: UUID | None = None,
    project_id: UUID | None = None,
) -> MyPermissions:
    session = session_of(request)
    organisation: frozenset[str] = frozenset()
    project: frozenset[str] = frozenset()
    if organisation_id is not None:
        place = Address(organisation_id=organisation_id)
        organisation = (await authoriser.actor_of(session, place)).permissions
    if project_id is not None:
        place = Address(organisation_id=organisation_id, project_id=project_id)
        project = (await authoriser.actor_of(session, place)).permissions
    return MyPermissions(
        instance=_spelled(me.permissions, Level.INSTANCE),
        organisation=_spelled(organisation, Level.ORGANISATION),
        project=_spelled(project, Level.PROJECT),
    )


def _spelled(held: frozenset[str], level: Level) -> list[str]:
    """`*` spelled out, so that a client can hide what cannot be done without knowing about owners."""
    if "*" in held:
        held = within(level)
    return [permission for permission in LEVELS if permission in held]


@router.get("/accounts/me/permissions")
async def get_my_permissions(permissions: Annotated[MyPermissions, Depends(_asked)], me: Me) -> MyPermissions:
    """Returns what the caller may do in an organisation and a project; 404 where they are a stranger."""
    return permissions


@router.get("/permissions")
async def list_permissions(me: Me) -> PermissionList:
    """Lists every permission there is."""
    if me.kind is not ActorKind.USER:
        raise NotAllowed("only a signed-in user can do this")
    items = [PermissionOut(name=name, level=level.value) for name, level in LEVELS.items()]
    return PermissionList(items=items, next=None)
