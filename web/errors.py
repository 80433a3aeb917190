"""Failures as pages. A browser that asked for a page gets one; programs keep getting problem details."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, cast
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from arcane.access.csrf import SAFE_METHODS, CrossSiteRequest
from arcane.kit.http import route_of
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem
from web.assets import AssetsMissing
from web.forms import local_path
from web.i18n import Language
from web.rendering import Page, Renderer
from web.security import page_headers

log = get_logger("web.errors")

Handler = Callable[[Request, Exception], Awaitable[Response]]
_NOT_PAGES = ("/api/", "/assets/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    template: ClassVar[str] = "error.html"

    status: int
    heading: str
    advice: str
    detail: str
    request_id: str
    home: str


def wants_page(request: Request) -> bool:
    """True when a browser navigates or htmx asks for a part of a page."""
    if request.url.path.startswith(_NOT_PAGES):
        return False
    return "hx-request" in request.headers or "text/html" in request.headers.get("accept", "")


def install_error_pages(app: FastAPI, renderer: Renderer) -> None:
    """Wraps the handlers that are already there: what is not a page's request goes on to them."""
    for kind in (Problem, HTTPException, RequestValidationError, Exception):
        before = cast("Handler | None", app.exception_handlers.get(kind))
        app.add_exception_handler(kind, _page_or(before, renderer))


def _page_or(before: Handler | None, renderer: Renderer) -> Handler:
    async def handle(request: Request, exc: Exception) -> Response:
        if not wants_page(request):
            if before is None:
                raise exc
            return await before(request, exc)
        status, detail = _judge(exc, renderer.language(request))
        if status == 500:
            log.error("page_failed", route=route_of(request), exc_info=exc)
        if isinstance(exc, AssetsMissing):
            return PlainTextResponse(exc.detail, status_code=exc.status)
        if status == 401:
            return _to_sign_in(request)
        return error_response(request, renderer, (status, detail), foreign=isinstance(exc, CrossSiteRequest))

    return handle


def _judge(exc: Exception, language: Language) -> tuple[int, str]:
    if isinstance(exc, Problem):
        return exc.status, exc.detail
    if isinstance(exc, HTTPException):
        return exc.status_code, ""
    if isinstance(exc, RequestValidationError):
        if all(error["loc"][:1] == ("path",) for error in exc.errors()):
            return 404, ""  # an address with something else where an id stands leads nowhere
        told = (f"{'.'.join(map(str, error['loc']))}: {language.tell(error['msg'])}" for error in exc.errors())
        return 422, "; ".join(told)
    return 500, ""


def _to_sign_in(request: Request) -> Response:
    """Sends a browser to the sign-in page and from there back; htmx has to be told to leave the page.

    Back from a form that was not taken any more is its page: the form's own address cannot be opened.
    """
    wanted = request.headers.get("hx-current-url") if "hx-request" in request.headers else None
    if request.method not in SAFE_METHODS:
        wanted = wanted or request.headers.get("referer", "/")
    path = wanted or str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    target = f"/login?next={quote(_local(path), safe='')}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"hx-redirect": target})
    return RedirectResponse(target, status_code=303)


def _local(address: str) -> str:
    """The path of an address, so that nobody is sent to another host after signing in."""
    if "://" in address:
        address = "/" + address.split("://", 1)[1].partition("/")[2]
    return local_path(address)


def error_response(request: Request, renderer: Renderer, judged: tuple[int, str], *, foreign: bool) -> Response:
    """Returns the page for a status and its detail, with the security headers even where no middleware is left."""
    status, detail = judged
    language = renderer.language(request)
    heading, advice = _foreign_words(language) if foreign else _words(status, language)
    shell = renderer.plain_shell(request)
    page = ErrorPage(
        shell=shell,
        title=heading,
        status=status,
        heading=heading,
        advice=advice,
        detail=detail,
        request_id=getattr(request.state, "request_id", "") if status >= 500 else "",
        home="/",
    )
    headers = page_headers(request.scope)
    if "hx-request" not in request.headers:
        return HTMLResponse(renderer.html(page), status_code=status, headers=headers)
    # Into the element that was to be replaced, not in its place: the next request needs it as its target.
    part = renderer.fragment(page, "message.html")
    return HTMLResponse(part, status_code=status, headers={**headers, "hx-reswap": "innerHTML"})


def _foreign_words(language: Language) -> tuple[str, str]:
    say = language.gettext
    return (
        say("This form was not accepted"),
        say("Its page is from before you signed in, or of another site. Go back, reload it and send it again."),
    )


def _words(status: int, language: Language) -> tuple[str, str]:
    say = language.gettext
    known = {
        403: (
            say("You may not open this"),
            say("You are a member here, but your role does not include it. An administrator can change that."),
        ),
        404: (
            say("Nothing here"),
            say("The address is wrong, the thing is gone, or it belongs to somebody else."),
        ),
        405: (say("This page cannot be sent to"), say("Go back and use the form on the page.")),
        413: (say("That is too much"), say("What you sent is larger than this instance accepts.")),
        429: (say("Too many tries"), say("Wait a few minutes, then try again.")),
        500: (
            say("Something broke in Arcane"),
            say("This is a bug, not something you did. Try again; the log of the instance knows more."),
        ),
        503: (say("Not available right now"), say("A part of this instance is not running. Try again in a moment.")),
    }
    return known.get(status, (say("This request cannot be answered"), say("Go back, change it, and try again.")))
