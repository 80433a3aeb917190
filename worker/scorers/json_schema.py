"""1 when the answer is JSON that a schema (draft 2020-12) accepts.

Nothing outside the schema is fetched, and `pattern` is RE2: neither the schema nor an answer can make a check endless.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import re2
from pydantic import Field, field_validator

from arcane.messaging.scoring import Scale, ScorerDescription, Verdict
from worker.scoring.errors import BadScorerSettings
from worker.scoring.fields import RESPONSE
from worker.scoring.inputs import Inputs
from worker.scoring.lazily import aside, library
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox

_SHOWN = 5
_DEEPEST = 100


class Settings(ScorerSettings):
    json_schema: str = Field(
        title="Schema",
        description="A JSON schema, draft 2020-12. References lead to its own parts only.",
        max_length=100_000,
        json_schema_extra={"multiline": True},
    )
    in_text: bool = Field(
        False, title="Find the JSON", description="The answer may have text and a code fence around its JSON."
    )

    @field_validator("json_schema")
    @classmethod
    def is_json(cls, text: str) -> str:
        try:
            schema = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("not JSON") from None
        if not isinstance(schema, dict | bool):
            raise ValueError("a schema is an object, or true or false")
        return text


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns 1 or 0; the details say where in the answer which keyword was not kept, never what stands there."""
    validator = _validator(await library("jsonschema"), await library("referencing"), settings.json_schema)
    response = inputs.text("response")
    try:
        document = _found(response) if settings.in_text else json.loads(response)
    except (ValueError, RecursionError):
        return Verdict(value=0.0, details={"json": False})
    try:
        faults = await aside(len(response), lambda: _faults(validator, document))
    except RecursionError:
        return Verdict(value=0.0, details={"json": True, "too_deep": True})
    except Exception as exc:
        unresolved = getattr(await library("jsonschema.exceptions"), "_WrappedReferencingError", ())
        if isinstance(exc, unresolved):
            raise BadScorerSettings("json_schema: a $ref leads to nothing in the schema") from None
        raise
    details = {"json": True, "faults": faults} if faults else {"json": True}
    return Verdict(value=float(not faults), details=details)


def _validator(jsonschema: Any, referencing: Any, text: str) -> Any:
    schema = json.loads(text)
    draft = jsonschema.Draft202012Validator
    try:
        draft.check_schema(schema)
        for expression in _patterns(schema):
            re2.compile(expression)
    except jsonschema.SchemaError as exc:
        where = "/".join(map(str, exc.absolute_path)) or "the schema"
        raise BadScorerSettings(f"json_schema: {where}: `{exc.validator}` is not kept") from None
    except re2.error:
        raise BadScorerSettings("json_schema: a pattern is not an RE2 expression") from None
    bounded = jsonschema.validators.extend(draft, {"pattern": _pattern(jsonschema), "patternProperties": _properties})
    return bounded(schema, registry=referencing.Registry())


def _pattern(jsonschema: Any) -> Any:
    def keep(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, str) and re2.search(pattern, instance) is None:
            yield jsonschema.ValidationError("does not match")

    return keep


def _properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for pattern, inner in patterns.items():
            for name, value in instance.items():
                if re2.search(pattern, name) is not None:
                    yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _patterns(schema: Any) -> Iterator[str]:
    """Every expression of a schema: some are properties that happen to be called so, which does no harm."""
    if isinstance(schema, dict):
        pattern, properties = schema.get("pattern"), schema.get("patternProperties")
        if isinstance(pattern, str):
            yield pattern
        if isinstance(properties, dict):
            yield from properties
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _patterns(inner)


def _faults(validator: Any, document: Any) -> list[str]:
    """Paths of array places and keywords: names of an answer's members would be its content."""
    found: list[str] = []
    for error in validator.iter_errors(document):
        path = "/".join(str(part) if isinstance(part, int) else "·" for part in error.absolute_path)
        found.append(f"/{path}: {error.validator}")
        if len(found) >= _SHOWN:
            break
    return found


def _found(text: str) -> Any:
    """The first object or array that stands in the text."""
    decoder = json.JSONDecoder()
    starts = (place for place, letter in enumerate(text) if letter in "{[")
    for tries, place in enumerate(starts):
        if tries >= _DEEPEST:
            break
        try:
            return decoder.raw_decode(text, place)[0]
        except ValueError:
            continue
    return json.loads(text)


SCORER = Scorer(
    ScorerDescription(
        key="json-schema",
        name="JSON schema",
        group="Structure",
        description="Is the answer JSON that a schema accepts?",
        scale=Scale.NUMERIC,
        inputs=(RESPONSE,),
        lowest=0.0,
        highest=1.0,
    ),
    Settings,
    score,
)
