"""What a worker is asked to judge, and its verdict: the words backend and worker share about scorers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from arcane.messaging.generation import ModelSpec, Usage


class Scale(StrEnum):
    """What kind of value a score has."""

    NUMERIC = "numeric"
    ORDINAL = "ordinal"
    NOMINAL = "nominal"


class Label(msgspec.Struct, frozen=True):
    """One category of a nominal or ordinal score. Ordinal ones are ranked by their place in the list."""

    label: str
    value: float


class ScorerInput(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a scorer reads of a row: text, number, JSON, messages, or a list of texts."""

    name: str
    kind: str
    required: bool = True
    description: str = ""


class ScorerDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer as a worker announces it. `settings` is the JSON schema that a form is made of.

    `key` is what stored scores refer to; for the RAGAS metrics that is the original product's id. Some scorers read
    more than `inputs`: the variables of the template in the setting `template_setting`, or the parameters of the
    function `score` in `code_setting`.
    """

    key: str
    name: str
    group: str
    description: str
    scale: Scale
    inputs: tuple[ScorerInput, ...]
    settings: Mapping[str, Any] = {}
    needs_model: bool = False
    needs_embeddings: bool = False
    labels: tuple[Label, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    lower_is_better: bool = False
    template_setting: str = ""
    code_setting: str = ""


class ScorerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A configured scorer, whole: the worker asks nobody what it means."""

    key: str
    scale: Scale
    settings: Mapping[str, Any] = {}
    labels: tuple[Label, ...] = ()
    model: ModelSpec | None = None
    embedding: ModelSpec | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a scorer says. `value` is never None: a scorer that cannot tell raises, and the result is failed.

    `label` names the category of a nominal or ordinal score. `details` hold parts of the score (precision and
    recall, the claims that were checked) and go where the verdict goes: they must not repeat trace content.
    """

    value: float
    label: str = ""
    reasoning: str = ""
    details: Mapping[str, Any] = {}
    usage: Usage = Usage()
