"""One datasource's part of an answer, as the strip shows it (R4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.model.time import NANOS_PER_MILLISECOND
from web.formatting import count_text, duration_text
from web.i18n import Language

_TONES = {
    SourceStatus.OK: "ok",
    SourceStatus.PARTIAL: "warn",
    SourceStatus.APPROXIMATE: "warn",
    SourceStatus.FAILED: "error",
    SourceStatus.SKIPPED: "plain",
}


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source in the strip and in its card. `asks` is False where no query was put (a trace by id)."""

    id: str
    name: str
    kind: str
    tone: str
    status_text: str
    rows_text: str
    elapsed_text: str
    note: str
    pushed: str | None
    residual: str | None
    asks: bool
    warnings: tuple[str, ...]
    error: str | None


def source_lines(
    outcomes: Sequence[SourceOutcome], language: Language, *, asks: bool, measures: bool = False
) -> tuple[SourceLine, ...]:
    """Returns a line for each outcome, those that need attention first; `measures` is for a metrics query."""
    order = {"error": 0, "warn": 1, "plain": 2, "ok": 3}
    lines = [_line(outcome, language, asks=asks, measures=measures) for outcome in outcomes]
    return tuple(sorted(lines, key=lambda line: order[line.tone]))


def _line(outcome: SourceOutcome, language: Language, *, asks: bool, measures: bool) -> SourceLine:
    return SourceLine(
        id=outcome.datasource_id,
        name=outcome.name,
        kind=outcome.kind,
        tone=_TONES[outcome.status],
        status_text=_status_text(outcome.status, language),
        rows_text=_rows_text(outcome, language, asks=asks, measures=measures),
        elapsed_text=duration_text(round(outcome.elapsed_ms * NANOS_PER_MILLISECOND)),
        note=_note(outcome, language, asks=asks, measures=measures),
        pushed=outcome.pushed,
        residual=outcome.residual,
        asks=asks,
        warnings=outcome.warnings,
        error=outcome.error.message if outcome.error else None,
    )


def _rows_text(outcome: SourceOutcome, language: Language, *, asks: bool, measures: bool) -> str:
    """How much came from it, and of what: a number alone, beside a time, says nothing."""
    count = outcome.rows
    if outcome.error is not None and not count:
        return "–"
    if measures:
        text = language.ngettext("%(num)s series", "%(num)s series", count)
    elif asks:
        text = language.ngettext("%(num)s trace", "%(num)s traces", count)
    else:
        text = language.ngettext("%(num)s span", "%(num)s spans", count)
    return text % {"num": count_text(count)}


def _status_text(status: SourceStatus, language: Language) -> str:
    say = language.gettext
    return {
        SourceStatus.OK: say("answered in full"),
        SourceStatus.PARTIAL: say("partial: some rows are known to be missing"),
        SourceStatus.APPROXIMATE: say("approximate: a bound was reached"),
        SourceStatus.FAILED: say("failed: no rows of this datasource are shown"),
        SourceStatus.SKIPPED: say("not asked"),
    }[status]


def _note(outcome: SourceOutcome, language: Language, *, asks: bool, measures: bool) -> str:
    """The few words beside the numbers: what is wrong, else how the query was answered."""
    say = language.gettext
    if outcome.error is not None:
        return outcome.error.message
    if outcome.warnings:
        return outcome.warnings[0]
    if outcome.status is not SourceStatus.OK:
        return _status_text(outcome.status, language)
    if not asks:
        return ""
    if measures:
        return say("measured there") if outcome.residual is None else say("measured here")
    if outcome.residual is None:
        return say("all asked there")
    return say("filtered here") if outcome.pushed is None else say("part filtered here")
