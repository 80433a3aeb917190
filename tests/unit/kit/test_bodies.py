"""What a body may hold is declared, down to the last field: nothing unknown is dropped without a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from arcane.main import create_app
from arcane.settings import Settings

DOCUMENT: dict[str, Any] = create_app(Settings(_env_file=None)).openapi()
SHAPES: dict[str, Any] = DOCUMENT["components"]["schemas"]


def _named(schema: Any) -> Iterator[str]:
    """Yields the shapes that a schema names, and those that they name, until a cycle closes."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)}:
                name = reference.rpartition("/")[2]
                if name not in found:
                    found.add(name)
                    waiting.append(SHAPES[name])
            case dict(inner):
                waiting += inner.values()
            case list(inner):
                waiting += inner
    yield from found


def test_a_body_with_an_unknown_field_is_refused() -> None:
    asked = set()
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                asked |= set(_named(body["schema"]))
    assert len(asked) > 50
    objects = {name for name in asked if SHAPES[name].get("type") == "object"}
    assert [name for name in sorted(objects) if SHAPES[name].get("additionalProperties") is not False] == []
