"""The JSON shapes of Jaeger's APIs. What is empty may be missing or null."""

from __future__ import annotations

import msgspec

from arcane.spi.otlp_wire import BareDocument, TracesDocument


class Failure(msgspec.Struct, gc=False):
    """What either API says where it does not answer: the third one's `error`, the first one's `errors`."""

    error: msgspec.Raw = msgspec.Raw()
    errors: msgspec.Raw = msgspec.Raw()


class TracesV3(msgspec.Struct, gc=False):
    """A part of an answer with traces: an OTLP document."""

    result: TracesDocument | None = None


class BareTracesV3(msgspec.Struct, gc=False):
    """The same without what spans carry of their own."""

    result: BareDocument | None = None


class ServicesV3(msgspec.Struct, gc=False):
    """Answer of /api/v3/services."""

    services: list[str] | None = None


class Operation(msgspec.Struct, gc=False):
    """A name that spans of a service have."""

    name: str = ""


class OperationsV3(msgspec.Struct, gc=False):
    """Answer of /api/v3/operations."""

    operations: list[Operation] | None = None


class NamesV1(msgspec.Struct, gc=False):
    """Answer of /api/services and of /api/services/{service}/operations."""

    data: list[str] | None = None


class KeyValue(msgspec.Struct, gc=False):
    """A tag. A whole number that JavaScript cannot hold comes as text."""

    key: str
    type: str = ""
    value: str | int | float | bool | None = None


class Reference(msgspec.Struct, gc=False):
    """The parent, or a link."""

    trace_id: str = msgspec.field(name="traceID")
    span_id: str = msgspec.field(name="spanID")
    ref_type: str = msgspec.field(name="refType", default="CHILD_OF")


class Log(msgspec.Struct, gc=False):
    """An event; microseconds."""

    timestamp: int = 0
    fields: list[KeyValue] | None = None


class SpanV1(msgspec.Struct, gc=False):
    """A span; microseconds."""

    trace_id: str = msgspec.field(name="traceID")
    span_id: str = msgspec.field(name="spanID")
    operation_name: str = msgspec.field(name="operationName", default="")
    parent_span_id: str = msgspec.field(name="parentSpanID", default="")
    references: list[Reference] | None = None
    start_time: int = msgspec.field(name="startTime", default=0)
    duration: int = 0
    tags: list[KeyValue] | None = None
    logs: list[Log] | None = None
    process_id: str = msgspec.field(name="processID", default="")
    flags: int = 0
    warnings: list[str] | None = None


class Process(msgspec.Struct, gc=False):
    """What OTLP calls a resource."""

    service_name: str = msgspec.field(name="serviceName", default="")
    tags: list[KeyValue] | None = None


class TraceV1(msgspec.Struct, gc=False):
    """A trace, or a part of one."""

    spans: list[SpanV1] | None = None
    processes: dict[str, Process] | None = None
    warnings: list[str] | None = None


class TracesV1(msgspec.Struct, gc=False):
    """Answer of /api/traces and of /api/traces/{id}."""

    data: list[TraceV1] | None = None
