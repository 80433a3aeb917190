"""Whether a JSON schema can be one: enough to tell a person where it is wrong before a provider does so, at a price.

Answers are held against schemas in the worker, by a library; this only reads the schema itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_DEEPEST = 32
_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_SCHEMA: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_SCHEMAS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(value: object) -> bool:
    types = value if isinstance(value, list) else [value]
    return bool(types) and all(isinstance(one, str) and one in _TYPES for one in types)


_KEYWORDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "type": (_type, f"has to be one of {', '.join(sorted(_TYPES))}, or a list of them"),
    "required": (_texts, "has to be a list of names"),
    "enum": (lambda value: isinstance(value, list) and bool(value), "has to be a list with something in it"),
    **dict.fromkeys(
        ("title", "description", "$ref", "$id", "pattern", "format"), (lambda v: isinstance(v, str), "has to be a text")
    ),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        (_count, "has to be a whole number from 0"),
    ),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), (_number, "has to be a number")
    ),
    "uniqueItems": (lambda value: isinstance(value, bool), "has to be true or false"),
}


def faults(schema: object, pointer: str) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with `schema`: a JSON pointer that begins with `pointer`, and the reason."""
    waiting = [(schema, pointer, 0)]
    while waiting:
        one, at, depth = waiting.pop()
        if isinstance(one, bool) and depth:
            continue
        if not isinstance(one, Mapping):
            yield at, "has to be a JSON schema: an object"
            continue
        if depth > _DEEPEST:
            yield at, f"is more than {_DEEPEST} levels deep"
            return
        for keyword, (holds, reason) in _KEYWORDS.items():
            if keyword in one and not holds(one[keyword]):
                yield f"{at}/{keyword}", reason
        for inner, where, fault in _inner(one, at):
            if fault:
                yield where, fault
            else:
                waiting.append((inner, where, depth + 1))


def _inner(schema: Mapping[str, Any], at: str) -> Iterator[tuple[Any, str, str]]:
    """Yields the schemas inside of one, and what stands where schemas should."""
    for keyword in _SCHEMA:
        if keyword in schema:
            yield schema[keyword], f"{at}/{keyword}", ""
    for keyword in _SCHEMAS:
        if keyword not in schema:
            continue
        if not isinstance(schema[keyword], list) or not schema[keyword]:
            yield None, f"{at}/{keyword}", "has to be a list of JSON schemas"
            continue
        yield from ((one, f"{at}/{keyword}/{index}", "") for index, one in enumerate(schema[keyword]))
    for keyword in _NAMED:
        if keyword not in schema:
            continue
        if not isinstance(schema[keyword], Mapping):
            yield None, f"{at}/{keyword}", "has to be an object of JSON schemas"
            continue
        for name, one in schema[keyword].items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield one, f"{at}/{keyword}/{escaped}", ""
