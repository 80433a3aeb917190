"""From what is stored or sent to settings an adapter can be made of, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from arcane.catalog.form import MASK, form_of
from arcane.catalog.problems import FieldError, InvalidDatasource
from arcane.catalog.sealing import copied, escaped, opened, place, unsealed
from arcane.catalog.tables import Datasource
from arcane.kit.egress_url import origin_of
from arcane.kit.secrets import KeyRing, SecretUnreadable
from arcane.model.notice import Notice
from arcane.spi.adapter import DatasourcePlugin
from arcane.spi.errors import Misconfigured

SETTINGS = "#/settings"
_SHORTEST_TELLING_SECRET = 4


def validated(plugin: DatasourcePlugin[Any], settings: Mapping[str, Any]) -> BaseModel:
    """Returns the settings model; raises InvalidDatasource pointing at each field that does not fit."""
    model: type[BaseModel] = plugin.settings
    unknown = sorted(set(settings) - _known(model)) if model.model_config.get("extra") != "allow" else []
    if unknown:
        raise InvalidDatasource(
            [FieldError(f"{SETTINGS}/{escaped(name)}", "there is no such setting") for name in unknown]
        )
    try:
        made = model.model_validate(dict(settings))
    except ValidationError as exc:
        raise InvalidDatasource(list(_errors(exc, settings, _words(model)))) from None
    _, secrets = opened(made)
    masks = [pointer for pointer, secret in secrets.items() if secret == MASK]
    if masks:
        raise InvalidDatasource(
            [FieldError(SETTINGS + pointer, "there is no stored secret to keep: enter it") for pointer in masks]
        )
    return made


def _known(model: type[BaseModel]) -> set[str]:
    names = set(model.model_fields)
    aliases = (field.validation_alias or field.alias for field in model.model_fields.values())
    return names | {alias for alias in aliases if isinstance(alias, str)}


def _words(model: type[BaseModel]) -> frozenset[str]:
    """What the form itself says: to choose it tells nothing that a sentence has to hide."""
    return frozenset(choice.value for field in form_of(model) for choice in field.choices)


def _errors(exc: ValidationError, settings: Mapping[str, Any], words: frozenset[str]) -> Iterable[FieldError]:
    """pydantic's findings as sentences; whatever was sent is taken out of them, it may be a secret."""
    for error in exc.errors(include_url=False, include_context=False, include_input=False):
        pointer = "".join(f"/{escaped(part)}" for part in error["loc"])
        detail = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        for text in _texts(settings):
            if len(text) >= _SHORTEST_TELLING_SECRET and text not in words:
                detail = detail.replace(text, MASK)
        yield FieldError(SETTINGS + pointer, detail)


def _texts(document: Any) -> Iterable[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for value in document.values():
            yield from _texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value)


def stored_model(plugin: DatasourcePlugin[Any], row: Datasource, keys: KeyRing) -> BaseModel:
    """Returns the settings of a stored datasource; raises Misconfigured saying what a person has to do."""
    settings = copied(row.settings)
    try:
        for pointer, envelope in row.secrets.items():
            place(settings, pointer, unsealed(pointer, envelope, str(row.id), keys))
        return validated(plugin, settings)
    except SecretUnreadable as exc:
        raise Misconfigured(Notice("a stored secret cannot be read: %(why)s; enter it again", why=str(exc))) from None
    except InvalidDatasource as exc:
        first = exc.errors[0]
        name = first.pointer.removeprefix(SETTINGS).lstrip("/") or "settings"
        raise Misconfigured(
            Notice(
                "the settings do not fit this version of the adapter: %(name)s: %(why)s", name=name, why=first.detail
            )
        ) from None


def address_pointer(public: Mapping[str, Any], base_url: str | None) -> str:
    """Returns the pointer of the field that holds the address, for an error about it."""
    wanted = origin_of(base_url or "")
    for name, value in public.items():
        if isinstance(value, str) and wanted is not None and origin_of(value) == wanted:
            return f"{SETTINGS}/{escaped(name)}"
    return SETTINGS


def leads_elsewhere(plugin: DatasourcePlugin[Any], before: BaseModel, after: BaseModel) -> bool:
    """True when secrets entered for `before` would be sent to another place with `after`.

    The place is the origin of the base URL. An adapter without one connects by means of its own, so there any
    change of what is not secret counts.
    """
    old, new = plugin.base_url(before), plugin.base_url(after)
    if old is None and new is None:
        return opened(before)[0] != opened(after)[0]
    old_origin, new_origin = origin_of(old or ""), origin_of(new or "")
    return old_origin is None or old_origin != new_origin
