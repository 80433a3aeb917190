"""The form of a kind of datasource, made from its settings model.

The model's JSON schema decides: a `SecretStr` is a password field, a `Literal` or an enum a choice, `title`
the label, `description` the help, and `json_schema_extra` may say `multiline`, `placeholder`, `group`,
`labels` (of choices) or `when`: {"auth": ["basic"]} is for a field that counts only while its sibling
`auth` is one of these. A nested model is a group of fields. Names are paths: `auth/token`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from pydantic import BaseModel

MASK = "********"
"""What stands in for a secret that is set; sent back, it means "keep it"."""


class FieldType(StrEnum):
    """How a field is entered."""

    TEXT = "text"
    MULTILINE = "multiline"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"  # one entry a line
    MAP = "map"  # `name: value`, one a line
    JSON = "json"  # anything else


class Choice(msgspec.Struct, frozen=True):
    """One of the values a field may have."""

    value: str
    label: str


class Condition(msgspec.Struct, frozen=True):
    """The field that decides whether another one counts, and its values for which it does."""

    field: str
    values: tuple[str, ...]


class FormField(msgspec.Struct, frozen=True):
    """One field. `default` is None for a secret and where there is none; `group` is "" outside any group."""

    name: str
    label: str
    type: FieldType
    required: bool
    help: str = ""
    secret: bool = False
    default: Any = None
    choices: tuple[Choice, ...] = ()
    group: str = ""
    placeholder: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    when: Condition | None = None


def form_of(model: type[BaseModel]) -> tuple[FormField, ...]:
    """Returns the fields of `model` in the order they are declared."""
    return form_of_schema(model.model_json_schema(mode="validation"))


def form_of_schema(schema: Mapping[str, Any]) -> tuple[FormField, ...]:
    """Returns the fields of the JSON schema of a settings model, in its order."""
    return tuple(_fields(schema, schema.get("$defs", {}), (), ""))


def settings_from_form(fields: tuple[FormField, ...], posted: Mapping[str, str]) -> dict[str, Any]:
    """Returns what a page's form says, shaped like the settings; a text that does not fit its type stays a text.

    An empty optional field says "the default" (None), an empty secret says nothing (so it is kept), and a missing
    checkbox says no.
    """
    said: dict[str, Any] = {}
    for field in fields:
        text = posted.get(field.name)
        if field.type is FieldType.BOOLEAN:
            _place(said, field.name, text is not None and text.lower() not in ("", "off", "false"))
        elif text is None or (field.secret and not text):
            continue
        else:
            _place(said, field.name, _value(field, text))
    return said


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], path: tuple[str, ...], group: str
) -> Iterator[FormField]:
    required = set(schema.get("required", ()))
    for name, declared in schema.get("properties", {}).items():
        shape = _resolved(declared, definitions)
        here = (*path, name)
        if "properties" in shape:
            yield from _fields(shape, definitions, here, shape.get("title", name))
        else:
            yield _field("/".join(here), name in required and not path, shape, group)


def _field(name: str, required: bool, shape: Mapping[str, Any], group: str) -> FormField:
    secret = _is_secret(shape)
    kind = _type(shape)
    labels = shape.get("labels", {})
    values = shape.get("enum") or ([shape["const"]] if "const" in shape else [])
    return FormField(
        name=name,
        label=shape.get("title", name.rpartition("/")[2]),
        type=kind,
        required=required,
        help=shape.get("description", ""),
        secret=secret,
        default=None if secret else shape.get("default"),
        choices=tuple(Choice(str(value), labels.get(str(value), str(value))) for value in values),
        group=shape.get("group", group),
        placeholder=shape.get("placeholder", ""),
        minimum=shape.get("minimum", shape.get("exclusiveMinimum")),
        maximum=shape.get("maximum", shape.get("exclusiveMaximum")),
        max_length=shape.get("maxLength"),
        when=_condition(name, shape.get("when", {})),
    )


def _condition(name: str, said: Mapping[str, Any]) -> Condition | None:
    """The first condition: which values of the sibling let the field count."""
    beside = name.rpartition("/")[0]
    for field, values in said.items():
        return Condition(f"{beside}/{field}" if beside else field, tuple(map(str, values)))
    return None


def _resolved(declared: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The shape behind `$ref` and `X | None`, with what the field itself says on top."""
    own = {key: value for key, value in declared.items() if key not in ("$ref", "anyOf", "allOf")}
    if "$ref" in declared:
        target = definitions.get(declared["$ref"].rpartition("/")[2], {})
        return {**_resolved(target, definitions), **own}
    options = [option for option in declared.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return {**_resolved(options[0], definitions), **own}
    return own


def _type(shape: Mapping[str, Any]) -> FieldType:
    if "enum" in shape or "const" in shape:
        return FieldType.CHOICE
    kind = shape.get("type")
    if kind == "string":
        if shape.get("multiline"):
            return FieldType.MULTILINE
        return FieldType.URL if shape.get("format") == "uri" else FieldType.TEXT
    if kind == "array" and shape.get("items", {}).get("type") == "string":
        return FieldType.LIST
    if kind == "object" and _maps_to_text(shape):
        return FieldType.MAP
    simple = {"integer": FieldType.INTEGER, "number": FieldType.NUMBER, "boolean": FieldType.BOOLEAN}
    return simple.get(str(kind), FieldType.JSON)


def _is_secret(shape: Mapping[str, Any]) -> bool:
    """True for a secret, and for a list or map of them."""
    inner = (shape, shape.get("items"), shape.get("additionalProperties"))
    return any(isinstance(part, dict) and part.get("format") == "password" for part in inner)


def _maps_to_text(shape: Mapping[str, Any]) -> bool:
    values = shape.get("additionalProperties")
    return isinstance(values, dict) and values.get("type") == "string"


def _value(field: FormField, text: str) -> Any:
    stripped = text.strip()
    if not stripped and not field.required and field.type is not FieldType.MULTILINE:
        return None
    match field.type:
        case FieldType.INTEGER | FieldType.NUMBER | FieldType.JSON:
            try:
                return json.loads(stripped)
            except ValueError:
                return text
        case FieldType.LIST:
            return [line.strip() for line in text.splitlines() if line.strip()]
        case FieldType.MAP:
            pairs = (line.partition(":") for line in text.splitlines() if line.strip())
            return {name.strip(): value.strip() for name, _, value in pairs}
        case FieldType.MULTILINE:
            return text.replace("\r\n", "\n")
    return text if field.secret else stripped


def _place(said: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split("/")
    for parent in parents:
        said = said.setdefault(parent, {})
    said[last] = value
