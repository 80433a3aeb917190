"""Tool calls compared: the same name and the same arguments, whatever their order and however a number is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arcane.messaging.scoring import ScorerInput
from worker.scoring.conversation import Call, calls_made
from worker.scoring.fields import EXPECTED_CALLS
from worker.scoring.inputs import Inputs

MADE_CALLS = ScorerInput(
    name="tool_calls", kind="json", description="The calls that were made, or the messages they stand in."
)
CALLS = (MADE_CALLS, EXPECTED_CALLS)


def made(inputs: Inputs) -> tuple[Call, ...]:
    """Returns the calls of the input `tool_calls`, taken out of the messages where these came."""
    document = inputs.document("tool_calls")
    if isinstance(document, Mapping):
        document = document.get("messages") or document.get("tool_calls") or [document]
    if isinstance(document, Sequence) and any(isinstance(one, Mapping) and _is_message(one) for one in document):
        return calls_made(Inputs({"tool_calls": document}).messages("tool_calls"))
    return Inputs({"tool_calls": document}).calls("tool_calls")


def written(call: Call, *, arguments: bool = True) -> str:
    """Returns the call as a text that is the same for the same call."""
    return json.dumps([call.name, _plain(call.arguments) if arguments else None], sort_keys=True, default=str)


def _is_message(one: Mapping[str, Any]) -> bool:
    return "role" in one or "content" in one


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
