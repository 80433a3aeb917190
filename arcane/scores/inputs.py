"""What a configured scorer reads: its own inputs, and those that its settings name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arcane.messaging.code_inputs import parameters
from arcane.messaging.generation import ChatMessage, PromptSpec, Role, TemplateFormat
from arcane.messaging.scoring import ScorerDescription, ScorerInput
from arcane.prompting.errors import TemplateError
from arcane.prompting.render import required, variables


class BadTemplate(ValueError):
    """A setting that names inputs cannot be read; `setting` is which one."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


def inputs_of(scorer: ScorerDescription, settings: Mapping[str, Any]) -> tuple[ScorerInput, ...]:
    """Returns the inputs of `scorer` with `settings`; raises BadTemplate."""
    found = {one.name: one for one in scorer.inputs}
    for name, needed in _named(scorer, settings):
        found.setdefault(name, ScorerInput(name=name, kind="json" if scorer.code_setting else "text", required=needed))
    return tuple(found.values())


def _named(scorer: ScorerDescription, settings: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    if scorer.template_setting:
        prompt = PromptSpec(
            messages=(ChatMessage(role=Role.USER, text=str(_setting(scorer, settings, scorer.template_setting))),),
            format=TemplateFormat(_setting(scorer, settings, "format") or TemplateFormat.MUSTACHE),
        )
        try:
            needed = set(required(prompt))
            yield from ((name, name in needed) for name in variables(prompt))
        except TemplateError as exc:
            raise BadTemplate(scorer.template_setting, str(exc)) from None
    if scorer.code_setting:
        try:
            yield from parameters(str(_setting(scorer, settings, scorer.code_setting)))
        except ValueError as exc:
            raise BadTemplate(scorer.code_setting, str(exc)) from None


def _setting(scorer: ScorerDescription, settings: Mapping[str, Any], name: str) -> Any:
    declared = scorer.settings.get("properties", {}).get(name, {})
    return settings.get(name, declared.get("default", ""))
