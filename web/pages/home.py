"""Where somebody lands: their first project, or what to do when there is none; and their account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access.schemas.accounts import AccountUpdate, PasswordChange
from arcane.access.schemas.organisations import OrganisationCreate
from arcane.access.service.accounts import AccountService
from arcane.access.tables import UserSession
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.guard import signed_in
from arcane.kit.problems import NotAllowed, Problem
from web.browsers import browser_of
from web.flash import flash
from web.forms import FormState, act, entered, parsed, refused, say_to
from web.rendering import Page, renderer_of

router = APIRouter(include_in_schema=False)
SignedInActor = Annotated[Actor, signed_in()]


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomePage(Page):
    template: ClassVar[str] = "account/welcome.html"

    form: FormState


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Where the person is signed in."""

    session: UserSession
    browser: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage(Page):
    template: ClassVar[str] = "account/account.html"

    form: FormState
    sessions: tuple[SessionRow, ...]
    min_length: int


@router.get("/")
async def home(request: Request, actor: SignedInActor) -> Response:
    _person(actor)
    places = await renderer_of(request).directory.places(request, actor)
    if places:
        return RedirectResponse(places[0].home, 303)
    return await _welcome(request, actor, FormState())


@router.post("/organisations")
async def create_organisation(request: Request, actor: SignedInActor) -> Response:
    _person(actor)
    form = await entered(request)
    try:
        wanted = parsed(request, OrganisationCreate, {"name": form.get("name", "")})
        made = await request.app.state.organisations.create(actor, wanted.name)
    except Problem as problem:
        return await _welcome(request, actor, refused(form, problem), problem.status)
    return RedirectResponse(f"/o/{made.slug}/settings/projects", 303)


@router.get("/account")
async def account(request: Request, actor: SignedInActor) -> Response:
    return await _account(request, actor, FormState())


@router.post("/account/name")
async def rename(request: Request, actor: SignedInActor) -> Response:
    form = await entered(request)
    try:
        wanted = parsed(request, AccountUpdate, {"name": form.get("name", "")})
        await _accounts(request).rename(actor, wanted.name)
    except Problem as problem:
        return await _account(request, actor, refused(form, problem), problem.status)
    return _done(request, say_to(request, "Saved."))


@router.post("/account/password")
async def change_password(request: Request, actor: SignedInActor) -> Response:
    form = await entered(request)
    session_id = request.state.session.session_id
    try:
        wanted = parsed(request, PasswordChange, {name: form.get(name, "") for name in PasswordChange.model_fields})
        current, new = wanted.current.get_secret_value(), wanted.new.get_secret_value()
        await _accounts(request).change_password(actor, session_id, current, new)
    except Problem as problem:
        unsaid = dict.fromkeys(PasswordChange.model_fields, "")
        return await _account(request, actor, refused(unsaid, problem), problem.status)
    said = say_to(request, "Your password is changed; every other browser was signed out.")
    return _done(request, said)


@router.post("/account/sessions/{session_id}/revoke")
async def revoke(request: Request, actor: SignedInActor, session_id: UUID) -> Response:
    said = say_to(request, "That browser is signed out.")
    return await act(request, _accounts(request).revoke_session(actor, session_id), "/account", said)


@router.post("/account/sessions/revoke-others")
async def revoke_others(request: Request, actor: SignedInActor) -> Response:
    work = _accounts(request).revoke_other_sessions(actor, request.state.session.session_id)
    return await act(request, work, "/account", say_to(request, "Every other browser is signed out."))


def _accounts(request: Request) -> AccountService:
    accounts: AccountService = request.app.state.accounts
    return accounts


def _person(actor: Actor) -> None:
    if actor.kind is not ActorKind.USER:
        raise NotAllowed("pages are for people; an API key uses /api/v1")


def _done(request: Request, said: str) -> Response:
    response = RedirectResponse("/account", 303)
    flash(request, response, said)
    return response


async def _welcome(request: Request, actor: Actor, form: FormState, status: int = 200) -> Response:
    renderer = renderer_of(request)
    shell = renderer.plain_shell(request)
    page = WelcomePage(shell=shell, title=shell.language.gettext("Welcome"), form=form)
    return renderer.respond(page, status=status)


async def _account(request: Request, actor: Actor, form: FormState, status: int = 200) -> Response:
    _person(actor)
    accounts, renderer = _accounts(request), renderer_of(request)
    shell = await renderer.shell(request, actor, section="account")
    page = AccountPage(
        shell=shell,
        title=shell.language.gettext("Your account"),
        form=form,
        sessions=tuple(
            SessionRow(row, browser_of(row.user_agent), row.id == request.state.session.session_id)
            for row in await accounts.sessions(actor)
        ),
        min_length=accounts.settings.min_password_length,
    )
    return renderer.respond(page, status=status)
