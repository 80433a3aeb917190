"""API errors as RFC 9457 problem details.

Problem (status, slug, title)
├── 400 BadRequest ...     400s that a slice defines subclass Problem next to the rule they state
├── 401 NotSignedIn
├── 403 NotAllowed
├── 404 NotFound
├── 409 Conflict
├── 413 BodyTooLarge
├── 422 MalformedInput     the body or a parameter does not have its declared shape
├── 429 TooManyRequests
└── 503 Unavailable

`type` is `/problems/<slug>`, a page this instance serves from docs/reference/problems/<slug>.md;
a test fails when a slug has no page.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Problem(Exception):
    """A request that cannot be answered as asked. `detail` is safe to show."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "Bad request"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def body(self, instance: str) -> dict[str, Any]:
        """Returns the problem as the RFC spells it; extension members come last."""
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }


class BadRequest(Problem):
    """The request has its declared shape and still cannot be answered."""


class NotSignedIn(Problem):
    """No credentials, or none that are valid."""

    status = 401
    slug = "not-signed-in"
    title = "Not signed in"


class NotAllowed(Problem):
    """A member without the permission."""

    status = 403
    slug = "not-allowed"
    title = "Not allowed"


class NotFound(Problem):
    """Not there, or not the caller's to know."""

    status = 404
    slug = "not-found"
    title = "Not found"


class Conflict(Problem):
    """The state of things does not allow it."""

    status = 409
    slug = "conflict"
    title = "Conflict"


class BodyTooLarge(Problem):
    """The request body is over the limit."""

    status = 413
    slug = "body-too-large"
    title = "Body too large"


class MalformedInput(Problem):
    """The body or a parameter does not have its declared shape; `errors` lists where."""

    status = 422
    slug = "malformed-input"
    title = "Malformed input"


class TooManyRequests(Problem):
    """Slow down; `Retry-After` says how long."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"


class Unavailable(Problem):
    """A part of this instance is not there right now."""

    status = 503
    slug = "unavailable"
    title = "Unavailable"
