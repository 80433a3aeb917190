"""What a dialect returns for a node, and what the dialects share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from arcane.demo.nodes import Node, Session


@dataclass(slots=True)
class Spelled:
    """Name, instrumentation scope, attributes and events of a span, as one library would write them."""

    name: str
    scope: tuple[str, str]
    attributes: dict[str, object]
    events: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)


Dialect = Callable[[Node, Session], Spelled]


def compact(value: object) -> str:
    """Returns JSON as instrumentation libraries put it into attributes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parsed(arguments: str) -> object:
    """Returns tool arguments as a JSON value where they are one, else the text."""
    try:
        value: object = json.loads(arguments)
    except ValueError:
        return arguments
    return value
