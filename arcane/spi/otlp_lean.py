"""OTLP's trace messages, declared so that parsing them costs little: what repeats stays bytes.

On the wire an embedded message and a bytes field are the same. Where the spans of a trace say the same again and
again (attributes, resources, scopes, status), these declarations leave the bytes, which are looked up in a dict;
the runtime would make an object for each and be asked for its parts one by one. Field numbers are those of
opentelemetry-proto's trace.proto; a test compares them.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "arcane.spi"
_MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "Span": {
        "trace_id": (1, Field.TYPE_BYTES),
        "span_id": (2, Field.TYPE_BYTES),
        "trace_state": (3, Field.TYPE_STRING),
        "parent_span_id": (4, Field.TYPE_BYTES),
        "name": (5, Field.TYPE_STRING),
        "kind": (6, Field.TYPE_INT32),
        "start_time_unix_nano": (7, Field.TYPE_FIXED64),
        "end_time_unix_nano": (8, Field.TYPE_FIXED64),
        "attributes": (9, [Field.TYPE_BYTES]),
        "dropped_attributes_count": (10, Field.TYPE_UINT32),
        "events": (11, [Field.TYPE_BYTES]),
        "dropped_events_count": (12, Field.TYPE_UINT32),
        "links": (13, [Field.TYPE_BYTES]),
        "dropped_links_count": (14, Field.TYPE_UINT32),
        "status": (15, Field.TYPE_BYTES),
        "flags": (16, Field.TYPE_FIXED32),
    },
    "Event": {
        "time_unix_nano": (1, Field.TYPE_FIXED64),
        "name": (2, Field.TYPE_STRING),
        "attributes": (3, [Field.TYPE_BYTES]),
        "dropped_attributes_count": (4, Field.TYPE_UINT32),
    },
    "ScopeSpans": {"scope": (1, Field.TYPE_BYTES), "spans": (2, ["Span"])},
    "ResourceSpans": {"resource": (1, Field.TYPE_BYTES), "scope_spans": (2, ["ScopeSpans"])},
}


def _declared() -> FileDescriptorProto:
    """Returns the declaration; a list stands for a repeated field, a text for a message of this file."""
    file = FileDescriptorProto(name="arcane/spi/otlp_lean.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, (number, shape) in fields.items():
            repeated = isinstance(shape, list)
            kind = shape[0] if isinstance(shape, list) else shape
            field = message.field.add(name=field_name, number=number)
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind
    return file


def _classes() -> dict[str, Any]:
    pool = DescriptorPool()
    pool.Add(_declared())
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES}


_CLASSES = _classes()
LeanSpan = _CLASSES["Span"]
LeanEvent = _CLASSES["Event"]
LeanScopeSpans = _CLASSES["ScopeSpans"]
LeanResourceSpans = _CLASSES["ResourceSpans"]
