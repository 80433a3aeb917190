"""A project's settings: its name and trace filter, members, API keys and hidden attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from arcane.access import permissions as p
from arcane.access.permissions import KeyScope
from arcane.access.schemas.base import AttributeName, RoleIds
from arcane.access.schemas.projects import ApiKeyCreate, ProjectUpdate, TraceFilterIn
from arcane.access.scope import TraceFilter
from arcane.access.service.api_keys import ApiKeyService
from arcane.access.service.projects import ProjectChange, ProjectService
from arcane.access.service.visibility import VisibilityService
from arcane.access.tables import ApiKey, Project, Role
from arcane.access.views import Member, ProjectMemberView, Rule
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from arcane.kit.schema import Schema
from arcane.kit.seen import seen_of
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to, uuid_of
from web.frame import SettingsPage, project_frame
from web.rendering import renderer_of

router = APIRouter(prefix="/o/{organisation}/p/{project}/settings", include_in_schema=False)
PAGE = 100
CHOICES = 1_000
"""Most people to choose a member from: the list is searched by typing."""
EXPIRIES = {"30": 30, "90": 90, "365": 365, "": None}
Reader = Annotated[Actor, requires(p.PROJECTS_READ)]
Editor = Annotated[Actor, requires(p.PROJECTS_UPDATE)]
Deleter = Annotated[Actor, requires(p.PROJECTS_DELETE)]
MemberReader = Annotated[Actor, requires(p.PROJECTS_MEMBERS_READ)]
MemberMaker = Annotated[Actor, requires(p.PROJECTS_MEMBERS_CREATE)]
MemberRemover = Annotated[Actor, requires(p.PROJECTS_MEMBERS_DELETE)]
RoleGiver = Annotated[Actor, requires(p.PROJECTS_ROLES_ASSIGN)]
RoleTaker = Annotated[Actor, requires(p.PROJECTS_ROLES_REMOVE)]
KeyReader = Annotated[Actor, requires(p.PROJECTS_API_KEYS_READ)]
KeyMaker = Annotated[Actor, requires(p.PROJECTS_API_KEYS_MANAGE)]
RuleReader = Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_READ)]
RuleMaker = Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE)]


class RuleForm(Schema):
    """An attribute, and the roles that shall not see it: at least one."""

    attribute_name: AttributeName
    hidden_role_ids: Annotated[RoleIds, Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage(SettingsPage):
    template: ClassVar[str] = "settings/project.html"

    project: Project
    form: FormState
    may_edit: bool
    may_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMembersPage(SettingsPage):
    template: ClassVar[str] = "settings/project_members.html"

    members: tuple[ProjectMemberView, ...]
    next: str | None
    people: tuple[tuple[UUID, str], ...]
    roles: tuple[tuple[UUID, str], ...]
    me: UUID
    may_add: bool
    may_remove: bool
    may_assign: bool
    may_unassign: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage(SettingsPage):
    template: ClassVar[str] = "settings/keys.html"

    keys: tuple[ApiKey, ...]
    next: str | None
    form: FormState
    project_id: UUID | None
    now: datetime
    may_manage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibilityPage(SettingsPage):
    template: ClassVar[str] = "settings/visibility.html"

    rules: tuple[Rule, ...]
    next: str | None
    roles: tuple[tuple[UUID, str], ...]
    form: FormState
    may_manage: bool


@router.get("")
async def general(request: Request, actor: Reader) -> Response:
    return await _general(request, actor, FormState())


@router.post("")
async def update(request: Request, actor: Editor) -> Response:
    form = await entered(request)
    only = {name: form.get(f"trace_filter/{name}", "").strip() for name in TraceFilterIn.model_fields}
    said = {name: form.get(name, "") for name in ("name", "slug", "description")}
    try:
        wanted = parsed(request, ProjectUpdate, {**said, "trace_filter": only if any(only.values()) else None})
        changed = await _projects(request).update(actor, _change(wanted, form.get("seen", "")))
    except Problem as problem:
        return await _general(request, actor, refused(form, problem), problem.status)
    response = RedirectResponse(f"/o/{request.path_params['organisation']}/p/{changed.slug}/settings", 303)
    flash(request, response, say_to(request, "Saved."))
    return response


@router.post("/delete")
async def delete(request: Request, actor: Deleter) -> Response:
    to = f"/o/{request.path_params['organisation']}/settings/projects"
    return await act(request, _projects(request).delete(actor), to, say_to(request, "The project is gone."))


@router.get("/members")
async def members(request: Request, actor: MemberReader, cursor: str | None = None) -> Response:
    state = request.app.state
    found = await _projects(request).members(actor, PageRequest(PAGE, cursor))
    may_add = actor.may(p.PROJECTS_MEMBERS_CREATE)
    frame = await project_frame(request, actor)
    page = ProjectMembersPage(
        **frame.fields("members"),  # type: ignore[arg-type]
        members=found.items,
        next=found.next,
        people=_named(await _projects(request).available(actor, "", CHOICES)) if may_add else (),
        roles=_choices((await state.roles.page(actor, PageRequest(PAGE))).items),
        me=actor.id,
        may_add=may_add,
        may_remove=actor.may(p.PROJECTS_MEMBERS_DELETE),
        may_assign=actor.may(p.PROJECTS_ROLES_ASSIGN),
        may_unassign=actor.may(p.PROJECTS_ROLES_REMOVE),
    )
    return renderer_of(request).respond(page)


@router.post("/members")
async def add_member(request: Request, actor: MemberMaker) -> Response:
    form = await entered(request)
    work = _projects(request).add_member(actor, uuid_of(form.get("user", "")), [uuid_of(form.get("role", ""))])
    return await act(request, work, _here(request, "members"), say_to(request, "The member is added."))


@router.post("/members/{user_id}/remove")
async def remove_member(request: Request, actor: MemberRemover, user_id: UUID) -> Response:
    work = _projects(request).remove_member(actor, user_id)
    return await act(request, work, _here(request, "members"), say_to(request, "The member is removed."))


@router.post("/members/{user_id}/roles")
async def assign_role(request: Request, actor: RoleGiver, user_id: UUID) -> Response:
    role_id = uuid_of((await entered(request)).get("role", ""))
    work = _projects(request).assign_role(actor, user_id, role_id)
    return await act(request, work, _here(request, "members"), say_to(request, "The role is given."))


@router.post("/members/{user_id}/roles/{role_id}/remove")
async def unassign_role(request: Request, actor: RoleTaker, user_id: UUID, role_id: UUID) -> Response:
    work = _projects(request).remove_role(actor, user_id, role_id)
    return await act(request, work, _here(request, "members"), say_to(request, "The role is taken back."))


@router.get("/keys")
async def keys(request: Request, actor: KeyReader, cursor: str | None = None) -> Response:
    return await _keys(request, actor, FormState(), cursor=cursor)


@router.post("/keys")
async def create_key(request: Request, actor: KeyMaker) -> Response:
    form = await entered(request)
    days = EXPIRIES.get(form.get("expires", ""))
    expires_at = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    said = {"name": form.get("name", ""), "scope": form.get("scope", KeyScope.READ)}
    service: ApiKeyService = request.app.state.api_keys
    try:
        wanted = parsed(request, ApiKeyCreate, said)
        made = await service.create(actor, wanted.name, wanted.scope, expires_at)
    except Problem as problem:
        return await _keys(request, actor, refused(form, problem), status=problem.status)
    return await _keys(request, actor, FormState(reveal=made.key))


@router.post("/keys/{key_id}/revoke")
async def revoke_key(request: Request, actor: KeyMaker, key_id: UUID) -> Response:
    service: ApiKeyService = request.app.state.api_keys
    said = say_to(request, "The key opens nothing any more.")
    return await act(request, service.revoke(actor, key_id), _here(request, "keys"), said)


@router.get("/visibility")
async def visibility(request: Request, actor: RuleReader, cursor: str | None = None) -> Response:
    return await _visibility(request, actor, FormState(), cursor)


@router.post("/visibility")
async def create_rule(request: Request, actor: RuleMaker) -> Response:
    sent = await request.form()
    roles = [uuid_of(str(value)) for value in sent.getlist("role")]
    form = {"attribute_name": str(sent.get("attribute_name", "")), "hidden_role_ids": ""}
    service: VisibilityService = request.app.state.visibility
    try:
        wanted = parsed(request, RuleForm, {**form, "hidden_role_ids": roles})
        await service.create(actor, wanted.attribute_name, wanted.hidden_role_ids)
    except Problem as problem:
        return await _visibility(request, actor, refused(form, problem), status=problem.status)
    response = RedirectResponse(_here(request, "visibility"), 303)
    flash(request, response, say_to(request, "The attribute is hidden."))
    return response


@router.post("/visibility/{rule_id}/delete")
async def delete_rule(request: Request, actor: RuleMaker, rule_id: UUID) -> Response:
    service: VisibilityService = request.app.state.visibility
    said = say_to(request, "Everybody sees the attribute again.")
    seen = seen_of((await entered(request)).get("seen", ""))
    return await act(request, service.delete(actor, rule_id, seen), _here(request, "visibility"), said)


def _projects(request: Request) -> ProjectService:
    projects: ProjectService = request.app.state.projects
    return projects


def _here(request: Request, tab: str) -> str:
    path = request.path_params
    return f"/o/{path['organisation']}/p/{path['project']}/settings/{tab}"


def _change(wanted: ProjectUpdate, seen: str) -> ProjectChange:
    only = wanted.trace_filter
    return ProjectChange(
        name=wanted.name,
        slug=wanted.slug,
        description=wanted.description,
        trace_filter=TraceFilter(only.attribute_name, only.attribute_value) if only else None,
        change_filter=True,
        seen=seen_of(seen),
    )


def _choices(roles: Sequence[Role]) -> tuple[tuple[UUID, str], ...]:
    return tuple((role.id, role.name) for role in roles)


def _named(members: list[Member]) -> tuple[tuple[UUID, str], ...]:
    return tuple((member.user_id, f"{member.name} · {member.email}") for member in members)


async def _general(request: Request, actor: Actor, form: FormState, status: int = 200) -> Response:
    frame = await project_frame(request, actor)
    page = ProjectPage(
        **frame.fields("general"),  # type: ignore[arg-type]
        project=await _projects(request).get(actor),
        form=form,
        may_edit=actor.may(p.PROJECTS_UPDATE),
        may_delete=actor.may(p.PROJECTS_DELETE),
    )
    return renderer_of(request).respond(page, status=status)


async def _keys(
    request: Request, actor: Actor, form: FormState, *, cursor: str | None = None, status: int = 200
) -> Response:
    service: ApiKeyService = request.app.state.api_keys
    found = await service.page(actor, PageRequest(PAGE, cursor))
    frame = await project_frame(request, actor)
    page = KeysPage(
        **frame.fields("keys"),  # type: ignore[arg-type]
        keys=found.items,
        next=found.next,
        form=form,
        project_id=actor.project_id,
        now=datetime.now(UTC),
        may_manage=actor.may(p.PROJECTS_API_KEYS_MANAGE),
    )
    return renderer_of(request).respond(page, status=status)


async def _visibility(
    request: Request, actor: Actor, form: FormState, cursor: str | None = None, status: int = 200
) -> Response:
    service: VisibilityService = request.app.state.visibility
    found = await service.page(actor, PageRequest(PAGE, cursor))
    frame = await project_frame(request, actor)
    page = VisibilityPage(
        **frame.fields("visibility"),  # type: ignore[arg-type]
        rules=found.items,
        next=found.next,
        roles=_choices(await request.app.state.roles.nameable(actor)),
        form=form,
        may_manage=actor.may(p.PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE),
    )
    return renderer_of(request).respond(page, status=status)
