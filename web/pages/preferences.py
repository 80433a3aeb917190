"""What a person likes: kept in cookies, so it is there before they sign in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from arcane.kit.guard import public
from web.forms import local_path
from web.shell import THEME_COOKIE, THEMES

router = APIRouter(include_in_schema=False)
_YEAR = 365 * 24 * 3600


@router.post("/preferences/theme", dependencies=[public("how pages look is nobody's secret")])
async def choose_theme(request: Request, theme: Annotated[str, Form()], next: Annotated[str, Form()] = "/") -> Response:
    target = local_path(next)
    response: Response = Response(status_code=204) if "hx-request" in request.headers else RedirectResponse(target, 303)
    if theme in THEMES:
        secure = request.url.scheme == "https"
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR, samesite="lax", secure=secure)
    return response
