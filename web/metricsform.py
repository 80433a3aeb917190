"""The form of the metrics page as the URL has it: the search form's fields, a step, and how to draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.requests import Request

from arcane.kit.actor import Actor
from arcane.traceql.literals import spell_duration
from arcane.traces.measuring import MetricsRequest
from arcane.traces.metrics_schemas import step_of
from web.asking import SourceChoice
from web.i18n import Language
from web.searchform import SearchForm, form_of
from web.shell import Shell

LINES: Final = "lines"
STACKED: Final = "stacked"
STEPS: Final = ("1s", "10s", "30s", "1m", "5m", "15m", "1h", "6h", "1d")
EXEMPLARS: Final = 60


@dataclass(frozen=True, slots=True)
class Example:
    """A query to begin with."""

    label: str
    query: str
    href: str


@dataclass(frozen=True, slots=True)
class MetricsForm:
    """What was asked. `ask` holds what both forms have; `step` is None where it is chosen for the range."""

    ask: SearchForm
    step_text: str
    step: int | None
    problem: str
    draw: str
    traces: str
    """The address of the search page, below which traces are."""

    @property
    def asks(self) -> bool:
        """True when there is something to ask, and somebody to ask it of."""
        return bool(self.ask.query and self.ask.window and self.ask.sources and not self.problem)

    @property
    def steps(self) -> tuple[str, ...]:
        """What the list offers, with what was written into the address among it."""
        return STEPS if self.step_text in ("", *STEPS) else (self.step_text, *STEPS)

    def question(self) -> MetricsRequest:
        """Returns what is asked."""
        return MetricsRequest(self.ask.query, self.ask.asked, self.ask.window, self.step, exemplars=EXEMPLARS)

    def url(self, base: str = "", **changes: str) -> str:
        """Returns this page's address (or `base`'s) with `changes`; an empty value leaves a field out."""
        own = {"step": self.step_text, "draw": "" if self.draw == LINES else self.draw}
        return self.ask.url(base, **(own | changes))

    def explain_url(self) -> str:
        """Returns the address of how this is asked."""
        return self.url(self.ask.explain)


def metrics_form_of(
    request: Request, shell: Shell, choices: tuple[SourceChoice, ...], actor: Actor, now: datetime
) -> MetricsForm:
    """Returns the form for the request's parameters."""
    ask = form_of(request, shell, choices, actor, now)
    text = request.query_params.get("step", "").strip()
    try:
        step, wrong = step_of(text or None), False
    except ValueError:
        step, wrong = None, True
    problem = shell.language.gettext("A step is a time such as 30s, 5m or 1h.") if wrong else ""
    draw = request.query_params.get("draw", "")
    action = f"/o/{shell.organisation}/p/{request.path_params['project']}/metrics"
    return MetricsForm(
        replace(ask, action=action, explain=f"{action}/explain"),
        "" if step is None else spell_duration(step),
        step,
        problem,
        draw if draw == STACKED else LINES,
        ask.action,
    )


def examples_of(form: MetricsForm, language: Language) -> tuple[Example, ...]:
    """Returns queries to begin with; every one works on any spans."""
    say = language.gettext
    named = (
        (say("Requests by service"), "{ kind = server } | rate() by (resource.service.name)"),
        (say("Share of errors"), "({ status = error } | rate()) / ({ } | rate())"),
        (say("How long it takes"), "{ nestedSetParent < 0 } | quantile_over_time(duration, .5, .9, .99)"),
        (say("All durations"), "{ } | histogram_over_time(duration)"),
        (
            say("Tokens by model"),
            "{ } | sum_over_time(span.gen_ai.usage.output_tokens) by (span.gen_ai.request.model)",
        ),
        (say("What errors have in common"), "{ } | compare({ status = error })"),
    )
    return tuple(Example(label, query, form.url(q=query)) for label, query in named)
