"""Every route of an application with what it declares, however deep routers are nested."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from arcane.kit.guard import Access, Guard

UNGUARDED = frozenset({"/api/v1/openapi.json"})
"""Routes of the framework's own that carry no dependency."""


@dataclass(frozen=True, slots=True)
class DeclaredRoute:
    """A route, and the accesses its dependencies declare (one, if the house rules hold)."""

    method: str
    path: str
    accesses: tuple[Access, ...]

    @property
    def access(self) -> Access:
        (only,) = self.accesses
        return only

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes_of(app: FastAPI) -> list[DeclaredRoute]:
    """Returns the routes, one for each method; mounted files (static) are no routes."""
    found = []
    for context in iter_route_contexts(app.routes):
        if context.path is None or not context.methods or context.path in UNGUARDED:
            continue
        dependant: Dependant | None = getattr(context, "dependant", None)
        accesses = tuple(guard.access for guard in _guards(dependant)) if dependant is not None else ()
        found += [
            DeclaredRoute(method, context.path, accesses) for method in sorted(context.methods - {"HEAD", "OPTIONS"})
        ]
    return found


def guards_of(app: FastAPI) -> list[Guard]:
    """Returns the guards of all routes, each once."""
    dependants = (getattr(context, "dependant", None) for context in iter_route_contexts(app.routes))
    found = {id(guard): guard for dependant in dependants if dependant is not None for guard in _guards(dependant)}
    return list(found.values())


def _guards(dependant: Dependant) -> list[Guard]:
    """The distinct guards, in dependencies of dependencies as well."""
    guards: dict[int, Guard] = {}

    def walk(node: Dependant) -> None:
        if isinstance(node.call, Guard):
            guards[id(node.call)] = node.call
        for child in node.dependencies:
            walk(child)

    walk(dependant)
    return list(guards.values())
