"""What the OpenAPI document says of every operation by itself: how to sign in, and how a request may be refused.

Who may call a route stands on its guard, and what it takes stands in its signature. Both decide which
problems it can answer with, so no route has to list them; what only its own slice knows (502 of
datasources, say) it declares, and that is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from arcane.kit.guard import Access, Guard
from arcane.kit.http import PROBLEM_TYPE

Json = dict[str, Any]
_CHANGES = frozenset({"post", "put", "patch", "delete"})
_REFUSALS = {
    400: "The request has its declared shape and cannot be answered as asked",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there, or not yours to know",
    409: "The state of things does not allow it",
    413: "The body is larger than this instance accepts",
    415: "The body is not JSON by its content type",
    422: "The body or a parameter does not have its declared shape",
    429: "Too many attempts; `Retry-After` says how long to wait",
    503: "A part of this instance is not there right now",
}
_PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `type` is the address of a page that says what it means and what to do.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/not-found"]},
        "title": {"type": "string", "examples": ["Not found"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [404]},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class _Operation:
    description: Json
    changes: bool
    access: Access

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.description

    @property
    def refusals(self) -> Iterator[int]:
        """Yields the statuses below 500 that a request can be refused with, and 503."""
        private = self.access.public_reason is None
        if private or self.changes:
            yield from (401, 403)
        if private:
            yield 404
        if self.changes and not (self.access.permission or "").endswith(":read"):
            yield 409
        if self.takes_body or self.description.get("parameters"):
            yield from (400, 422)
        if self.takes_body:
            yield from (413, 415)
        if self.changes and self.access.permission is None:
            yield 429
        yield 503


def completed(document: Json, routes: Iterable[BaseRoute], schemes: Mapping[str, Json]) -> Json:
    """Returns `document` with the security and the refusals of each operation; `schemes` are the ways to sign in."""
    known = _accesses(routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = dict(schemes)
    components["responses"] = {f"Problem{status}": _response(text) for status, text in _REFUSALS.items()}
    for path, item in document["paths"].items():
        for method, description in item.items():
            operation = _Operation(description, method in _CHANGES, known[method, path])
            _complete(operation, schemes)
    return document


def _complete(operation: _Operation, schemes: Mapping[str, Json]) -> None:
    description, responses = operation.description, operation.description["responses"]
    responses.pop("422", None)
    refused = {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in operation.refusals}
    own = {
        status: _response(answer["description"])
        for status, answer in responses.items()
        if status >= "400" and status not in refused
    }
    kept = {status: answer for status, answer in responses.items() if status < "400"}
    description["responses"] = kept | dict(sorted((refused | own).items()))
    description["security"] = [] if operation.access.public_reason else [{name: []} for name in schemes]
    if operation.access.permission is not None:
        description["x-permission"] = operation.access.permission


def _response(text: str) -> Json:
    return {"description": text, "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _accesses(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Access]:
    found = {}
    for context in iter_route_contexts(list(routes)):
        dependant: Dependant | None = getattr(context, "dependant", None)
        path = getattr(context, "path_format", None)
        if dependant is None or path is None:
            continue
        for guard in _guards(dependant):
            found.update({(method.lower(), path): guard.access for method in context.methods or ()})
    return found


def _guards(dependant: Dependant) -> Iterator[Guard]:
    if isinstance(dependant.call, Guard):
        yield dependant.call
    for child in dependant.dependencies:
        yield from _guards(child)
