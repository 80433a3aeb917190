"""A search hit as a row: everything the template writes, already in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import msgspec

from arcane.model.hit import MatchedSet, MatchedSpan, TraceHit
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, nanos_of
from arcane.model.values import Attributes, AttributeValue
from arcane.traceql.literals import parse_duration
from arcane.traces.questions import FoundTrace
from web.formatting import clock_text, duration_text, iso_text
from web.i18n import Language
from web.kinds import PLAIN, kind_of

BAR_WIDTH = 64
_TAGS = 3
_BY = "by("


@dataclass(frozen=True, slots=True)
class SpanTag:
    """A matched span, or a group of them: what it is called, its kind, and where a click leads."""

    label: str
    kind: str
    title: str
    href: str


@dataclass(frozen=True, slots=True)
class HitRow:
    """One trace of the list. `bar` is the width of the duration bar in pixels, `said` what the query computed."""

    trace_id: str
    href: str
    start_iso: str
    start_text: str
    ago_text: str
    start_ms: int
    name: str
    service: str
    rootless: bool
    tags: tuple[SpanTag, ...]
    more_tags: int
    said: str
    duration_text: str
    bar: int
    spans_text: str
    errors: int | None
    sources_text: str
    whole: bool


@dataclass(frozen=True, slots=True)
class RowContext:
    """What all rows of one answer share. `scale` is the duration (ns) of a full bar."""

    base: str
    zone: tzinfo
    now: datetime
    scale: int
    language: Language


def scale_of(hits: Sequence[TraceHit]) -> int:
    """Returns the longest duration of `hits`, at least 1."""
    return max((hit.duration for hit in hits), default=1) or 1


def row_of(found: FoundTrace, context: RowContext) -> HitRow:
    """Returns the row for a trace."""
    say, hit = context.language.gettext, found.hit
    href = f"{context.base}/{hit.trace_id}"
    tags, count, said = _groups(hit, href, context) if _is_grouped(hit) else _spans(hit, href, context)
    return HitRow(
        trace_id=hit.trace_id,
        href=href,
        start_iso=iso_text(hit.start),
        start_text=clock_text(hit.start, context.zone, context.now),
        ago_text=_ago(hit.start, context),
        start_ms=hit.start // NANOS_PER_MILLISECOND,
        name=hit.root_name or say("root span not received"),
        service=hit.root_service or "",
        rootless=not hit.root_name,
        tags=tags,
        more_tags=max(0, count - len(tags)),
        said=said,
        duration_text=duration_text(hit.duration),
        bar=max(1, min(BAR_WIDTH, round(BAR_WIDTH * hit.duration / context.scale))),
        spans_text="" if hit.span_count is None else f"{hit.span_count:,}",
        errors=hit.error_count,
        sources_text=" + ".join(found.sources),
        whole=found.whole,
    )


def _is_grouped(hit: TraceHit) -> bool:
    return any(key.startswith(_BY) for one in hit.span_sets for key in one.attributes)


def _spans(hit: TraceHit, href: str, context: RowContext) -> tuple[tuple[SpanTag, ...], int, str]:
    """Returns the matched spans, how many there are, and what the query says of them all."""
    told = [span for span in hit.spans if span.name != hit.root_name] or hit.spans
    computed = hit.span_sets[0].attributes.items() if hit.span_sets else ()
    said = ", ".join(f"{key} {_short(value)}" for key, value in computed)
    shown = told[: _TAGS - 1] if said else told[:_TAGS]
    return tuple(_tag(span, href, context) for span in shown), hit.matched, said


def _groups(hit: TraceHit, href: str, context: RowContext) -> tuple[tuple[SpanTag, ...], int, str]:
    """Returns the groups, each named by its value and how many spans it has, and how many groups there are."""
    return tuple(_group(one, href) for one in hit.span_sets[:_TAGS]), hit.span_set_count, ""


def _group(one: MatchedSet, href: str) -> SpanTag:
    values = [_value_text(value) for key, value in one.attributes.items() if key.startswith(_BY)]
    names = [span.name for span in one.spans if span.name]
    about = [*_said(one.attributes), *(["", *names] if names else [])]
    at = f"{href}?span={one.spans[0].span_id}" if one.spans else href
    return SpanTag(f"{' · '.join(values)} × {one.matched:,}", PLAIN, "\n".join(about), at)


def _said(attributes: Attributes) -> list[str]:
    return [f"{key} = {_value_text(value)}" for key, value in attributes.items()]


def _short(value: AttributeValue) -> str:
    """A computed number with as many digits as a list needs."""
    if isinstance(value, float):
        return f"{value:.4g}"
    nanos = parse_duration(value) if isinstance(value, str) and not value.startswith("-") else None
    return duration_text(nanos) if nanos else _value_text(value)


def _tag(span: MatchedSpan, href: str, context: RowContext) -> SpanTag:
    say = context.language.gettext
    label = span.name or say("span")
    about = [label, duration_text(span.duration)]
    if span.service:
        about.append(span.service)
    about.extend(f"{name} = {_value_text(value)}" for name, value in list(span.attributes.items())[:6])
    return SpanTag(label, kind_of(span), "\n".join(about), f"{href}?span={span.span_id}")


def _value_text(value: AttributeValue) -> str:
    if value is None:
        return "nil"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _ago(start: int, context: RowContext) -> str:
    """How long ago, in its largest unit."""
    say = context.language.gettext
    seconds = (nanos_of(context.now) - start) // NANOS_PER_SECOND
    if seconds < 60:
        return say("%(n)d s ago") % {"n": max(0, seconds)}
    if seconds < 3_600:
        return say("%(n)d min ago") % {"n": seconds // 60}
    if seconds < 86_400:
        return say("%(n)d h ago") % {"n": seconds // 3_600}
    return say("%(n)d d ago") % {"n": seconds // 86_400}
