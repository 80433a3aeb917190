"""A score in Python that a user wrote: a function `score`, whose parameters are the inputs it reads.

The code runs in a sandbox (pydantic-monty: an interpreter of its own in a process of its own) without files, network,
environment or clock to wait for; time, memory, recursion and output are bounded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from arcane.messaging.code_inputs import parameters
from arcane.messaging.scoring import Label, Scale, ScorerDescription, Verdict
from worker.scoring.errors import CodeFailed, MissingInput
from worker.scoring.inputs import Inputs
from worker.scoring.sandbox import Sandbox
from worker.scoring.scorer import Scorer, ScorerSettings
from worker.scoring.toolbox import Toolbox

_PARTS = frozenset({"value", "label", "reasoning", "details"})
_LONGEST_REASONING = 10_000
_MOST_DETAILS = 10_000
_EXAMPLE = "def score(response, reference):\n    return 1.0 if response.strip() == reference.strip() else 0.0\n"


class Settings(ScorerSettings):
    code: str = Field(
        _EXAMPLE,
        title="Python",
        description="A function `score`: its parameters are inputs, those with a default are optional. It returns a "
        "number, a label of the score, or a dict with value or label, reasoning and details.",
        min_length=1,
        max_length=100_000,
        json_schema_extra={"multiline": True, "code": "python"},
    )

    @field_validator("code")
    @classmethod
    def defines_score(cls, code: str) -> str:
        parameters(code)
        return code


async def score(inputs: Inputs, settings: Settings, tools: Toolbox) -> Verdict:
    """Returns what the code says; raises CodeFailed with the line for what goes wrong in it."""
    given: dict[str, Any] = {}
    for name, required in parameters(settings.code):
        if inputs.has(name):
            given[name] = inputs.values[name]
        elif required:
            raise MissingInput(f"the input `{name}` is missing: choose where it comes from")
    returned = await Sandbox().call("score", settings.code, given)
    return _verdict(returned, tools.labels)


def _verdict(returned: Any, labels: tuple[Label, ...]) -> Verdict:
    if not isinstance(returned, Mapping):
        return _valued(returned, labels)
    unknown = sorted(str(name) for name in set(returned) - _PARTS)
    if unknown:
        raise CodeFailed("`score` returned a dict with other parts than value, label, reasoning and details")
    told = returned.get("label", returned.get("value"))
    base = _valued(told, labels)
    value = _number(returned["value"]) if returned.get("value") is not None else base.value
    reasoning, details = returned.get("reasoning", ""), returned.get("details", {})
    if not isinstance(reasoning, str) or not isinstance(details, Mapping):
        raise CodeFailed("the reasoning that `score` returns is a text, and the details are a dict")
    try:
        too_much = len(json.dumps(details, allow_nan=False)) > _MOST_DETAILS
    except (TypeError, ValueError, RecursionError):
        raise CodeFailed("the details that `score` returns are not JSON") from None
    if too_much:
        raise CodeFailed(f"the details that `score` returns are longer than {_MOST_DETAILS} characters")
    return Verdict(value=value, label=base.label, reasoning=reasoning[:_LONGEST_REASONING], details=dict(details))


def _valued(told: Any, labels: tuple[Label, ...]) -> Verdict:
    if isinstance(told, str):
        for one in labels:
            if one.label == told:
                return Verdict(value=one.value, label=one.label)
        raise CodeFailed("`score` returned a text that is none of the score's labels")
    return Verdict(value=_number(told))


def _number(told: Any) -> float:
    if not isinstance(told, bool | int | float):
        raise CodeFailed(f"`score` returned {_kind(told)}: it is to return a number, a label, or a dict with one")
    try:
        number = float(told)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CodeFailed("`score` returned a number that is not finite")
    return number


def _kind(told: Any) -> str:
    return "nothing" if told is None else f"a {type(told).__name__}"


SCORER = Scorer(
    ScorerDescription(
        key="python",
        name="Python",
        group="Code",
        description="A function of your own, run in a sandbox without files and network.",
        scale=Scale.NUMERIC,
        inputs=(),
        code_setting="code",
    ),
    Settings,
    score,
)
