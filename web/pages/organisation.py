"""An organisation's settings: its name, projects, members and invitations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.access.names import normal_email
from arcane.access.schemas.organisations import OrganisationUpdate
from arcane.access.schemas.projects import ProjectCreate
from arcane.access.service.invitations import InvitationService, NewInvitation
from arcane.access.service.organisations import OrganisationService
from arcane.access.service.projects import NewProject, ProjectService
from arcane.access.tables import Invitation, Organisation, Project
from arcane.access.views import Member
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to, uuid_of
from web.frame import SettingsPage, organisation_frame
from web.rendering import renderer_of

router = APIRouter(prefix="/o/{organisation}/settings", include_in_schema=False)
PAGE = 100
Reader = Annotated[Actor, requires(p.ORGANISATIONS_READ)]
Editor = Annotated[Actor, requires(p.ORGANISATIONS_UPDATE)]
Deleter = Annotated[Actor, requires(p.ORGANISATIONS_DELETE)]
Inviter = Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_CREATE)]
MemberReader = Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_READ)]
MemberEditor = Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_UPDATE)]
MemberRemover = Annotated[Actor, requires(p.ORGANISATIONS_MEMBERS_DELETE)]
ProjectMaker = Annotated[Actor, requires(p.PROJECTS_CREATE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationPage(SettingsPage):
    template: ClassVar[str] = "settings/organisation.html"

    organisation: Organisation
    form: FormState
    may_edit: bool
    may_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectsPage(SettingsPage):
    template: ClassVar[str] = "settings/projects.html"

    organisation: str
    projects: tuple[Project, ...]
    next: str | None
    form: FormState
    may_create: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage(SettingsPage):
    template: ClassVar[str] = "settings/members.html"

    members: tuple[Member, ...]
    next: str | None
    invitations: tuple[Invitation, ...]
    roles: tuple[tuple[UUID, str], ...]
    form: FormState
    me: UUID
    may_invite: bool
    may_edit: bool
    may_remove: bool


@router.get("")
async def general(request: Request, actor: Reader) -> Response:
    return await _general(request, actor, FormState())


@router.post("")
async def update(request: Request, actor: Editor) -> Response:
    form = await entered(request)
    organisations: OrganisationService = request.app.state.organisations
    try:
        wanted = parsed(request, OrganisationUpdate, {name: form.get(name, "") for name in ("name", "slug")})
        changed = await organisations.update(actor, name=wanted.name, slug=wanted.slug)
    except Problem as problem:
        return await _general(request, actor, refused(form, problem), problem.status)
    response = RedirectResponse(f"/o/{changed.slug}/settings", 303)
    flash(request, response, say_to(request, "Saved."))
    return response


@router.post("/delete")
async def delete(request: Request, actor: Deleter) -> Response:
    organisations: OrganisationService = request.app.state.organisations
    return await act(request, organisations.delete(actor), "/", say_to(request, "The organisation is gone."))


@router.get("/projects")
async def projects(request: Request, actor: Reader, cursor: str | None = None) -> Response:
    return await _projects(request, actor, FormState(), cursor)


@router.post("/projects")
async def create_project(request: Request, actor: ProjectMaker) -> Response:
    form = await entered(request)
    service: ProjectService = request.app.state.projects
    try:
        wanted = parsed(request, ProjectCreate, {name: form.get(name, "") for name in ("name", "description")})
        made = await service.create(actor, NewProject(wanted.name, None, wanted.description))
    except Problem as problem:
        return await _projects(request, actor, refused(form, problem), None, problem.status)
    return RedirectResponse(f"/o/{request.path_params['organisation']}/p/{made.slug}/traces", 303)


@router.get("/members")
async def members(request: Request, actor: MemberReader, cursor: str | None = None) -> Response:
    return await _members(request, actor, FormState(), cursor=cursor)


@router.post("/members/invite")
async def invite(request: Request, actor: Inviter) -> Response:
    form = await entered(request)
    invitations: InvitationService = request.app.state.invitations
    try:
        wanted = NewInvitation(normal_email(form.get("email", "")), uuid_of(form.get("role", "")))
        made = await invitations.invite(actor, wanted)
    except ValueError:
        wrong = FormState(form, {"email": say_to(request, "This is not an e-mail address.")})
        return await _members(request, actor, wrong, status=422)
    except Problem as problem:
        return await _members(request, actor, refused(form, problem), status=problem.status)
    return await _members(request, actor, FormState(reveal=made.link))


@router.post("/members/invitations/{invitation_id}/revoke")
async def revoke_invitation(request: Request, actor: Inviter, invitation_id: UUID) -> Response:
    invitations: InvitationService = request.app.state.invitations
    said = say_to(request, "The invitation was taken back.")
    return await act(request, invitations.revoke(actor, invitation_id), _here(request, "members"), said)


@router.post("/members/{user_id}/role")
async def set_role(request: Request, actor: MemberEditor, user_id: UUID) -> Response:
    organisations: OrganisationService = request.app.state.organisations
    role_id = uuid_of((await entered(request)).get("role", ""))
    said = say_to(request, "The role is changed.")
    return await act(request, organisations.set_role(actor, user_id, role_id), _here(request, "members"), said)


@router.post("/members/{user_id}/remove")
async def remove(request: Request, actor: MemberRemover, user_id: UUID) -> Response:
    organisations: OrganisationService = request.app.state.organisations
    said = say_to(request, "The member is removed from the organisation and all of its projects.")
    return await act(request, organisations.remove_member(actor, user_id), _here(request, "members"), said)


def _here(request: Request, tab: str) -> str:
    return f"/o/{request.path_params['organisation']}/settings/{tab}"


async def _general(request: Request, actor: Actor, form: FormState, status: int = 200) -> Response:
    organisations: OrganisationService = request.app.state.organisations
    frame = await organisation_frame(request, actor)
    page = OrganisationPage(
        **frame.fields("general"),  # type: ignore[arg-type]
        organisation=await organisations.get(actor),
        form=form,
        may_edit=actor.may(p.ORGANISATIONS_UPDATE),
        may_delete=actor.may(p.ORGANISATIONS_DELETE),
    )
    return renderer_of(request).respond(page, status=status)


async def _projects(request: Request, actor: Actor, form: FormState, cursor: str | None, status: int = 200) -> Response:
    service: ProjectService = request.app.state.projects
    found = await service.page(actor, PageRequest(PAGE, cursor))
    frame = await organisation_frame(request, actor)
    page = ProjectsPage(
        **frame.fields("projects"),  # type: ignore[arg-type]
        organisation=request.path_params["organisation"],
        projects=found.items,
        next=found.next,
        form=form,
        may_create=actor.may(p.PROJECTS_CREATE),
    )
    return renderer_of(request).respond(page, status=status)


async def _members(
    request: Request, actor: Actor, form: FormState, *, cursor: str | None = None, status: int = 200
) -> Response:
    state = request.app.state
    found = await state.organisations.members(actor, PageRequest(PAGE, cursor))
    may_invite = actor.may(p.ORGANISATIONS_MEMBERS_CREATE)
    invited = (await state.invitations.page(actor, PageRequest(PAGE))).items if may_invite else ()
    frame = await organisation_frame(request, actor)
    page = MembersPage(
        **frame.fields("members"),  # type: ignore[arg-type]
        members=found.items,
        next=found.next,
        invitations=tuple(row for row in invited if row.status == "pending"),
        roles=tuple((role.id, role.name) for role in (await state.roles.page(actor, PageRequest(PAGE))).items),
        form=form,
        me=actor.id,
        may_invite=may_invite,
        may_edit=actor.may(p.ORGANISATIONS_MEMBERS_UPDATE),
        may_remove=actor.may(p.ORGANISATIONS_MEMBERS_DELETE),
    )
    return renderer_of(request).respond(page, status=status)
