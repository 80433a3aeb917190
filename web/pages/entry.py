"""Ways in: the first start, signing in and out, accepting an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access.authoriser import AccessAuthoriser
from arcane.access.names import Title
from arcane.access.schemas.accounts import SetupIn
from arcane.access.schemas.base import Password
from arcane.access.service.accounts import AccountService, NewAccount
from arcane.access.service.invitations import InvitationService, InvitationView
from arcane.access.service.sessions import NewSession
from arcane.kit.actor import Actor
from arcane.kit.guard import public, signed_in
from arcane.kit.problems import Problem
from arcane.kit.schema import Schema
from web.flash import flash
from web.forms import FormState, client_of, entered, local_path, parsed, refused, say_to
from web.rendering import Page, renderer_of

router = APIRouter(include_in_schema=False)
BEFORE = public("nobody is signed in before they have signed in")


class JoinForm(Schema):
    """What somebody without an account enters to accept an invitation."""

    name: Title
    password: Password


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage(Page):
    template: ClassVar[str] = "entry/login.html"

    form: FormState
    next: str
    needs_owner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPage(Page):
    template: ClassVar[str] = "entry/setup.html"

    form: FormState
    token: str
    needs_owner: bool
    min_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPage(Page):
    template: ClassVar[str] = "entry/invitation.html"

    form: FormState
    token: str
    invitation: InvitationView
    min_length: int
    login: str


@router.get("/login", dependencies=[BEFORE])
async def login(request: Request, next: str = "/") -> Response:
    authoriser: AccessAuthoriser = request.app.state.authoriser
    if await authoriser.session_of(request) is not None:
        return RedirectResponse(local_path(next), 303)
    return await _login(request, FormState(), local_path(next))


@router.post("/login", dependencies=[BEFORE])
async def sign_in(request: Request) -> Response:
    _own_form(request)
    form = await entered(request)
    target = local_path(form.get("next", "/"))
    accounts: AccountService = request.app.state.accounts
    try:
        session = await accounts.sign_in(form.get("email", ""), form.get("password", ""), client_of(request))
    except Problem as problem:
        return await _login(request, refused({"email": form.get("email", "")}, problem), target, problem.status)
    return _enter(request, session, target)


@router.post("/logout")
async def sign_out(request: Request, actor: Actor = signed_in()) -> Response:
    accounts: AccountService = request.app.state.accounts
    await accounts.sign_out(actor, request.state.session.session_id)
    response = RedirectResponse("/login", 303)
    accounts.cookie.clear(response)
    return response


@router.get("/setup", dependencies=[BEFORE])
async def setup(request: Request, token: str = "") -> Response:
    return await _setup(request, FormState(), token)


@router.post("/setup", dependencies=[BEFORE])
async def claim(request: Request) -> Response:
    _own_form(request)
    form = await entered(request)
    accounts: AccountService = request.app.state.accounts
    shown = {**{name: form.get(name, "") for name in ("name", "email", "token")}, "password": ""}
    try:
        wanted = parsed(request, SetupIn, {name: form.get(name, "") for name in SetupIn.model_fields})
        account = NewAccount(wanted.email, wanted.name, wanted.password.get_secret_value())
        session = await accounts.claim_owner(wanted.token.get_secret_value(), account, client_of(request))
    except Problem as problem:
        return await _setup(request, refused(shown, problem), form.get("token", ""), problem.status)
    return _enter(request, session, "/")


@router.get("/invitation", dependencies=[BEFORE])
async def invitation(request: Request, token: str = "") -> Response:
    return await _invitation(request, FormState(), token)


@router.post("/invitation", dependencies=[BEFORE])
async def join(request: Request) -> Response:
    _own_form(request)
    form = await entered(request)
    invitations: InvitationService = request.app.state.invitations
    shown, token = {"name": form.get("name", ""), "password": ""}, form.get("token", "")
    try:
        wanted = parsed(request, JoinForm, {"name": shown["name"], "password": form.get("password", "")})
        session = await invitations.accept_with_new_account(
            token, wanted.name, wanted.password.get_secret_value(), client_of(request)
        )
    except Problem as problem:
        return await _invitation(request, refused(shown, problem), token, problem.status)
    return _enter(request, session, "/")


@router.post("/invitation/accept")
async def accept(request: Request, actor: Actor = signed_in()) -> Response:
    token = (await entered(request)).get("token", "")
    invitations: InvitationService = request.app.state.invitations
    try:
        await invitations.accept(actor, request.state.session.email, token)
    except Problem as problem:
        return await _invitation(request, refused({}, problem), token, problem.status)
    response = RedirectResponse("/", 303)
    flash(request, response, say_to(request, "Welcome. You belong to it now."))
    return response


def _own_form(request: Request) -> None:
    """Signing somebody in unnoticed from another site is an attack as well."""
    authoriser: AccessAuthoriser = request.app.state.authoriser
    authoriser.check_public(request)


def _enter(request: Request, session: NewSession, target: str) -> Response:
    accounts: AccountService = request.app.state.accounts
    response = RedirectResponse(target, 303)
    accounts.cookie.set(response, session.token, session.expires_at)
    return response


async def _login(request: Request, form: FormState, target: str, status: int = 200) -> Response:
    accounts: AccountService = request.app.state.accounts
    renderer = renderer_of(request)
    shell = renderer.plain_shell(request)
    page = SignInPage(
        shell=shell,
        title=shell.language.gettext("Sign in"),
        form=form,
        next=target,
        needs_owner=(await accounts.setup_status()).needs_owner,
    )
    return renderer.respond(page, status=status)


async def _setup(request: Request, form: FormState, token: str, status: int = 200) -> Response:
    accounts: AccountService = request.app.state.accounts
    renderer = renderer_of(request)
    shell = renderer.plain_shell(request)
    page = SetupPage(
        shell=shell,
        title=shell.language.gettext("Become the owner"),
        form=form,
        token=token,
        needs_owner=(await accounts.setup_status()).needs_owner,
        min_length=accounts.settings.min_password_length,
    )
    return renderer.respond(page, status=status)


async def _invitation(request: Request, form: FormState, token: str, status: int = 200) -> Response:
    invitations: InvitationService = request.app.state.invitations
    authoriser: AccessAuthoriser = request.app.state.authoriser
    request.state.session = await authoriser.session_of(request)
    renderer = renderer_of(request)
    shell = renderer.plain_shell(request)
    page = InvitationPage(
        shell=shell,
        title=shell.language.gettext("Invitation"),
        form=form,
        token=token,
        invitation=await invitations.look_up(token),
        min_length=invitations.accounts.settings.min_password_length,
        login="/login?" + urlencode({"next": f"/invitation?{urlencode({'token': token})}"}),
    )
    return renderer.respond(page, status=status)
