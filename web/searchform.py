"""The search form as the URL has it, and the URLs that lead on from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from arcane.kit.actor import Actor
from arcane.model.time import TimeRange
from arcane.traces.questions import SearchRequest
from web.asking import SourceChoice
from web.i18n import Language
from web.shell import Shell
from web.timerange import Chosen, Preset, presets, window_of

EVERYTHING: Final = "{}"
SPANS: Final = 4
"""Matched spans asked for of each trace: three are shown, and the root's own is left out where there are others."""


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was asked, in the form's own terms. `window` is None when the time range cannot be read."""

    action: str
    explain: str
    tail: str
    api: str
    datasources: str
    query: str
    problem: str
    sources: tuple[SourceChoice, ...]
    chosen: Chosen
    presets: tuple[Preset, ...]
    window: TimeRange | None
    asked: tuple[str, ...]
    cursor: str | None
    scale: int
    chosen_text: str

    def question(self) -> SearchRequest:
        """Returns what is asked; an empty query asks for every trace."""
        return SearchRequest(self.query or EVERYTHING, self.asked, self.window, self.cursor, spans_per_trace=SPANS)

    def url(self, path: str | None = None, /, **changes: str) -> str:
        """Returns this search's address with `changes`, or another of its pages; an empty value leaves a field out."""
        fields: dict[str, str] = {"q": self.query, "range": self.chosen.key}
        if self.chosen.from_text or self.chosen.to_text:
            fields |= {"from": self.chosen.from_text, "to": self.chosen.to_text}
        fields |= changes
        pairs = [(name, value) for name, value in fields.items() if value]
        pairs += [("source", source) for source in self.asked]
        return f"{path or self.action}?{urlencode(pairs)}"


def form_of(request: Request, shell: Shell, choices: Sequence[SourceChoice], actor: Actor, now: datetime) -> SearchForm:
    """Returns the form for the request's parameters."""
    parameters = request.query_params
    fields = (parameters.get("range", ""), parameters.get("from", ""), parameters.get("to", ""))
    window = window_of(fields, now, shell.zone, shell.language)
    action = f"/o/{shell.organisation}/p/{request.path_params['project']}/traces"
    scale = parameters.get("scale", "")
    return SearchForm(
        action=action,
        explain=f"{action}/explain",
        tail=f"{action}/tail",
        api=f"/api/v1/projects/{actor.project_id}",
        datasources=f"/o/{shell.organisation}/settings/datasources",
        query=parameters.get("q", "").strip(),
        problem=window.chosen.error,
        sources=tuple(choices),
        chosen=window.chosen,
        presets=presets(shell.language),
        window=window.range,
        asked=tuple(parameters.getlist("source")),
        cursor=parameters.get("cursor") or None,
        chosen_text=_chosen_text(choices, shell.language),
        scale=int(scale) if scale.isdecimal() and len(scale) < 20 else 0,
    )


def _chosen_text(choices: Sequence[SourceChoice], language: Language) -> str:
    """What the button says when there are too many datasources for a chip each."""
    chosen = [choice for choice in choices if choice.chosen]
    if len(chosen) == len(choices):
        return language.gettext("All %(n)d datasources") % {"n": len(choices)}
    if len(chosen) == 1:
        return chosen[0].name
    return language.gettext("%(chosen)d of %(n)d datasources") % {"chosen": len(chosen), "n": len(choices)}
