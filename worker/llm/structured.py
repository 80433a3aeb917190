"""Reads an answer by the JSON schema it was to fit.

Schemas come from users: nothing they refer to is fetched, and their patterns are matched by RE2, which takes no
longer than the text is long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from arcane.kit.nesting import is_deeper
from worker.llm.errors import Cause, ModelError

_NO_MATCHES = "patternProperties"
_LEVELS_MAX = 100
"""Whoever reads the answer after us does not run out of stack over it."""


def _pattern(_: Any, pattern: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not re2.search(pattern, instance):
        yield ValidationError("does not match the pattern")


_Validator = extend(Draft202012Validator, {"pattern": _pattern})


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    return _Validator(json.loads(schema), registry=Registry())


def checked_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a copy of `schema`, which is one, and describes an object. Raises ModelError."""
    if schema.get("type") != "object":
        raise ModelError(Cause.SETTINGS, "The schema of an answer has to describe an object.")
    text = json.dumps(schema)
    if f'"{_NO_MATCHES}"' in text:
        raise ModelError(Cause.SETTINGS, f"The schema of an answer cannot use {_NO_MATCHES}.")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        raise ModelError(Cause.SETTINGS, "The schema of an answer is no JSON schema.") from exc
    copy: dict[str, Any] = json.loads(text)
    return copy


def read(text: str, schema: Mapping[str, Any]) -> Any:
    """Returns what `text` says, as JSON that fits `schema`. Raises ModelError when it does not."""
    try:
        value = json.loads(_bare(text))
    except (ValueError, RecursionError) as exc:
        raise ModelError(Cause.UNREADABLE, "The model's answer is not JSON, which it was asked for.") from exc
    if is_deeper(value, _LEVELS_MAX):
        raise ModelError(Cause.UNREADABLE, f"The model's answer is nested deeper than {_LEVELS_MAX} levels.")
    try:
        fits = _validator(json.dumps(schema)).is_valid(value)
    except (Unresolvable, re2.error) as exc:
        raise ModelError(Cause.SETTINGS, "The schema of an answer refers to something that is not there.") from exc
    if not fits:
        raise ModelError(Cause.UNREADABLE, "The model's answer does not fit the schema it was asked for.")
    return value


def _bare(text: str) -> str:
    """Returns `text` without the code fence that models like to put around JSON."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    return text
