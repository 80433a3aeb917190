"""Invitations: the organisation's side, and the holder's."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi import status as http

from arcane.access import permissions as p
from arcane.access.routes.given import From, Invitations, session_of
from arcane.access.schemas import organisations as s
from arcane.access.schemas.accounts import SignedInOut
from arcane.access.service.invitations import NewInvitation, status_of
from arcane.access.tables import Invitation
from arcane.kit.actor import Actor
from arcane.kit.guard import public, requires, signed_in
from arcane.kit.lists import Paging

router = APIRouter(tags=["invitations"])


@router.get("/organisations/{organisation_id}/invitations")
async def list_invitations(
    organisation_id: UUID,
    invitations: Invitations,
    paging: Paging,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_READ)],
) -> s.Invitations:
    """Lists invitations, newest first."""
    page = await invitations.page(actor, paging)
    items = [s.InvitationOut.model_validate(_shown(row)) for row in page.items]
    return s.Invitations(items=items, next=page.next)


@router.post("/organisations/{organisation_id}/invitations", status_code=http.HTTP_201_CREATED)
async def invite(
    organisation_id: UUID,
    body: s.InvitationCreate,
    invitations: Invitations,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_CREATE)],
) -> s.InvitationMade:
    """Invites an address; inviting it again makes a new link and the old one useless."""
    wanted = NewInvitation(body.email, body.role_id, body.project_id, body.project_role_id)
    made = await invitations.invite(actor, wanted)
    return s.InvitationMade.model_validate({**_shown(made.invitation), "link": made.link})


@router.delete("/organisations/{organisation_id}/invitations/{invitation_id}", status_code=http.HTTP_204_NO_CONTENT)
async def revoke_invitation(
    organisation_id: UUID,
    invitation_id: UUID,
    invitations: Invitations,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_CREATE)],
) -> None:
    """Makes an invitation useless."""
    await invitations.revoke(actor, invitation_id)


@router.post("/invitations/check", dependencies=[public("whoever holds the link has no account yet")])
async def check_invitation(body: s.InvitationToken, invitations: Invitations) -> s.InvitationChecked:
    """Says what a link is good for."""
    return s.InvitationChecked.model_validate(await invitations.look_up(body.token.get_secret_value()))


@router.post(
    "/invitations/accept",
    status_code=http.HTTP_201_CREATED,
    dependencies=[public("whoever holds the link has no account yet")],
)
async def accept_with_new_account(
    body: s.InvitationAccept, invitations: Invitations, client: From, response: Response
) -> SignedInOut:
    """Makes the invited address an account, joins the organisation, and signs in."""
    token, password = body.token.get_secret_value(), body.password.get_secret_value()
    begun = await invitations.accept_with_new_account(token, body.name, password, client)
    invitations.accounts.cookie.set(response, begun.token, begun.expires_at)
    return SignedInOut.model_validate(begun.signed_in)


@router.post("/invitations/join")
async def join(
    request: Request, body: s.InvitationToken, invitations: Invitations, actor: Annotated[Actor, signed_in()]
) -> s.Joined:
    """Joins with the account that is signed in; its address must be the invited one."""
    email = session_of(request).email
    organisation_id = await invitations.accept(actor, email, body.token.get_secret_value())
    return s.Joined(organisation_id=organisation_id)


def _shown(row: Invitation) -> dict[str, object]:
    return {**row.model_dump(exclude={"token_hash"}), "status": status_of(row).value}
