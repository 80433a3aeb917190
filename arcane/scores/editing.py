"""Making and changing a score: everything that does not fit is said at once."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from arcane.catalog.problems import FieldError
from arcane.catalog.sealing import escaped
from arcane.messaging.scoring import Label, Scale, ScorerDescription
from arcane.scores.inputs import BadTemplate, inputs_of
from arcane.scores.problems import InvalidScore
from arcane.scores.views import Models, Ordinal

_LONGEST_NAME = 100
_LONGEST_DESCRIPTION = 2_000
_MOST_LABELS = 50
_LONGEST_LABEL = 100
_SETTINGS = "#/settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDraft:
    """A score as somebody wants it. `scorer` None: people give it."""

    name: str
    description: str = ""
    scale: Scale = Scale.NUMERIC
    labels: tuple[Label, ...] = ()
    ordinal: Ordinal | None = None
    lowest: float | None = None
    highest: float | None = None
    lower_is_better: bool = False
    scorer: str | None = None
    settings: Mapping[str, Any]
    models: Models = Models()  # noqa: RUF009 - frozen
    version: int | None = None


def checked(draft: ScoreDraft, scorers: Mapping[str, ScorerDescription]) -> ScoreDraft:
    """Returns `draft` in the form it is stored in; raises InvalidScore with everything that does not fit."""
    draft = replace(draft, name=" ".join(draft.name.split()), description=draft.description.strip())
    errors = [*_texts(draft), *_labels(draft), *_ordinal(draft), *_range(draft)]
    scorer = scorers.get(draft.scorer) if draft.scorer is not None else None
    if scorer is not None:
        errors += _settings(scorer, draft)
    elif draft.scorer is not None:
        errors.append(FieldError("#/scorer", "no worker has announced such a scorer"))
    elif draft.settings:
        errors.append(FieldError(_SETTINGS, "a score that people give has no settings"))
    if errors:
        raise InvalidScore(errors)
    return _bounded(draft, scorer)


def _bounded(draft: ScoreDraft, scorer: ScorerDescription | None) -> ScoreDraft:
    """What the scorer says of its numbers holds where the draft says nothing."""
    if draft.scale is not Scale.NUMERIC:
        values = [one.value for one in draft.labels]
        return replace(draft, lowest=min(values), highest=max(values))
    if scorer is None:
        return draft
    settings = {name: field.get("default") for name, field in scorer.settings.get("properties", {}).items()}
    settings |= draft.settings
    return replace(
        draft,
        lowest=_first(draft.lowest, scorer.lowest, settings.get("lowest")),
        highest=_first(draft.highest, scorer.highest, settings.get("highest")),
        lower_is_better=draft.lower_is_better or scorer.lower_is_better,
    )


def _first(*bounds: Any) -> float | None:
    return next((float(one) for one in bounds if isinstance(one, int | float)), None)


def _texts(draft: ScoreDraft) -> Iterator[FieldError]:
    if not draft.name:
        yield FieldError("#/name", "a score needs a name")
    elif len(draft.name) > _LONGEST_NAME:
        yield FieldError("#/name", f"a name has at most {_LONGEST_NAME} characters")
    if len(draft.description) > _LONGEST_DESCRIPTION:
        yield FieldError("#/description", f"a description has at most {_LONGEST_DESCRIPTION} characters")


def _labels(draft: ScoreDraft) -> Iterator[FieldError]:
    at, labels = "#/labels", [one.label for one in draft.labels]
    if draft.scale is Scale.NUMERIC:
        if labels:
            yield FieldError(at, "a numeric score has no labels")
        return
    if not labels:
        yield FieldError(at, "an ordinal or nominal score needs at least one label")
    if len(labels) > _MOST_LABELS:
        yield FieldError(at, f"a score has at most {_MOST_LABELS} labels")
    if any(not label.strip() or len(label) > _LONGEST_LABEL for label in labels):
        yield FieldError(at, f"a label has 1 to {_LONGEST_LABEL} characters")
    if len(set(labels)) < len(labels):
        yield FieldError(at, "each label stands once")
    values = [one.value for one in draft.labels]
    if not all(map(math.isfinite, values)):
        yield FieldError(at, "the value of a label is a finite number")
    elif len(set(values)) < len(values):
        yield FieldError(at, "no two labels have the same value")
    elif draft.scale is Scale.ORDINAL and sorted(values) not in (values, values[::-1]):
        yield FieldError(at, "labels of an ordinal score are in order: their values rise or fall from first to last")


def _ordinal(draft: ScoreDraft) -> Iterator[FieldError]:
    if draft.ordinal is None:
        return
    if draft.scale is not Scale.ORDINAL:
        yield FieldError("#/ordinal", "only an ordinal score says what is acceptable")
        return
    known = {one.label for one in draft.labels}
    for label in draft.ordinal.acceptable_set:
        if label not in known:
            yield FieldError("#/ordinal/acceptable_set", f"{label!r} is none of the labels")
    rank = draft.ordinal.threshold_rank
    if rank is not None and not 0 <= rank < max(1, len(draft.labels)):
        yield FieldError("#/ordinal/threshold_rank", "a rank is the place of a label, from 0")


def _range(draft: ScoreDraft) -> Iterator[FieldError]:
    bounds = (draft.lowest, draft.highest)
    if any(one is not None and not math.isfinite(one) for one in bounds):
        yield FieldError("#/lowest", "bounds are finite numbers")
    elif draft.lowest is not None and draft.highest is not None and draft.lowest >= draft.highest:
        yield FieldError("#/lowest", "the lowest number is below the highest one")


def _settings(scorer: ScorerDescription, draft: ScoreDraft) -> Sequence[FieldError]:
    """What the settings' schema refuses, and templates or code in them that cannot be read."""
    jsonschema = importlib.import_module("jsonschema")
    errors = []
    for fault in jsonschema.Draft202012Validator(scorer.settings).iter_errors(dict(draft.settings)):
        pointer = "".join(f"/{escaped(str(part))}" for part in fault.absolute_path)
        errors.append(FieldError(_SETTINGS + pointer + _missing(fault), _sentence(fault)))
    if not errors:
        try:
            inputs_of(scorer, draft.settings)
        except BadTemplate as exc:
            errors.append(FieldError(f"{_SETTINGS}/{exc.setting}", str(exc)))
    return errors


def _missing(fault: Any) -> str:
    """The name of a required member: the fault itself stands at the object that lacks it."""
    if fault.validator != "required":
        return ""
    lacking = [name for name in fault.validator_value if name not in fault.instance]
    return f"/{escaped(str(lacking[0]))}" if lacking else ""


def _sentence(fault: Any) -> str:
    """What is wrong, without repeating what was sent."""
    wanted = fault.validator_value
    match fault.validator:
        case "required":
            return "this is needed"
        case "additionalProperties":
            return "there is a setting that this scorer does not have"
        case "enum" | "const":
            return "choose one of the list"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return f"the {'least' if 'inimum' in fault.validator else 'most'} is {wanted}"
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            return f"the {'shortest' if fault.validator.startswith('min') else 'longest'} has {wanted}"
        case "type":
            return f"this is to be of the type {wanted}"
    return f"this does not fit: {fault.validator}"
