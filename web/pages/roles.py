"""Roles of an organisation and of a project: the system's, and their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.access.permissions import LEVELS, Level, within
from arcane.access.schemas.organisations import RoleCreate
from arcane.access.service.roles import RoleChange, RoleService, permissions_of
from arcane.access.tables import Role
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.flash import flash
from web.forms import FormState, act, parsed, refused, say_to
from web.frame import Frame, SettingsPage, organisation_frame, project_frame
from web.rendering import renderer_of

PAGE = 200


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role and what it holds."""

    id: UUID
    name: str
    description: str
    is_system: bool
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesPage(SettingsPage):
    template: ClassVar[str] = "settings/roles.html"

    roles: tuple[RoleRow, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    chosen: frozenset[str]
    form: FormState
    may_create: bool
    may_delete: bool


async def _show(
    request: Request, actor: Actor, form: FormState, chosen: Sequence[str] = (), status: int = 200
) -> Response:
    service: RoleService = request.app.state.roles
    found = await service.page(actor, PageRequest(PAGE))
    frame, level = await _frame(request, actor)
    in_project = level is Level.PROJECT
    page = RolesPage(
        **frame.fields("roles"),  # type: ignore[arg-type]
        roles=tuple(_row(role) for role in found.items),
        groups=_groups(actor, level),
        chosen=frozenset(chosen),
        form=form,
        may_create=actor.may(p.PROJECTS_ROLES_CREATE if in_project else p.ORGANISATIONS_ROLES_CREATE),
        may_delete=actor.may(p.PROJECTS_ROLES_DELETE if in_project else p.ORGANISATIONS_ROLES_DELETE),
    )
    return renderer_of(request).respond(page, status=status)


async def _create(request: Request, actor: Actor) -> Response:
    sent = await request.form()
    chosen = [str(value) for value in sent.getlist("permission")]
    form = {**{name: str(sent.get(name, "")) for name in ("name", "description")}, "permissions": ""}
    service: RoleService = request.app.state.roles
    try:
        wanted = parsed(request, RoleCreate, {**form, "permissions": chosen})
        await service.create(actor, RoleChange(wanted.name, wanted.description, wanted.permissions))
    except Problem as problem:
        return await _show(request, actor, refused(form, problem), chosen, problem.status)
    response = RedirectResponse(request.url.path, 303)
    flash(request, response, say_to(request, "The role is there."))
    return response


async def _delete(request: Request, actor: Actor, role_id: UUID) -> Response:
    service: RoleService = request.app.state.roles
    to = request.url.path.partition("/roles/")[0] + "/roles"
    said = say_to(request, "The role is gone.")
    return await act(request, service.delete(actor, role_id), to, said)


async def _frame(request: Request, actor: Actor) -> tuple[Frame, Level]:
    if "project" in request.path_params:
        return await project_frame(request, actor), Level.PROJECT
    return await organisation_frame(request, actor), Level.ORGANISATION


def _row(role: Role) -> RoleRow:
    return RoleRow(role.id, role.name, role.description, role.is_system, tuple(sorted(permissions_of(role))))


def _groups(actor: Actor, level: Level) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the actor may hand out at this level, by resource."""
    groups: dict[str, list[str]] = {}
    for permission in LEVELS:
        if permission in within(level) and actor.may(permission):
            groups.setdefault(permission.partition(":")[0], []).append(permission)
    return tuple((resource, tuple(names)) for resource, names in groups.items())


router = APIRouter(include_in_schema=False)
_ORGANISATION = "/o/{organisation}/settings/roles"
_PROJECT = "/o/{organisation}/p/{project}/settings/roles"


@router.get(_ORGANISATION)
async def of_organisation(request: Request, actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_READ)]) -> Response:
    return await _show(request, actor, FormState())


@router.post(_ORGANISATION)
async def create_in_organisation(
    request: Request, actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_CREATE)]
) -> Response:
    return await _create(request, actor)


@router.post(_ORGANISATION + "/{role_id}/delete")
async def delete_in_organisation(
    request: Request, role_id: UUID, actor: Annotated[Actor, requires(p.ORGANISATIONS_ROLES_DELETE)]
) -> Response:
    return await _delete(request, actor, role_id)


@router.get(_PROJECT)
async def of_project(request: Request, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_READ)]) -> Response:
    return await _show(request, actor, FormState())


@router.post(_PROJECT)
async def create_in_project(request: Request, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_CREATE)]) -> Response:
    return await _create(request, actor)


@router.post(_PROJECT + "/{role_id}/delete")
async def delete_in_project(
    request: Request, role_id: UUID, actor: Annotated[Actor, requires(p.PROJECTS_ROLES_DELETE)]
) -> Response:
    return await _delete(request, actor, role_id)
