"""Making and changing the settings of a datasource: which secrets are new, which are kept, which may not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from arcane.catalog.configure import SETTINGS, address_pointer, leads_elsewhere, stored_model, validated
from arcane.catalog.problems import FieldError, InvalidDatasource
from arcane.catalog.sealing import merged, opened, unsealed
from arcane.catalog.tables import Datasource
from arcane.kit.egress import Egress
from arcane.kit.secrets import KeyRing, SecretUnreadable
from arcane.spi.adapter import DatasourcePlugin
from arcane.spi.errors import DatasourceError, Misconfigured

_LONGEST_NAME = 100
_LONGEST_DESCRIPTION = 2_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A datasource that is not stored yet."""

    kind: str
    name: str
    settings: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different; None leaves a part as it is.

    `settings` is a merge patch (RFC 7396): what it leaves out stays, null means the default, and a secret that is
    left out or sent back masked is kept. `version` is the one the change was made for, to notice another's.
    """

    name: str | None = None
    description: str | None = None
    settings: Mapping[str, Any] | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Configured:
    """Settings that fit their kind, parted: `entered` are the pointers of secrets that were given now."""

    model: BaseModel
    public: dict[str, Any]
    secrets: dict[str, str]
    entered: tuple[str, ...]


def configured(plugin: DatasourcePlugin[Any], settings: Mapping[str, Any]) -> Configured:
    """Returns new settings; raises InvalidDatasource."""
    model = validated(plugin, settings)
    public, secrets = opened(model)
    held = {pointer: secret for pointer, secret in secrets.items() if secret}
    return Configured(model, public, held, tuple(held))


def reconfigured(
    plugin: DatasourcePlugin[Any], row: Datasource, change: Mapping[str, Any], keys: KeyRing
) -> Configured:
    """Returns the settings of `row` after `change`; raises InvalidDatasource.

    A kept secret goes only where it was entered for. When the address's scheme, host or port changes, every kept
    secret has to be entered again: otherwise whoever may edit a datasource could have its password sent to a
    host of their own.
    """
    unreadable: list[FieldError] = []

    def kept(pointer: str) -> str:
        try:
            return unsealed(pointer, row.secrets[pointer], str(row.id), keys)
        except SecretUnreadable:
            unreadable.append(FieldError(SETTINGS + pointer, "the stored secret cannot be read: enter it again"))
            return ""

    settings, retained = merged(row.settings, change, kept, row.secrets)
    if unreadable:
        raise InvalidDatasource(unreadable)
    made = configured(plugin, settings)
    still_held = tuple(pointer for pointer in retained if pointer in made.secrets)
    if still_held and _moved(plugin, row, made.model, keys):
        raise InvalidDatasource(
            [
                FieldError(SETTINGS + pointer, "the address changed: enter this again, it is not sent to another host")
                for pointer in still_held
            ]
        )
    entered = tuple(pointer for pointer in made.secrets if pointer not in still_held)
    return Configured(made.model, made.public, made.secrets, entered)


def _moved(plugin: DatasourcePlugin[Any], row: Datasource, after: BaseModel, keys: KeyRing) -> bool:
    try:
        before = stored_model(plugin, row, keys)
    except Misconfigured:
        return True  # where the secrets belonged cannot be told any more
    return leads_elsewhere(plugin, before, after)


def check_address(plugin: DatasourcePlugin[Any], made: Configured, egress: Egress) -> None:
    """Raises InvalidDatasource when no request could ever be sent with these settings."""
    base_url = plugin.base_url(made.model)
    if base_url is None:
        return
    try:
        egress.session(base_url, plugin.headers(made.model))
    except DatasourceError as exc:
        raise InvalidDatasource([FieldError(address_pointer(made.public, base_url), str(exc))]) from None


def checked_texts(name: str | None, description: str | None) -> tuple[str | None, str | None]:
    """Returns name and description without space around them; raises InvalidDatasource."""
    errors = []
    if name is not None:
        name = " ".join(name.split())
        if not name:
            errors.append(FieldError("#/name", "a datasource needs a name"))
        elif len(name) > _LONGEST_NAME:
            errors.append(FieldError("#/name", f"a name has at most {_LONGEST_NAME} characters"))
    if description is not None:
        description = description.strip()
        if len(description) > _LONGEST_DESCRIPTION:
            errors.append(FieldError("#/description", f"a description has at most {_LONGEST_DESCRIPTION} characters"))
    if errors:
        raise InvalidDatasource(errors)
    return name, description
