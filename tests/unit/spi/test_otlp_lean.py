"""The lean declarations are OTLP's own on the wire, and what is shared between spans cannot be changed."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from arcane.spi import BadResponse, decode_protobuf
from arcane.spi.otlp_lean import LeanEvent, LeanResourceSpans, LeanScopeSpans, LeanSpan

LEAN = [LeanSpan, LeanEvent, LeanScopeSpans, LeanResourceSpans]


def body_with(*attributes: bytes, spans: int = 1) -> bytes:
    """A TracesData whose spans carry `attributes` as these bytes."""
    encoded = b"".join(b"\x4a" + varint(len(raw)) + raw for raw in attributes)
    body = b""
    for number in range(spans):
        span = b"\x0a\x10" + b"\x01" * 16 + b"\x12\x08" + number.to_bytes(7, "big") + b"\x01" + encoded
        scope = b"\x12" + varint(len(span)) + span
        group = b"\x12" + varint(len(scope)) + scope
        body += b"\x0a" + varint(len(group)) + group
    return body


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


@pytest.mark.parametrize("lean", LEAN, ids=lambda lean: lean.DESCRIPTOR.name)
def test_fields_have_the_numbers_and_wire_types_of_otlp(lean: type) -> None:
    name = lean.DESCRIPTOR.name  # type: ignore[attr-defined]
    messages = trace_pb2.DESCRIPTOR.message_types_by_name
    own = messages[name] if name in messages else messages["Span"].nested_types_by_name[name]
    for field in lean.DESCRIPTOR.fields:  # type: ignore[attr-defined]
        theirs = own.fields_by_name[field.name]
        assert field.number == theirs.number
        assert field.is_repeated == theirs.is_repeated
        kinds = {field.type, theirs.type}
        length_delimited = {theirs.TYPE_BYTES, theirs.TYPE_STRING, theirs.TYPE_MESSAGE}
        assert len(kinds) == 1 or kinds <= length_delimited or kinds == {theirs.TYPE_INT32, theirs.TYPE_ENUM}


def test_a_list_is_not_shared_between_spans() -> None:
    raw = KeyValue(
        key="tags", value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a")]))
    ).SerializeToString()
    first, second = decode_protobuf(body_with(raw, spans=2))
    assert first.attributes["tags"] == second.attributes["tags"] == ["a"]
    assert first.attributes["tags"] is not second.attributes["tags"]


def test_resources_of_several_batches_are_one() -> None:
    data = trace_pb2.TracesData()
    for number in range(2):
        group = data.resource_spans.add()
        group.resource.attributes.add(key="service.name", value=AnyValue(string_value="shop"))
        span = group.scope_spans.add().spans.add()
        span.trace_id, span.span_id = b"\x01" * 16, bytes([1] * 7 + [number + 1])
    first, second = decode_protobuf(data.SerializeToString())
    assert first.resource is second.resource
    assert first.scope is second.scope


@pytest.mark.parametrize(
    ("raw", "attributes"),
    [
        (b"\x0a\x01k\x12\x03\x0a\x01v", {"k": "v"}),
        (b"\x0a\x01k\x12\x02\x0a\x00", {"k": ""}),
        (b"\x12\x03\x0a\x01v\x0a\x01k", {"k": "v"}),  # the value first
        (b"\x0a\x01k\x0a\x01l\x12\x03\x0a\x01v", {"l": "v"}),  # the last of two keys counts
        (b"\x0a\x01k\x12\x03\x0a\x01v\x12\x03\x0a\x01w", {"k": "w"}),
        (b"\x0a\x01k\x12\x05\x0a\x01v\x18\x07", {"k": 7}),  # the last of a oneof counts
        (b"\x0a\x01k\x12\x02\x18\x00", {"k": 0}),
        (b"\x0a\x01k\x12\x02\x10\x00", {"k": False}),
        (b"\x0a\x01k\x12\x00", {"k": None}),
        (b"\x0a\x01k", {"k": None}),
        (b"", {"": None}),
        (b"\x0a\x02\xc3\xa4\x12\x04\x0a\x02\xc3\xb6", {"ä": "ö"}),
        (b"\x0a\x01k\x12\x84\x01\x0a\x81\x01" + b"x" * 129, {"k": "x" * 129}),
        (b"\x0a\x01k\x12\x03\x0a\x01v\x48\x01", {"k": "v"}),  # a field of a newer version
    ],
)
def test_an_attribute_is_read_however_it_is_laid_out(raw: bytes, attributes: dict[str, object]) -> None:
    for span in decode_protobuf(body_with(raw, spans=2)):  # the second one comes from memory
        assert span.attributes == attributes


@pytest.mark.parametrize(
    "raw", [b"\x0a\x01k\x12\x03\x0a\x01\xff", b"\x0a\x01\xff\x12\x03\x0a\x01v", b"\x0a\x7fk", b"\x0a"]
)
def test_an_attribute_that_is_none_is_a_bad_response(raw: bytes) -> None:
    with pytest.raises(BadResponse):
        decode_protobuf(body_with(raw))
