"""Spans and what hangs on them, as OTLP defines them (opentelemetry-proto, trace.proto).

`gc=False`: they are frozen and hold values of attributes only, so they are never part of a
cycle, and a collector that does not walk a million of them does not stop the process.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.values import NO_ATTRIBUTES, Attributes


class SpanKind(IntEnum):
    """OTLP's span kinds with OTLP's numbers."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5

    @property
    def word(self) -> str:
        """The TraceQL keyword, such as `server`."""
        return self.name.lower()


class StatusCode(IntEnum):
    """OTLP's status codes with OTLP's numbers."""

    UNSET = 0
    OK = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The TraceQL keyword, such as `error`."""
        return self.name.lower()


class Resource(msgspec.Struct, frozen=True, gc=False):
    """The entity that produced spans; shared by all its spans, compared by identity where speed matters."""

    attributes: Attributes = msgspec.field(default_factory=dict)

    @property
    def service_name(self) -> str:
        """`service.name`, or the empty string."""
        value = self.attributes.get("service.name")
        return value if isinstance(value, str) else ""


class InstrumentationScope(msgspec.Struct, frozen=True, gc=False):
    """The library that recorded spans."""

    name: str = ""
    version: str = ""
    attributes: Attributes = msgspec.field(default_factory=dict)


class SpanEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that happened at `time` (nanoseconds since the epoch) during a span."""

    name: str
    time: int
    attributes: Attributes = msgspec.field(default_factory=dict)
    dropped_attributes: int = 0


class SpanLink(msgspec.Struct, frozen=True, gc=False):
    """A pointer from a span to a span of this or another trace."""

    trace_id: TraceId
    span_id: SpanId
    trace_state: str = ""
    attributes: Attributes = msgspec.field(default_factory=dict)
    dropped_attributes: int = 0


NO_RESOURCE = Resource()
NO_SCOPE = InstrumentationScope()


class Span(msgspec.Struct, frozen=True, gc=False):
    """One operation. `start` and `end` are nanoseconds since the epoch; `parent_span_id` is "" at a root."""

    trace_id: TraceId
    span_id: SpanId
    parent_span_id: str
    name: str
    kind: SpanKind
    start: int
    end: int
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""
    attributes: Attributes = NO_ATTRIBUTES
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    resource: Resource = NO_RESOURCE
    scope: InstrumentationScope = NO_SCOPE
    trace_state: str = ""
    flags: int = 0
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0

    @property
    def duration(self) -> int:
        """Nanoseconds from start to end, never below zero."""
        return max(0, self.end - self.start)

    @property
    def service_name(self) -> str:
        """The resource's `service.name`, or the empty string."""
        return self.resource.service_name
