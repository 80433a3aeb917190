"""Answers as they are encoded: msgspec structs, made once and written once.

`schemas` and `trace_schemas` describe the same for readers, and a test keeps them equal.
Times are RFC 3339 with nanoseconds, durations integers in nanoseconds. Attribute values are plain
JSON: bytes are base64, and what JSON has no number for (NaN, the infinities) is null; the OTLP
download has every value exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from arcane.conventions import LlmTotals, LlmView
from arcane.model.hit import MatchedSet, MatchedSpan, ServiceStats, TraceHit
from arcane.model.notice import encoded
from arcane.model.outcome import SourceOutcome
from arcane.model.span import Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.values import Attributes
from arcane.traces.questions import SearchAnswer
from arcane.traces.times import format_time

_ENCODER = msgspec.json.Encoder(enc_hook=encoded)

_STATUS = tuple(code.word for code in sorted(StatusCode))
_KIND = tuple(kind.word for kind in sorted(SpanKind))
"""Words by number: to look up a member of an enum in a dict takes a call in Python 3.11."""


_NONE = ()


class MatchedSpanBody(msgspec.Struct, frozen=True, gc=False):
    """See schemas.MatchedSpanOut."""

    span_id: str
    name: str | None
    service: str | None
    status: str | None
    start: str
    duration_ns: int
    attributes: Attributes


class MatchedSetBody(msgspec.Struct, frozen=True, gc=False):
    """See schemas.MatchedSetOut."""

    attributes: Attributes
    matched: int
    spans: list[MatchedSpanBody]


class HitBody(msgspec.Struct, frozen=True, gc=False):
    """See schemas.HitOut."""

    trace_id: str
    start: str
    duration_ns: int
    root_service: str | None
    root_name: str | None
    span_count: int | None
    error_count: int | None
    services: dict[str, ServiceStats]
    matched: int
    spans: list[MatchedSpanBody]
    span_sets: list[MatchedSetBody]
    span_set_count: int
    datasources: tuple[str, ...]
    whole: bool


class SearchBody(msgspec.Struct, frozen=True, gc=False):
    """See schemas.SearchOut."""

    items: list[HitBody]
    next: str | None
    complete: bool
    sources: tuple[SourceOutcome, ...]
    cached_age_s: float | None = None


class EventBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.EventOut."""

    name: str
    time: str
    offset_ns: int
    attributes: Attributes


class LinkBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.LinkOut."""

    trace_id: str
    span_id: str
    attributes: Attributes


class SpanBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.SpanOut."""

    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    start: str
    offset_ns: int
    duration_ns: int
    status: str
    status_message: str
    resource: int
    scope: int
    sources: tuple[int, ...]
    attributes: Attributes
    events: Sequence[EventBody]
    links: Sequence[LinkBody]
    llm: LlmView | None


class ScopeBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.ScopeOut."""

    name: str
    version: str
    attributes: Attributes


class ResourceBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.ResourceOut."""

    attributes: Attributes


class RootBody(msgspec.Struct, frozen=True, gc=False):
    """See trace_schemas.RootOut."""

    span_id: str
    name: str
    service: str


class TraceHead(msgspec.Struct, frozen=True, gc=False):
    """Everything of trace_schemas.TraceOut that stands before `spans`: a long trace is written in pieces."""

    trace_id: str
    start: str
    end: str
    duration_ns: int
    root: RootBody | None
    span_count: int
    error_count: int
    complete: bool
    sources: tuple[SourceOutcome, ...]
    warnings: tuple[str, ...]
    llm: LlmTotals
    resources: list[ResourceBody]
    scopes: list[ScopeBody]


def search_document(answer: SearchAnswer) -> bytes:
    """Returns a page as it leaves (schemas.SearchOut), encoded once however many were waiting for it."""
    if not answer.encoded:
        items = [hit_body(found.hit, found.datasource_ids, found.whole) for found in answer.found]
        body = SearchBody(items, answer.next, answer.complete, answer.sources, answer.cached_age_s)
        answer.encoded.append(_ENCODER.encode(body))
    return answer.encoded[0]


def hit_body(hit: TraceHit, datasources: tuple[str, ...], whole: bool) -> HitBody:
    """Returns a hit as it is encoded."""
    return HitBody(
        hit.trace_id,
        format_time(hit.start),
        hit.duration,
        hit.root_service,
        hit.root_name,
        hit.span_count,
        hit.error_count,
        hit.services,
        hit.matched,
        [_matched_body(span) for span in hit.spans],
        [_set_body(found) for found in hit.span_sets] if hit.span_sets else [],
        hit.span_set_count,
        datasources,
        whole,
    )


def _set_body(found: MatchedSet) -> MatchedSetBody:
    return MatchedSetBody(found.attributes, found.matched, [_matched_body(span) for span in found.spans])


def _matched_body(span: MatchedSpan) -> MatchedSpanBody:
    return MatchedSpanBody(
        span.span_id,
        span.name,
        span.service,
        None if span.status is None else _STATUS[span.status],
        format_time(span.start),
        span.duration,
        span.attributes,
    )


class Tables:
    """Numbers resources and scopes in the order they are first met; spans name them by number."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._resources: dict[int, int] = {}
        self._scopes: dict[int, int] = {}
        self.resources: list[ResourceBody] = []
        self.scopes: list[ScopeBody] = []
        for resource in {id(span.resource): span.resource for span in spans}.values():
            self._resources[id(resource)] = len(self.resources)
            self.resources.append(ResourceBody(resource.attributes))
        for scope in {id(span.scope): span.scope for span in spans}.values():
            self._scopes[id(scope)] = len(self.scopes)
            self.scopes.append(ScopeBody(scope.name, scope.version, scope.attributes))

    def span(self, span: Span, began: int, sources: tuple[int, ...], llm: LlmView | None) -> SpanBody:
        """Returns a span as it is encoded; `began` is the start of its trace."""
        start = span.start
        return SpanBody(
            span.span_id,
            span.parent_span_id or None,
            span.name,
            _KIND[span.kind],
            format_time(start),
            start - began,
            max(0, span.end - start),
            _STATUS[span.status],
            span.status_message,
            self._resources[id(span.resource)],
            self._scopes[id(span.scope)],
            sources,
            span.attributes,
            [_event_body(event, began) for event in span.events] if span.events else _NONE,
            [_link_body(link) for link in span.links] if span.links else _NONE,
            llm,
        )


def _event_body(event: SpanEvent, began: int) -> EventBody:
    return EventBody(event.name, format_time(event.time), event.time - began, event.attributes)


def _link_body(link: SpanLink) -> LinkBody:
    return LinkBody(link.trace_id, link.span_id, link.attributes)
