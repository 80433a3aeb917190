"""The parameters of a call: which there are, what they may be, and what they are called further down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.llm.errors import Cause, ModelError

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_STOPS_MAX = 16


@dataclass(frozen=True, slots=True)
class _Parameter:
    setting: str
    read: Callable[[Any], Any]
    says: str


def _number(lowest: float, highest: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ValueError
        return float(value)

    return read


def _whole(lowest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < lowest:
            raise ValueError
        return int(value)

    return read


def _stops(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or len(texts) > _STOPS_MAX:
        raise ValueError
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError
    return list(texts)


def _effort(value: Any) -> str | bool:
    if value not in _EFFORTS:
        raise ValueError
    return False if value == "none" else str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


_PARAMETERS = {
    "temperature": _Parameter("temperature", _number(0, 2), "a number from 0 to 2"),
    "top_p": _Parameter("top_p", _number(0, 1), "a number from 0 to 1"),
    "top_k": _Parameter("top_k", _whole(1), "a whole number from 1"),
    "max_tokens": _Parameter("max_tokens", _whole(1), "a whole number from 1"),
    "frequency_penalty": _Parameter("frequency_penalty", _number(-2, 2), "a number from -2 to 2"),
    "presence_penalty": _Parameter("presence_penalty", _number(-2, 2), "a number from -2 to 2"),
    "stop": _Parameter("stop_sequences", _stops, f"a text or up to {_STOPS_MAX} of them"),
    "seed": _Parameter("seed", _whole(-(2**63)), "a whole number"),
    "reasoning_effort": _Parameter("thinking", _effort, f"one of {', '.join(_EFFORTS)}"),
    "parallel_tool_calls": _Parameter("parallel_tool_calls", _flag, "true or false"),
}


def settings_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings that pydantic-ai knows `parameters` by; one that is None is not there.

    Raises ModelError for a parameter that does not exist, or has a value it cannot have.
    """
    settings: dict[str, Any] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        parameter = _PARAMETERS.get(name)
        if parameter is None:
            known = ", ".join(_PARAMETERS)
            raise ModelError(Cause.SETTINGS, f"There is no parameter {name[:100]!r}; there are {known}.")
        try:
            settings[parameter.setting] = parameter.read(value)
        except (ValueError, OverflowError):
            raise ModelError(Cause.SETTINGS, f"The parameter {name!r} has to be {parameter.says}.") from None
    return settings


def name_of(setting: str) -> str:
    """Returns what a person calls the parameter that pydantic-ai knows as `setting`."""
    return next((name for name, parameter in _PARAMETERS.items() if parameter.setting == setting), setting)
