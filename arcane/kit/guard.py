"""The one place where a route says who may call it.

A route carries exactly one of `requires(permission)`, `key_requires(permission)`, `signed_in()` or
`public(reason)`; a test walks all routes and fails on one that carries none. How the answer is worked out is policy:
`arcane.access` puts an `Authoriser` on `app.state.authoriser`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Depends, Request

from arcane.kit.actor import Actor

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Authoriser(Protocol):
    """Turns a request into an Actor; raises 401 without credentials, 404 for a stranger, 403 for a member."""

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        """Returns the actor for the scope the path names (`organisation_id`, `project_id`, or the instance)."""
        ...

    async def authorise_key(self, request: Request, permission: str) -> Actor:
        """Returns the actor for the project of the API key that was sent; raises 401 for anything but a key."""
        ...

    def check_public(self, request: Request) -> None:
        """Returns when a change that needs no credential was not asked for by another site; else raises 403."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """What a route declared; kept on the dependency so that tests and the OpenAPI document can read it."""

    permission: str | None = None
    public_reason: str | None = None
    by_key: bool = False
    """The project is the API key's: the path names none."""


class Guard:
    """A FastAPI dependency that yields the Actor (None on public routes)."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, request: Request) -> Actor | None:
        """Returns the actor the route declared, None on a public one."""
        authoriser: Authoriser
        if self.access.public_reason is not None:
            if request.method not in _SAFE_METHODS:
                authoriser = request.app.state.authoriser
                authoriser.check_public(request)
            return None
        authoriser = request.app.state.authoriser
        if self.access.by_key and self.access.permission is not None:
            return await authoriser.authorise_key(request, self.access.permission)
        return await authoriser.authorise(request, self.access.permission)


def requires(permission: str) -> Any:
    """Declares that the caller needs `permission` in the scope the path names; injects the Actor."""
    return Depends(Guard(Access(permission=permission)))


def key_requires(permission: str) -> Any:
    """Declares that the caller sends an API key that holds `permission` in its project; injects the Actor."""
    return Depends(Guard(Access(permission=permission, by_key=True)))


def signed_in() -> Any:
    """Declares that any signed-in caller may call; injects an Actor at instance scope."""
    return Depends(Guard(Access()))


def public(reason: str) -> Any:
    """Declares that nobody needs to sign in, and why."""
    return Depends(Guard(Access(public_reason=reason)))


Again = Callable[[], Awaitable[Actor]]
"""Works out once more who is asking; raises the Problem of somebody who may not any longer."""


def again_of(request: Request, permission: str) -> Again:
    """Returns what works out once more who is asking, with the credential the request came with."""
    authoriser: Authoriser = request.app.state.authoriser

    async def again() -> Actor:
        return await authoriser.authorise(request, permission)

    return again


def key_again_of(request: Request, permission: str) -> Again:
    """Returns what works out once more what the API key may do that the request came with (see `key_requires`)."""
    authoriser: Authoriser = request.app.state.authoriser

    async def again() -> Actor:
        return await authoriser.authorise_key(request, permission)

    return again


Dependency = Callable[..., Awaitable[Any]]
