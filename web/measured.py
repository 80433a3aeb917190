"""What stands below the form of the metrics page: a chart and its list, a comparison, or why there is nothing."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.outcome import SourceStatus
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.traceql.metrics_query import Unit
from arcane.traces.measuring import MetricsAnswer
from web.charts import Chart, chart_of
from web.comparisons import Compared, compared_of
from web.formatting import duration_text
from web.i18n import Language
from web.metricsform import MetricsForm
from web.results import Failure
from web.rows import RowContext
from web.sources import SourceLine, source_lines


@dataclass(frozen=True, slots=True)
class Measured:
    """An answer, ready to be written."""

    chart: Chart | None = None
    compared: Compared | None = None
    sources: tuple[SourceLine, ...] = ()
    sum: str = ""
    missing: str = ""
    warnings: tuple[str, ...] = ()
    unit: str = ""
    problem: Failure | None = None
    asked: bool = True
    from_ms: int = 0
    to_ms: int = 0


def nothing_asked(form: MetricsForm) -> Measured:
    """Returns what stands there before, or without, a question."""
    wrong = form.ask.problem or form.problem
    return Measured(problem=Failure(wrong, "", "", retry=False)) if wrong else Measured(asked=False)


def failed(form: MetricsForm, failure: Failure, sources: tuple[SourceLine, ...] = ()) -> Measured:
    """Returns what says what went wrong, and who was asked."""
    return Measured(problem=failure, sources=sources)


def measured_of(answer: MetricsAnswer, form: MetricsForm, context: RowContext) -> Measured:
    """Returns `answer` as the page shows it."""
    language, within = context.language, answer.steps.within
    return Measured(
        chart=None if answer.comparison or not answer.series else chart_of(answer, context),
        compared=compared_of(answer.series, language) if answer.comparison else None,
        sources=source_lines(answer.sources, language, asks=True, measures=True),
        sum=_sum(answer, language),
        missing=_missing(answer, language),
        warnings=answer.warnings,
        unit=_unit(answer.unit, language),
        from_ms=within.start // NANOS_PER_MILLISECOND,
        to_ms=within.end // NANOS_PER_MILLISECOND,
    )


def _unit(unit: Unit, language: Language) -> str:
    say = language.gettext
    return {Unit.PER_SECOND: say("spans a second"), Unit.SPANS: say("spans"), Unit.SECONDS: say("time")}.get(unit, "")


def _sum(answer: MetricsAnswer, language: Language) -> str:
    """The sentence at the right of the strip."""
    if answer.comparison:
        return ""
    step = _step_text(answer.steps.width)
    count = len(answer.series)
    said = language.ngettext("%(num)d series, a point every %(step)s", "%(num)d series, a point every %(step)s", count)
    return said % {"num": count, "step": step}


def _step_text(width: int) -> str:
    if width < NANOS_PER_SECOND or width % NANOS_PER_SECOND:
        return duration_text(width)
    seconds = width // NANOS_PER_SECOND
    for size, mark in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {mark}"
    return f"{seconds} s"


def _missing(answer: MetricsAnswer, language: Language) -> str:
    """Names the datasources whose spans are missing or may be; "" for a complete answer."""
    say = language.gettext
    gone = [source.name for source in answer.sources if source.status is SourceStatus.FAILED]
    short = [
        source.name for source in answer.sources if source.status in (SourceStatus.PARTIAL, SourceStatus.APPROXIMATE)
    ]
    sentences = []
    if gone:
        sentences.append(say("Spans of %(names)s are not counted: it did not answer.") % {"names": ", ".join(gone)})
    if short:
        sentences.append(say("Some spans of %(names)s are not counted.") % {"names": ", ".join(short)})
    if sentences:
        sentences.append(say("The strip below says why."))
    return " ".join(sentences)
