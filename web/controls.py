"""The fields of a settings model as controls of a form (arcane.catalog.form), and what a form says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arcane.catalog.form import MASK, FieldType, FormField, settings_from_form
from web.forms import FormState

Groups = tuple[tuple[str, tuple["Control", ...]], ...]

_LONGEST_VERSION = 10


@dataclass(frozen=True, slots=True)
class Control:
    """One field of the form and what stands in it."""

    field: FormField
    value: str
    checked: bool
    error: str
    is_set: bool
    counts: bool = True

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """Value and label of each choice; where nothing has to be chosen, nothing can be."""
        nothing = () if self.field.required or self.field.default is not None else (("", "–"),)
        return (*nothing, *((choice.value, choice.label) for choice in self.field.choices))


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored, as the form shows it: settings without secrets, and which secrets are set."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    secret_set: Mapping[str, bool] = field(default_factory=dict)


def controls_of(fields: Sequence[FormField], form: FormState, stored: Stored | None) -> Groups:
    """Returns the controls by their group, each with what was typed last, else what is stored, else the default."""
    return _groups(_counting([_control(one, form, stored) for one in fields]))


def said_by(fields: tuple[FormField, ...], form: Mapping[str, str]) -> dict[str, Any]:
    """Returns what the form says; a secret that is to be forgotten is its default again."""
    said = settings_from_form(fields, form)
    for one in fields:
        if one.secret and f"forget:{one.name}" in form:
            *parents, last = one.name.split("/")
            part = said
            for name in parents:
                part = part.setdefault(name, {})
            part[last] = None
    return said


def given(said: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what of it is said at all: what is new has its defaults anyway."""
    parts = {name: given(value) if isinstance(value, Mapping) else value for name, value in said.items()}
    return {name: value for name, value in parts.items() if value is not None}


def version_of(form: Mapping[str, str]) -> int:
    """Returns the version that the form was made for, 0 when it does not say."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_VERSION else 0


def _counting(controls: Sequence[Control]) -> Iterator[Control]:
    """Yields the controls, each told whether it counts with what the others say now."""
    said = {
        one.field.name: str(one.checked).lower() if one.field.type is FieldType.BOOLEAN else one.value
        for one in controls
    }
    for control in controls:
        when = control.field.when
        yield replace(control, counts=when is None or said.get(when.field, "") in when.values)


def _groups(controls: Iterable[Control]) -> tuple[tuple[str, tuple[Control, ...]], ...]:
    """Controls by the group they are in, in the order of the settings."""
    found: dict[str, list[Control]] = {}
    for control in controls:
        found.setdefault(control.field.group, []).append(control)
    return tuple((name, tuple(members)) for name, members in found.items())


def _control(field: FormField, form: FormState, view: Stored | None) -> Control:
    """What was typed last, else what is stored, else the default; a secret that is set is never shown."""
    is_set = view is not None and view.secret_set.get(field.name, False)
    if field.secret:
        return Control(field, "", False, form.error(field.name), is_set)
    stored = _at(view.settings, field.name) if view is not None else field.default
    text = form.value(field.name, "") if form.values else _text(field, stored)
    checked = bool(form.value(field.name)) if form.values else bool(stored)
    return Control(field, text, checked, form.error(field.name), False)


def _at(settings: Mapping[str, Any], path: str) -> Any:
    found: Any = settings
    for part in path.split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(field: FormField, value: Any) -> str:
    if value is None:
        return ""
    if field.type is FieldType.LIST and isinstance(value, list):
        return "\n".join(map(str, value))
    if field.type is FieldType.MAP and isinstance(value, Mapping):
        return "\n".join(f"{name}: {MASK if text == MASK else text}" for name, text in value.items())
    return str(value)
