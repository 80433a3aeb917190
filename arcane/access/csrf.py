"""Requests that change something come from our own pages, or from a program that holds a key.

Two independent checks for a browser: where the request comes from (Sec-Fetch-Site, else Origin),
also for requests that nobody is signed in for (signing someone in unnoticed is an attack as well),
and a token that is bound to the session. Calls with an API key carry no cookie and need neither.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from arcane.kit.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf_token"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class CrossSiteRequest(Problem):
    """A change that was not asked for by one of this instance's own pages."""

    status = 403
    slug = "cross-site-request"
    title = "Cross-site request"


def check_origin(request: Request, public_url: str) -> None:
    """Returns when the request comes from our own pages or from no browser at all; raises CrossSiteRequest."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise CrossSiteRequest("this request comes from another site")
    origin = request.headers.get("origin")
    if origin is None or _same(origin, public_url) or urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise CrossSiteRequest("this request comes from another site")


async def check_token(request: Request, expected: str) -> None:
    """Returns when the request carries its session's token, as a header or a form field."""
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").startswith(_FORMS):
        value = (await request.form()).get(FIELD)
        given = value if isinstance(value, str) else None
    if given is None or not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
        raise CrossSiteRequest("the form's token is missing or belongs to another session; reload the page")


def _same(origin: str, public_url: str) -> bool:
    one, other = urlsplit(origin), urlsplit(public_url)
    return (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())
