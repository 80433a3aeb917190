"""From what is sent or stored to a configuration that can be called, and back; which secrets are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from arcane.catalog.form import MASK
from arcane.catalog.problems import FieldError
from arcane.catalog.sealing import copied, escaped, merged, opened, unsealed
from arcane.kit.secrets import KeyRing, SecretUnreadable
from arcane.messaging.generation import ModelSpec, Price, Provider
from arcane.models.problems import InvalidModelConfiguration
from arcane.models.providers import KINDS, ProviderKind, kind_of
from arcane.models.tables import ModelConfiguration

PLACE = ModelConfiguration.__tablename__
_SETTINGS = "#/settings"
_PARAMETERS = "#/parameters"
_LONGEST_NAME = 100
_LONGEST_MODEL = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration that is not stored yet."""

    name: str
    provider: str
    model: str
    settings: Mapping[str, Any]
    parameters: Mapping[str, Any]
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different; None leaves a part as it is.

    `settings` and `parameters` are merge patches (RFC 7396): what they leave out stays, null means the default, and a
    secret that is left out or sent back masked is kept. `price` with `reprice` replaces the price, None by none.
    """

    name: str | None = None
    model: str | None = None
    settings: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] | None = None
    price: Price | None = None
    reprice: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Configured:
    """Settings that fit their provider, parted: `entered` are the pointers of secrets that were given now."""

    public: dict[str, Any]
    secrets: dict[str, str]
    entered: tuple[str, ...]


def checked_kind(provider: str) -> ProviderKind:
    """Returns the provider; raises InvalidModelConfiguration."""
    kind = kind_of(provider)
    if kind is None:
        known = ", ".join(one.key for one in KINDS)
        raise InvalidModelConfiguration([FieldError("#/provider", f"there are {known}")])
    return kind


def configured(kind: ProviderKind, settings: Mapping[str, Any]) -> Configured:
    """Returns new settings; raises InvalidModelConfiguration pointing at each field that does not fit."""
    public, secrets = opened(_validated(kind.settings, settings, _SETTINGS))
    held = {pointer: secret for pointer, secret in secrets.items() if secret}
    masks = [pointer for pointer, secret in held.items() if secret == MASK]
    if masks:
        raise InvalidModelConfiguration(
            [FieldError(_SETTINGS + pointer, "there is no stored secret to keep: enter it") for pointer in masks]
        )
    return Configured(public, held, tuple(held))


def reconfigured(kind: ProviderKind, row: ModelConfiguration, change: Mapping[str, Any], keys: KeyRing) -> Configured:
    """Returns the settings of `row` after `change`; raises InvalidModelConfiguration.

    A kept secret goes only where it was entered for: when an address changes, every kept one has to be entered again.
    Otherwise whoever may edit a configuration could have its key sent to a host of their own.
    """
    unreadable: list[FieldError] = []

    def kept(pointer: str) -> str:
        try:
            return unsealed(pointer, row.secrets[pointer], str(row.id), keys, PLACE)
        except SecretUnreadable:
            unreadable.append(FieldError(_SETTINGS + pointer, "the stored secret cannot be read: enter it again"))
            return ""

    settings, retained = merged(row.settings, change, kept, row.secrets)
    if unreadable:
        raise InvalidModelConfiguration(unreadable)
    made = configured(kind, settings)
    still_held = tuple(pointer for pointer in retained if pointer in made.secrets)
    if still_held and kind.leads_elsewhere(row.settings, made.public):
        raise InvalidModelConfiguration(
            [
                FieldError(_SETTINGS + pointer, "the address changed: enter this again, it is not sent to another host")
                for pointer in still_held
            ]
        )
    entered = tuple(pointer for pointer in made.secrets if pointer not in still_held)
    return Configured(made.public, made.secrets, entered)


def checked_parameters(kind: ProviderKind, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters that are set; raises InvalidModelConfiguration for those the provider does not take."""
    return _validated(kind.parameters, parameters, _PARAMETERS).model_dump(mode="json", exclude_none=True)


def checked_text(text: str, field: str) -> str:
    """Returns a name or a model's name without space around it; raises InvalidModelConfiguration."""
    longest = _LONGEST_NAME if field == "name" else _LONGEST_MODEL
    text = " ".join(text.split())
    if not text or len(text) > longest:
        raise InvalidModelConfiguration([FieldError(f"#/{field}", f"from 1 to {longest} characters")])
    return text


def secrets_of(row: ModelConfiguration, keys: KeyRing) -> dict[str, str]:
    """Returns the secrets by the name of their setting; raises SecretUnreadable."""
    return {
        pointer.removeprefix("/"): unsealed(pointer, envelope, str(row.id), keys, PLACE)
        for pointer, envelope in row.secrets.items()
    }


def spec_of(row: ModelConfiguration) -> ModelSpec:
    """Returns what a worker is told of `row`: all but the secrets."""
    return ModelSpec(
        configuration=row.id,
        provider=Provider(row.provider),
        model=row.model,
        settings=copied(row.settings),
        parameters=copied(row.parameters),
        price=price_of(row),
    )


def price_of(row: ModelConfiguration) -> Price | None:
    """Returns the price that overrides the list, None when there is none."""
    if row.price_input_usd is None or row.price_output_usd is None:
        return None
    return Price(row.price_input_usd, row.price_output_usd)


def draft_spec(draft: Draft, configuration_id: UUID) -> tuple[ModelSpec, dict[str, str]]:
    """Returns the spec and the secrets of a draft, to try it before it is stored."""
    kind = checked_kind(draft.provider)
    made = configured(kind, draft.settings)
    spec = ModelSpec(
        configuration=configuration_id,
        provider=kind.provider,
        model=checked_text(draft.model, "model"),
        settings=made.public,
        parameters=checked_parameters(kind, draft.parameters),
        price=draft.price,
    )
    return spec, {pointer.removeprefix("/"): secret for pointer, secret in made.secrets.items()}


def _validated(model: type[BaseModel], given: Mapping[str, Any], root: str) -> BaseModel:
    """pydantic's findings as sentences; none of them repeats what was sent, which may be a secret."""
    try:
        return model.model_validate(dict(given))
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
    raise InvalidModelConfiguration([FieldError(root + _pointer(error["loc"]), _sentence(error)) for error in errors])


def _pointer(where: tuple[int | str, ...]) -> str:
    return "".join(f"/{escaped(part)}" for part in where)


def _sentence(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "this provider does not have it"
    detail: str = error["msg"]
    return detail.removeprefix("Value error, ")
