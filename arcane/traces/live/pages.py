"""Everything of a window that one poll may read: page after page, until the end of it or a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from msgspec.structs import replace as changed

from arcane.federation.execute import Engine
from arcane.federation.question import Found, Question, Resume
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.hit import TraceHit
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome, SourceStatus

_FROM_BEST = (SourceStatus.OK, SourceStatus.PARTIAL, SourceStatus.APPROXIMATE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one poll found, newest first, and how the datasource answered over all pages."""

    hits: Sequence[TraceHit]
    outcome: SourceOutcome


async def read_pages(engine: Engine, source: Source, question: Question, pages: int, deadline: Deadline) -> Reading:
    """Returns the newest `question.limit` traces, read in at most `pages` pages. What no page reached is told.

    A fault ends it, and what came before it stays.
    """
    hits: list[TraceHit] = []
    outcomes: list[SourceOutcome] = []
    resume: Resume | None = None
    size = min(engine.limits.search_limit_max, ceil(question.limit / pages))
    while not outcomes or (resume is not None and len(outcomes) < pages and len(hits) < question.limit):
        found = await engine.search(_page(question, size, len(hits)), [source], resume, deadline)
        hits += found.hits
        outcomes.append(_outcome(found))
        resume = found.resume if outcomes[-1].error is None else None
    outcome = _together(outcomes)
    return Reading(hits, outcome if resume is None else _cut(outcome, len(hits)))


def _page(question: Question, size: int, read: int) -> Question:
    limit = min(size, question.limit - read)
    return Question(question.query, question.within, limit, question.spans_per_trace)


def _outcome(found: Found) -> SourceOutcome:
    (outcome,) = found.outcome.sources
    return outcome


def _together(outcomes: Sequence[SourceOutcome]) -> SourceOutcome:
    """Returns one outcome for all pages: as good as the worst of them."""
    last = outcomes[-1]
    rows = sum(one.rows for one in outcomes)
    if last.error is None:
        status = max((one.status for one in outcomes), key=_FROM_BEST.index)
    else:
        status = SourceStatus.PARTIAL if rows else last.status
    warnings = tuple(dict.fromkeys(warning for one in outcomes for warning in one.warnings))
    elapsed_ms = round(sum(one.elapsed_ms for one in outcomes), 3)
    return changed(last, status=status, rows=rows, elapsed_ms=elapsed_ms, warnings=warnings)


def _cut(outcome: SourceOutcome, read: int) -> SourceOutcome:
    warning = Notice("More traces came than one poll reads (%(limit)s); the older ones are not shown.", limit=read)
    return changed(outcome, status=SourceStatus.APPROXIMATE, warnings=(*outcome.warnings, warning))
