"""The instance's own pages, for its owners: organisations, people and workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.access.schemas.organisations import OrganisationCreate
from arcane.access.service.organisations import OrganisationService
from arcane.access.service.password_links import IssuedPasswordLink, PasswordLinkService
from arcane.access.service.users import UserService
from arcane.access.tables import Organisation, User
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from arcane.workers.service import PresentWorker, WorkerService
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.frame import SettingsPage, instance_frame
from web.rendering import renderer_of

router = APIRouter(prefix="/instance", include_in_schema=False)
PAGE = 100
Owner = Annotated[Actor, requires(p.ALL)]
Cursor = Annotated[str | None, Query(max_length=2048)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationsPage(SettingsPage):
    template: ClassVar[str] = "instance/organisations.html"

    organisations: tuple[Organisation, ...]
    next: str | None
    form: FormState


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage(SettingsPage):
    template: ClassVar[str] = "instance/people.html"

    people: tuple[User, ...]
    more: str
    search: str
    me: UUID
    issued: IssuedPasswordLink | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersPage(SettingsPage):
    template: ClassVar[str] = "instance/workers.html"

    workers: tuple[PresentWorker, ...]


@router.get("")
async def organisations(request: Request, actor: Owner, cursor: Cursor = None) -> Response:
    return await _organisations(request, actor, FormState(), cursor)


@router.post("/organisations")
async def create_organisation(request: Request, actor: Owner) -> Response:
    form = await entered(request)
    service: OrganisationService = request.app.state.organisations
    try:
        wanted = parsed(request, OrganisationCreate, {"name": form.get("name", "")})
        made = await service.create(actor, wanted.name)
    except Problem as problem:
        return await _organisations(request, actor, refused(form, problem), None, problem.status)
    return RedirectResponse(f"/o/{made.slug}/settings/projects", 303)


@router.get("/people")
async def people(
    request: Request, actor: Owner, search: Annotated[str, Query(max_length=200)] = "", cursor: Cursor = None
) -> Response:
    found = await _users(request).page(actor, PageRequest(PAGE, cursor), search.strip() or None)
    frame = await instance_frame(request, actor)
    page = PeoplePage(
        **frame.fields("people"),  # type: ignore[arg-type]
        people=found.items,
        more="?" + urlencode({"search": search, "cursor": found.next}) if found.next else "",
        search=search,
        me=actor.id,
    )
    return renderer_of(request).respond(page)


@router.post("/people/{user_id}/password-link")
async def issue_password_link(request: Request, actor: Owner, user_id: UUID) -> Response:
    links: PasswordLinkService = request.app.state.password_links
    issued = await links.issue(actor, user_id)
    found = await _users(request).page(actor, PageRequest(PAGE, None), issued.user.email)
    frame = await instance_frame(request, actor)
    page = PeoplePage(
        **frame.fields("people"),  # type: ignore[arg-type]
        people=found.items,
        more="",
        search=issued.user.email,
        me=actor.id,
        issued=issued,
    )
    return renderer_of(request).respond(page)


@router.post("/people/{user_id}/owner")
async def make_owner(request: Request, actor: Owner, user_id: UUID) -> Response:
    work = _users(request).make_owner(actor, user_id)
    return await act(request, work, "/instance/people", say_to(request, "They own this instance too now."))


@router.post("/people/{user_id}/not-owner")
async def unmake_owner(request: Request, actor: Owner, user_id: UUID) -> Response:
    work = _users(request).unmake_owner(actor, user_id)
    return await act(request, work, "/instance/people", say_to(request, "They do not own this instance any more."))


@router.post("/people/{user_id}/remove")
async def remove(request: Request, actor: Owner, user_id: UUID) -> Response:
    said = say_to(request, "The account is gone and signed out everywhere.")
    return await act(request, _users(request).remove(actor, user_id), "/instance/people", said)


@router.get("/workers")
async def workers(request: Request, actor: Owner) -> Response:
    service: WorkerService = request.app.state.workers
    frame = await instance_frame(request, actor)
    page = WorkersPage(**frame.fields("workers"), workers=tuple(service.present()))  # type: ignore[arg-type]
    return renderer_of(request).respond(page)


def _users(request: Request) -> UserService:
    users: UserService = request.app.state.users
    return users


async def _organisations(
    request: Request, actor: Actor, form: FormState, cursor: str | None, status: int = 200
) -> Response:
    service: OrganisationService = request.app.state.organisations
    found = await service.page(actor, PageRequest(PAGE, cursor))
    frame = await instance_frame(request, actor)
    page = OrganisationsPage(
        **frame.fields("organisations"),  # type: ignore[arg-type]
        organisations=found.items,
        next=found.next,
        form=form,
    )
    return renderer_of(request).respond(page, status=status)
