"""A new password for whoever holds a one-time link that an owner of the instance made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access.authoriser import AccessAuthoriser
from arcane.access.schemas.base import Password
from arcane.access.service.password_links import PasswordLinkService
from arcane.kit.guard import public
from arcane.kit.problems import Problem
from arcane.kit.schema import Schema
from web.flash import flash
from web.forms import FormState, client_of, entered, parsed, refused, say_to
from web.rendering import Page, renderer_of

router = APIRouter(include_in_schema=False)
BEFORE = public("whoever holds the link cannot sign in: that is what it is for")
PATH = "/new-password"


class PasswordForm(Schema):
    """What the holder of a link enters."""

    password: Password


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasswordPage(Page):
    template: ClassVar[str] = "entry/new_password.html"

    form: FormState
    token: str
    email: str
    min_length: int


@router.get(PATH, dependencies=[BEFORE])
async def show(request: Request, token: str = "") -> Response:
    return await _page(request, FormState(), token)


@router.post(PATH, dependencies=[BEFORE])
async def change(request: Request) -> Response:
    authoriser: AccessAuthoriser = request.app.state.authoriser
    authoriser.check_public(request)
    form = await entered(request)
    token, shown = form.get("token", ""), {"password": ""}
    try:
        wanted = parsed(request, PasswordForm, {"password": form.get("password", "")})
        await _links(request).use(token, wanted.password.get_secret_value(), client_of(request))
    except Problem as problem:
        return await _page(request, refused(shown, problem), token, problem.status)
    response = RedirectResponse("/login", 303)
    flash(request, response, say_to(request, "The password is set. Sign in with it."))
    return response


def _links(request: Request) -> PasswordLinkService:
    links: PasswordLinkService = request.app.state.password_links
    return links


async def _page(request: Request, form: FormState, token: str, status: int = 200) -> Response:
    links, renderer = _links(request), renderer_of(request)
    shell = renderer.plain_shell(request)
    page = NewPasswordPage(
        shell=shell,
        title=shell.language.gettext("A new password"),
        form=form,
        token=token,
        email=await links.email_of(token) or "",
        min_length=links.accounts.settings.min_password_length,
    )
    return renderer.respond(page, status=status)
