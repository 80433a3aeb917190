"""Roles: the organisation's, and a project's. The same service; the path says the level."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi import status as http

from arcane.access import permissions as p
from arcane.access.routes.given import Roles
from arcane.access.schemas import organisations as s
from arcane.access.service.roles import RoleChange, permissions_of
from arcane.access.tables import Role
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging

router = APIRouter(tags=["roles"])

_ORGANISATION = "/organisations/{organisation_id}/roles"
_PROJECT = "/projects/{project_id}/roles"


@router.get(_ORGANISATION)
async def list_organisation_roles(
    organisation_id: UUID, roles: Roles, paging: Paging, actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_READ)]
) -> s.Roles:
    """Lists the roles a member of the organisation can have."""
    page = await roles.page(actor, paging)
    return s.Roles(items=[_out(role) for role in page.items], next=page.next)


@router.post(_ORGANISATION, status_code=http.HTTP_201_CREATED)
async def create_organisation_role(
    organisation_id: UUID,
    body: s.RoleCreate,
    roles: Roles,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_CREATE)],
) -> s.RoleOut:
    """Makes a role of the organisation; it holds nothing its author does not hold."""
    return _out(await roles.create(actor, _wanted(body)))


@router.get(_ORGANISATION + "/{role_id}")
async def get_organisation_role(
    organisation_id: UUID, role_id: UUID, roles: Roles, actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_READ)]
) -> s.RoleOut:
    """Returns a role."""
    return _out(await roles.get(actor, role_id))


@router.patch(_ORGANISATION + "/{role_id}")
async def update_organisation_role(
    organisation_id: UUID,
    role_id: UUID,
    body: s.RoleUpdate,
    roles: Roles,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_UPDATE)],
) -> s.RoleOut:
    """Changes a role for everybody who holds it."""
    return _out(await roles.update(actor, role_id, _wanted(body)))


@router.delete(_ORGANISATION + "/{role_id}", status_code=http.HTTP_204_NO_CONTENT)
async def delete_organisation_role(
    organisation_id: UUID,
    role_id: UUID,
    roles: Roles,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_DELETE)],
) -> None:
    """Deletes a role that nobody holds."""
    await roles.delete(actor, role_id)


@router.get(_PROJECT)
async def list_project_roles(
    project_id: UUID, roles: Roles, paging: Paging, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_READ)]
) -> s.Roles:
    """Lists the roles a member of the project can have."""
    page = await roles.page(actor, paging)
    return s.Roles(items=[_out(role) for role in page.items], next=page.next)


@router.post(_PROJECT, status_code=http.HTTP_201_CREATED)
async def create_project_role(
    project_id: UUID, body: s.RoleCreate, roles: Roles, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_CREATE)]
) -> s.RoleOut:
    """Makes a role of the project; it holds nothing its author does not hold."""
    return _out(await roles.create(actor, _wanted(body)))


@router.get(_PROJECT + "/{role_id}")
async def get_project_role(
    project_id: UUID, role_id: UUID, roles: Roles, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_READ)]
) -> s.RoleOut:
    """Returns a role."""
    return _out(await roles.get(actor, role_id))


@router.patch(_PROJECT + "/{role_id}")
async def update_project_role(
    project_id: UUID,
    role_id: UUID,
    body: s.RoleUpdate,
    roles: Roles,
    actor: Annotated[Actor, requires(p.PROJECTS_ROLES_UPDATE)],
) -> s.RoleOut:
    """Changes a role for everybody who holds it."""
    return _out(await roles.update(actor, role_id, _wanted(body)))


@router.delete(_PROJECT + "/{role_id}", status_code=http.HTTP_204_NO_CONTENT)
async def delete_project_role(
    project_id: UUID, role_id: UUID, roles: Roles, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_DELETE)]
) -> None:
    """Deletes a role that nobody holds."""
    await roles.delete(actor, role_id)


def _wanted(body: s.RoleCreate | s.RoleUpdate) -> RoleChange:
    seen = body.seen if isinstance(body, s.RoleUpdate) else None
    return RoleChange(body.name, body.description, body.permissions, seen)


def _out(role: Role) -> s.RoleOut:
    held = permissions_of(role)
    spelled = [permission for permission in p.LEVELS if permission in held]
    return s.RoleOut.model_validate({**role.model_dump(), "permissions": spelled})
