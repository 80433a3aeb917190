"""The JSON of the first contract: summaries in the shape of Tempo's search, traces as OTLP JSON in `batches`."""

from __future__ import annotations

import msgspec

from arcane.spi.otlp_wire import KeyValue

Number = int | str


class Span(msgspec.Struct, rename="camel", frozen=True):
    """A span that matched."""

    span_id: str = msgspec.field(name="spanID")
    start_time_unix_nano: Number = 0
    duration_nanos: Number = 0
    service_name: str | None = None
    name: str | None = None
    attributes: list[KeyValue] = []


class SpanSet(msgspec.Struct, frozen=True):
    """Spans that matched, and how many there are."""

    spans: list[Span] = []
    matched: int = 0


class Summary(msgspec.Struct, rename="camel", frozen=True):
    """A trace that was found."""

    trace_id: str = msgspec.field(name="traceID")
    start_time_unix_nano: Number
    duration_ms: float = 0
    root_service_name: str | None = None
    root_trace_name: str | None = None
    span_set: SpanSet | None = None


class Search(msgspec.Struct, frozen=True):
    """Answer of a search."""

    traces: list[Summary]


class Names(msgspec.Struct, rename="camel", frozen=True):
    """Answer with attribute names."""

    attribute_names: list[str]


class Values(msgspec.Struct, frozen=True):
    """Answer with values of an attribute."""

    values: list[str | int | float | bool]
