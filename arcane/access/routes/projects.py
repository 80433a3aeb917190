"""Projects and their members."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import status as http

from arcane.access import permissions as p
from arcane.access.routes.given import Projects
from arcane.access.schemas import organisations as os
from arcane.access.schemas import projects as s
from arcane.access.scope import TraceFilter
from arcane.access.service.projects import NewProject, ProjectChange
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging

router = APIRouter(tags=["projects"])

Part = Annotated[str, Query(max_length=200, description="Part of a name or an address.")]


@router.get("/organisations/{organisation_id}/projects")
async def list_projects(
    organisation_id: UUID,
    projects: Projects,
    paging: Paging,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_READ)],
) -> s.Projects:
    """Lists the projects the caller may know: those they joined, or all for whoever may read all."""
    page = await projects.page(actor, paging)
    return s.Projects(items=[s.ProjectOut.model_validate(row) for row in page.items], next=page.next)


@router.post("/organisations/{organisation_id}/projects", status_code=http.HTTP_201_CREATED)
async def create_project(
    organisation_id: UUID,
    body: s.ProjectCreate,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_CREATE)],
) -> s.ProjectOut:
    """Makes a project with the caller as its admin."""
    wanted = NewProject(body.name, body.slug, body.description, _filter(body.trace_filter))
    return s.ProjectOut.model_validate(await projects.create(actor, wanted))


@router.get("/projects/{project_id}")
async def get_project(
    project_id: UUID, projects: Projects, actor: Annotated[Actor, requires(p.PROJECTS_READ)]
) -> s.ProjectOut:
    """Returns a project."""
    return s.ProjectOut.model_validate(await projects.get(actor))


@router.patch("/projects/{project_id}")
async def update_project(
    project_id: UUID,
    body: s.ProjectUpdate,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_UPDATE)],
) -> s.ProjectOut:
    """Changes a project; members that are left out stay."""
    change_filter = "trace_filter" in body.model_fields_set
    only = _filter(body.trace_filter)
    wanted = ProjectChange(body.name, body.slug, body.description, only, change_filter, body.seen)
    return s.ProjectOut.model_validate(await projects.update(actor, wanted))


@router.delete("/projects/{project_id}", status_code=http.HTTP_204_NO_CONTENT)
async def delete_project(
    project_id: UUID, projects: Projects, actor: Annotated[Actor, requires(p.PROJECTS_DELETE)]
) -> None:
    """Deletes a project and everything in it."""
    await projects.delete(actor)


@router.get("/projects/{project_id}/members")
async def list_project_members(
    project_id: UUID,
    projects: Projects,
    paging: Paging,
    actor: Annotated[Actor, requires(p.PROJECTS_MEMBERS_READ)],
) -> s.ProjectMembers:
    """Lists who belongs to the project."""
    page = await projects.members(actor, paging)
    items = [s.ProjectMemberOut.model_validate(member) for member in page.items]
    return s.ProjectMembers(items=items, next=page.next)


@router.get("/projects/{project_id}/members/available")
async def list_available_members(
    project_id: UUID,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_MEMBERS_CREATE)],
    search: Part = "",
) -> os.Members:
    """Lists some members of the organisation who could be added."""
    found = await projects.available(actor, search)
    return os.Members(items=[os.MemberOut.model_validate(member) for member in found], next=None)


@router.post("/projects/{project_id}/members", status_code=http.HTTP_201_CREATED)
async def add_project_member(
    project_id: UUID,
    body: s.ProjectMemberAdd,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_MEMBERS_CREATE)],
) -> s.ProjectMemberOut:
    """Adds a member of the organisation; giving roles right away needs `projects:roles:assign` as well."""
    return s.ProjectMemberOut.model_validate(await projects.add_member(actor, body.user_id, body.role_ids))


@router.delete("/projects/{project_id}/members/{user_id}", status_code=http.HTTP_204_NO_CONTENT)
async def remove_project_member(
    project_id: UUID,
    user_id: UUID,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_MEMBERS_DELETE)],
) -> None:
    """Removes somebody from the project."""
    await projects.remove_member(actor, user_id)


@router.put("/projects/{project_id}/members/{user_id}/roles/{role_id}")
async def assign_project_role(
    project_id: UUID,
    user_id: UUID,
    role_id: UUID,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_ROLES_ASSIGN)],
) -> s.ProjectMemberOut:
    """Gives a member a role."""
    return s.ProjectMemberOut.model_validate(await projects.assign_role(actor, user_id, role_id))


@router.delete("/projects/{project_id}/members/{user_id}/roles/{role_id}")
async def remove_project_role(
    project_id: UUID,
    user_id: UUID,
    role_id: UUID,
    projects: Projects,
    actor: Annotated[Actor, requires(p.PROJECTS_ROLES_REMOVE)],
) -> s.ProjectMemberOut:
    """Takes a role from a member."""
    return s.ProjectMemberOut.model_validate(await projects.remove_role(actor, user_id, role_id))


def _filter(body: s.TraceFilterIn | None) -> TraceFilter | None:
    return TraceFilter(body.attribute_name, body.attribute_value) if body is not None else None
