"""What stands below the form: rows, or why there are none, and who answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from arcane.access.permissions import DATASETS_ROWS_CREATE, EVALUATIONS_CREATE
from arcane.kit.actor import Actor
from arcane.model.outcome import SourceStatus
from arcane.model.time import NANOS_PER_MILLISECOND, TimeRange, datetime_of, nanos_of
from arcane.traces.questions import SearchAnswer
from web.rows import HitRow, RowContext, row_of
from web.searchform import SearchForm
from web.shell import Shell
from web.sources import SourceLine, source_lines
from web.timerange import CUSTOM

_WIDER: Final = {
    "5m": "1h",
    "15m": "3h",
    "1h": "24h",
    "3h": "24h",
    "6h": "24h",
    "12h": "7d",
    "24h": "7d",
    "2d": "30d",
    "7d": "30d",
    CUSTOM: "7d",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer."""

    heading: str
    text: str
    detail: str
    retry: bool
    elsewhere: str = ""
    """Where this question is answered."""


@dataclass(frozen=True, slots=True)
class Lead:
    """What else can be made of what was found."""

    label: str
    href: str
    icon: str


@dataclass(frozen=True, slots=True)
class Results:
    """One page of an answer, ready to be written."""

    rows: tuple[HitRow, ...] = ()
    sources: tuple[SourceLine, ...] = ()
    next: str = ""
    again: bool = False
    """The next page holds only what datasources that did not answer have."""
    sum: str = ""
    missing: str = ""
    problem: Failure | None = None
    nothing: str = ""
    wider: str = ""
    wider_label: str = ""
    all: str = ""
    dated: bool = False
    asked: bool = True
    from_ms: int = 0
    to_ms: int = 0
    leads: tuple[Lead, ...] = ()


def nothing_asked(form: SearchForm) -> Results:
    """Returns the results before, or without, a question."""
    if form.problem:
        return Results(problem=Failure(form.problem, "", "", retry=False))
    return Results(asked=False)


def failed(form: SearchForm, failure: Failure, sources: tuple[SourceLine, ...] = ()) -> Results:
    """Returns results that say what went wrong, and who was asked."""
    return Results(problem=failure, sources=sources, all=form.url(q=""))


def results_of(answer: SearchAnswer, form: SearchForm, context: RowContext, window: TimeRange, *, most: int) -> Results:
    """Returns `answer`, which holds `most` traces at most, as the page shows it."""
    language = context.language
    say = language.gettext
    midnight = nanos_of(context.now.astimezone(context.zone).replace(hour=0, minute=0, second=0, microsecond=0))
    wider = _WIDER.get(form.chosen.key, "")
    again = _only_failed_are_left(answer, most)
    return Results(
        rows=tuple(row_of(found, context) for found in answer.found),
        sources=source_lines(answer.sources, language, asks=True),
        next=_next(answer.next, form, context, window) if answer.next else "",
        again=again,
        sum=_sum(answer, context, again=again),
        missing=_missing(answer, context),
        nothing=say("No span in this time range matches the query.")
        if form.query
        else say("There is no trace in this time range."),
        wider=form.url(range=wider, **{"from": "", "to": ""}) if wider else "",
        wider_label=next((preset.label for preset in form.presets if preset.key == wider), ""),
        all=form.url(q=""),
        dated=any(found.hit.start < midnight for found in answer.found),
        from_ms=window.start // NANOS_PER_MILLISECOND,
        to_ms=window.end // NANOS_PER_MILLISECOND,
    )


def _next(cursor: str, form: SearchForm, context: RowContext, window: TimeRange) -> str:
    """The address of the next page: the same question, its range no longer following the clock."""
    start, end = (datetime_of(moment).isoformat() for moment in (window.start, window.end))
    return form.url(**{"cursor": cursor, "scale": str(context.scale), "range": CUSTOM, "from": start, "to": end})


def _only_failed_are_left(answer: SearchAnswer, most: int) -> bool:
    """Whether those that answered have given everything: a page that is not full, and a way on nevertheless."""
    states = {source.status for source in answer.sources}
    unsure = {SourceStatus.PARTIAL, SourceStatus.APPROXIMATE}
    return bool(answer.next) and len(answer.found) < most and SourceStatus.FAILED in states and not states & unsure


def _sum(answer: SearchAnswer, context: RowContext, *, again: bool) -> str:
    """The sentence at the right of the strip."""
    say = context.language.gettext
    count = len(answer.found)
    if again:
        said = say("%(n)d, some missing")
    else:
        said = say("%(n)d loaded, more to come") if answer.next else say("%(n)d, all of them")
    loaded = said % {"n": count}
    if answer.cached_age_s is None:
        return loaded
    return f"{loaded} · {say('kept, %(n)d s old') % {'n': round(answer.cached_age_s)}}"


def _missing(answer: SearchAnswer, context: RowContext) -> str:
    """Names the datasources whose rows are missing or may be; "" for a complete answer."""
    say = context.language.gettext
    failed = [source.name for source in answer.sources if source.status is SourceStatus.FAILED]
    short = [
        source.name for source in answer.sources if source.status in (SourceStatus.PARTIAL, SourceStatus.APPROXIMATE)
    ]
    sentences = []
    if failed:
        sentences.append(say("No rows from %(names)s: it did not answer.") % {"names": ", ".join(failed)})
    if short:
        sentences.append(say("%(names)s gave some rows and may have more.") % {"names": ", ".join(short)})
    if sentences:
        sentences.append(say("The strip below says why."))
    return " ".join(sentences)


def leads_of(form: SearchForm, shell: Shell, actor: Actor) -> tuple[Lead, ...]:
    """Returns where the person may go on with this search: its range no longer follows the clock there."""
    if shell.place is None or form.window is None:
        return ()
    say = shell.language.gettext
    start, end = (datetime_of(moment).isoformat() for moment in (form.window.start, form.window.end))
    found = []
    if actor.may(DATASETS_ROWS_CREATE):
        fixed = {"range": CUSTOM, "from": start, "to": end}
        found.append(Lead(say("Add to a dataset"), form.url(shell.place.captures, **fixed), "table"))
    if actor.may(EVALUATIONS_CREATE):
        asked = urlencode({"q": form.query, "start": start, "end": end})
        found.append(Lead(say("Evaluate this search"), f"{shell.place.at('evaluations')}/new?{asked}", "list-checks"))
    return tuple(found)
