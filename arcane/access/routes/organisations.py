"""Organisations and their members."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi import status as http

from arcane.access import permissions as p
from arcane.access.routes.given import Organisations
from arcane.access.schemas import organisations as s
from arcane.kit.actor import Actor
from arcane.kit.guard import requires, signed_in
from arcane.kit.lists import Paging

router = APIRouter(tags=["organisations"])


@router.get("/organisations")
async def list_organisations(
    organisations: Organisations, paging: Paging, actor: Annotated[Actor, signed_in()]
) -> s.Organisations:
    """Lists the organisations the caller belongs to; the instance owner sees all."""
    page = await organisations.page(actor, paging)
    return s.Organisations(items=[s.OrganisationOut.model_validate(row) for row in page.items], next=page.next)


@router.post("/organisations", status_code=http.HTTP_201_CREATED)
async def create_organisation(
    body: s.OrganisationCreate, organisations: Organisations, actor: Annotated[Actor, signed_in()]
) -> s.OrganisationOut:
    """Makes an organisation with the caller as its admin."""
    return s.OrganisationOut.model_validate(await organisations.create(actor, body.name, body.slug))


@router.get("/organisations/{organisation_id}")
async def get_organisation(
    organisation_id: UUID, organisations: Organisations, actor: Annotated[Actor, requires(p.ORGANISATIONS_READ)]
) -> s.OrganisationOut:
    """Returns an organisation."""
    return s.OrganisationOut.model_validate(await organisations.get(actor))


@router.patch("/organisations/{organisation_id}")
async def update_organisation(
    organisation_id: UUID,
    body: s.OrganisationUpdate,
    organisations: Organisations,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_UPDATE)],
) -> s.OrganisationOut:
    """Changes the name or the short name."""
    return s.OrganisationOut.model_validate(await organisations.update(actor, name=body.name, slug=body.slug))


@router.delete("/organisations/{organisation_id}", status_code=http.HTTP_204_NO_CONTENT)
async def delete_organisation(
    organisation_id: UUID, organisations: Organisations, actor: Annotated[Actor, requires(p.ORGANISATIONS_DELETE)]
) -> None:
    """Deletes an organisation and everything in it."""
    await organisations.delete(actor)


@router.get("/organisations/{organisation_id}/members")
async def list_members(
    organisation_id: UUID,
    organisations: Organisations,
    paging: Paging,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_READ)],
) -> s.Members:
    """Lists who belongs to the organisation. To add somebody, invite them."""
    page = await organisations.members(actor, paging)
    return s.Members(items=[s.MemberOut.model_validate(member) for member in page.items], next=page.next)


@router.put("/organisations/{organisation_id}/members/{user_id}")
async def set_member_role(
    organisation_id: UUID,
    user_id: UUID,
    body: s.MemberRoleIn,
    organisations: Organisations,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_UPDATE)],
) -> s.MemberOut:
    """Gives a member another role."""
    return s.MemberOut.model_validate(await organisations.set_role(actor, user_id, body.role_id))


@router.delete("/organisations/{organisation_id}/members/{user_id}", status_code=http.HTTP_204_NO_CONTENT)
async def remove_member(
    organisation_id: UUID,
    user_id: UUID,
    organisations: Organisations,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_DELETE)],
) -> None:
    """Removes somebody from the organisation and all of its projects."""
    await organisations.remove_member(actor, user_id)
