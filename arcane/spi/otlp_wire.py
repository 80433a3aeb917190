"""OTLP's JSON shapes as msgspec types: what may stand in a file or an HTTP answer, before it means anything.

Producers differ, and all of these are met in the field: 64-bit numbers as strings or numbers,
enums as numbers or names, ids as hex (the OTLP specification, the collector's file exporter)
or base64 (jsonpb, hence Tempo), zero values left out.
"""

from __future__ import annotations

import msgspec

from arcane.model.ids import SpanId

NULL = msgspec.Raw(b"null")


class AnyValue(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, gc=False):
    """At most one member is set; none of them stands for a value that is absent."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: ArrayValue | None = None
    kvlist_value: KeyValueList | None = None
    bytes_value: str | None = None


class ArrayValue(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """Values in order."""

    values: list[AnyValue] = []


class KeyValue(msgspec.Struct, frozen=True, gc=False):
    """An attribute; without a value in some producers."""

    key: str
    value: AnyValue | None = None


class KeyValueList(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """A map as a list of pairs."""

    values: list[KeyValue] = []


class WireEvent(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, gc=False):
    """A span event."""

    time_unix_nano: int | str = 0
    name: str = ""
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0


class WireLink(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, gc=False):
    """A span link."""

    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0
    flags: int = 0


class WireStatus(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """A span's status."""

    code: int | str = 0
    message: str = ""


class WireSpan(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True, gc=False):
    """A span."""

    trace_id: str = ""
    span_id: SpanId = SpanId("")
    trace_state: str = ""
    parent_span_id: str = ""
    flags: int = 0
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[KeyValue] = []
    dropped_attributes_count: int = 0
    events: list[WireEvent] = []
    dropped_events_count: int = 0
    links: list[WireLink] = []
    dropped_links_count: int = 0
    status: WireStatus | None = None


class BareSpan(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """What every span has: a span without what it carries of its own. For a decoder with `strict=False`, which reads
    numbers that are written as text.
    """

    trace_id: str = ""
    span_id: SpanId = SpanId("")
    parent_span_id: str = ""
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    status: WireStatus | None = None


class WireScope(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """An instrumentation scope."""

    name: str = ""
    version: str = ""
    attributes: list[KeyValue] = []


class ScopeSpans(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The spans of one scope: a WireScope or null, still bytes, because most are the same as others."""

    scope: msgspec.Raw = NULL
    spans: list[WireSpan] = []


class BareScopeSpans(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The same of bare spans."""

    scope: msgspec.Raw = NULL
    spans: list[BareSpan] = []


class WireResource(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """A resource."""

    attributes: list[KeyValue] = []


class ResourceSpans(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The spans of one resource: a WireResource or null, still bytes as a scope is."""

    resource: msgspec.Raw = NULL
    scope_spans: list[ScopeSpans] = []


class BareResourceSpans(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The same of bare spans."""

    resource: msgspec.Raw = NULL
    scope_spans: list[BareScopeSpans] = []


class TracesDocument(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """A body with spans: OTLP's `resourceSpans`, or `batches` as Tempo's first API names the same list."""

    resource_spans: list[ResourceSpans] = []
    batches: list[ResourceSpans] = []


class BareDocument(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The same of bare spans."""

    resource_spans: list[BareResourceSpans] = []
