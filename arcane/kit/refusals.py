"""What routes may answer beside success, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_SAID = {
    400: "The request cannot be answered as asked",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there, or not yours to know",
    409: "The state of things does not allow it",
    429: "Too many requests",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Returns the `responses` of routes that refuse with these; docs/reference/problems has a page for each."""
    content = {"application/problem+json": {"schema": _PROBLEM}}
    return {status: {"description": _SAID[status], "content": content} for status in statuses}
