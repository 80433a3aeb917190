"""A trace as nested lists, for readers without scripts: the same answer, the first spans of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from arcane.conventions import LlmTotals, LlmView
from arcane.federation.skew import TOLERATED, outlasts
from arcane.model.span import Span, SpanEvent, SpanKind, StatusCode
from arcane.model.values import Attributes, AttributeValue
from arcane.traces.questions import LlmReading, TraceAnswer
from web.formatting import cost_text, duration_text
from web.i18n import Language

MOST_SPANS: Final = 500
_DEEPEST: Final = 12
_LONGEST: Final = 2_000

Pair = tuple[str, str]
Fact = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """Something that happened during a span."""

    name: str
    offset_text: str
    attributes: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class PlainSpan:
    """A row, and what opens below it. `level` is the depth, at most as deep as can be indented."""

    span_id: str
    level: int
    name: str
    service: str
    kind: str
    kind_text: str
    offset_text: str
    duration_text: str
    failed: bool
    orphan: bool
    status_message: str
    sources_text: str
    attributes: tuple[Pair, ...]
    resource: tuple[Pair, ...]
    events: tuple[PlainEvent, ...]
    clock_text: str = ""
    """How another clock than its parent's has timed it."""


@dataclass(frozen=True, slots=True)
class PlainTrace:
    """What the page writes. `left_out` spans are in the download only."""

    name: str
    facts: tuple[Fact, ...]
    spans: tuple[PlainSpan, ...]
    left_out: int
    warnings: tuple[str, ...]


def plain_trace(answer: TraceAnswer, reading: LlmReading, language: Language) -> PlainTrace:
    """Returns the trace as the page writes it."""
    trace = answer.trace
    orphans = {span.span_id for span in trace.orphans}
    names = [source.name for source in answer.sources]
    spans = []
    for at, (span, depth) in enumerate(trace.walk()):
        if at == MOST_SPANS:
            break
        held = " + ".join(names[index] for index in answer.assembled.origins_of(span))
        row = _row(span, depth, trace.start, reading.views, (held, span.span_id in orphans))
        spans.append(replace(row, clock_text=_clock(span, trace.by_id.get(span.parent_span_id), language)))
    return PlainTrace(
        name=spans[0].name if spans else language.gettext("Trace"),
        facts=_facts(answer, reading.totals, language),
        spans=tuple(spans),
        left_out=len(trace.spans) - len(spans),
        warnings=answer.warnings,
    )


def _row(span: Span, depth: int, start: int, views: Mapping[str, LlmView], origin: tuple[str, bool]) -> PlainSpan:
    view = views.get(span.span_id)
    kind = str(view.kind) if view is not None and view.kind != "span" else "plain"
    return PlainSpan(
        span_id=span.span_id,
        level=min(depth, _DEEPEST),
        name=span.name,
        service=span.service_name,
        kind=kind,
        kind_text="" if span.kind is SpanKind.UNSPECIFIED else span.kind.word,
        offset_text=duration_text(max(0, span.start - start)),
        duration_text=duration_text(span.duration),
        failed=span.status is StatusCode.ERROR,
        orphan=origin[1],
        status_message=span.status_message,
        sources_text=origin[0],
        attributes=_pairs(span.attributes),
        resource=_pairs(span.resource.attributes),
        events=tuple(_event(event, span.start) for event in span.events),
    )


def _clock(span: Span, parent: Span | None, language: Language) -> str:
    """Returns in words how another clock than its parent's has timed the span, nothing where none has."""
    if parent is not None and parent.start - span.start > TOLERATED:
        text = language.gettext("Begins %(by)s before its parent: timed by another clock, shown as recorded.")
        return text % {"by": duration_text(parent.start - span.start)}
    if parent is not None and outlasts(span, parent):
        text = language.gettext("Ends %(by)s after the call it answers: timed by another clock, shown as recorded.")
        return text % {"by": duration_text(span.end - parent.end)}
    return ""


def _event(event: SpanEvent, start: int) -> PlainEvent:
    return PlainEvent(event.name, duration_text(max(0, event.time - start)), _pairs(event.attributes))


def _pairs(attributes: Attributes) -> tuple[Pair, ...]:
    return tuple((name, _text(attributes[name])) for name in sorted(attributes))


def _text(value: AttributeValue) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _facts(answer: TraceAnswer, totals: LlmTotals, language: Language) -> tuple[Fact, ...]:
    say, trace = language.gettext, answer.trace
    facts: list[Fact] = [
        (say("Duration"), duration_text(trace.duration), ""),
        (say("Spans"), f"{len(trace.spans):,}", ""),
        (say("Errors"), f"{trace.error_count:,}", "error" if trace.error_count else ""),
    ]
    if totals.model_calls:
        facts.append((say("Model calls"), f"{totals.model_calls:,}", ""))
    if totals.tokens.total:
        facts.append((say("Tokens"), f"{totals.tokens.total:,}", ""))
    if totals.cost_usd:
        facts.append((say("Cost"), cost_text(totals.cost_usd), ""))
    held = " · ".join(f"{source.name} {source.rows:,}" for source in answer.sources if source.rows)
    facts.append((say("Sources"), held or "–", ""))
    return tuple(facts)
