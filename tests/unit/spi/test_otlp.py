"""OTLP in and out."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.model.span import NO_RESOURCE, NO_SCOPE, Span, SpanKind, StatusCode
from arcane.spi import BadResponse, decode_json, decode_protobuf, encode_json, traces_of
from arcane.spi.otlp import spans_of
from arcane.spi.otlp_wire import BareDocument
from arcane.spi.protobuf import protobuf_fields
from arcane.spi.testing import bare, corpus
from tests.support.tempo_shapes import traces_data
from tests.unit.spi.strategies import SPANS

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def document(**span: Any) -> bytes:
    full = {"traceId": TRACE_ID, "spanId": SPAN_ID, **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [full]}]}]}).encode()


def one(body: bytes) -> Span:
    (span,) = decode_json(body)
    return span


def by_id(spans: list[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.trace_id, span.span_id))


def test_a_span_has_defaults_for_everything_that_is_left_out() -> None:
    span = one(document())
    assert (span.trace_id, span.span_id, span.parent_span_id) == (TRACE_ID, SPAN_ID, "")
    assert (span.kind, span.status, span.start, span.end) == (SpanKind.UNSPECIFIED, StatusCode.UNSET, 0, 0)
    assert (span.resource, span.scope, span.attributes, span.events, span.links) == (NO_RESOURCE, NO_SCOPE, {}, (), ())


@pytest.mark.parametrize(("kind", "wanted"), [(2, SpanKind.SERVER), ("SPAN_KIND_CLIENT", SpanKind.CLIENT), (77, 0)])
def test_enums_are_numbers_or_names_and_unknown_ones_are_unset(kind: int | str, wanted: int) -> None:
    assert one(document(kind=kind)).kind == wanted


@pytest.mark.parametrize("code", [2, "STATUS_CODE_ERROR"])
def test_a_status_is_a_number_or_a_name(code: int | str) -> None:
    span = one(document(status={"code": code, "message": "no"}))
    assert (span.status, span.status_message) == (StatusCode.ERROR, "no")


@pytest.mark.parametrize("nanos", [1_795_227_918_440_621_611, "1795227918440621611"])
def test_times_are_numbers_or_text(nanos: int | str) -> None:
    assert one(document(startTimeUnixNano=nanos)).start == 1_795_227_918_440_621_611


def test_ids_are_hex_in_any_case_or_base64() -> None:
    spelled = b64encode(bytes.fromhex(TRACE_ID)).decode(), b64encode(bytes.fromhex(SPAN_ID)).decode()
    assert one(document(traceId=spelled[0], spanId=spelled[1])) == one(document())
    assert one(document(traceId=TRACE_ID.upper(), spanId=SPAN_ID.upper())) == one(document())


def test_ids_without_their_leading_zeros_get_them_back() -> None:
    assert one(document(traceId="ab", spanId="c")).trace_id == "ab".rjust(32, "0")


@pytest.mark.parametrize("parent", ["", "0000000000000000", "AAAAAAAAAAA="])
def test_a_parent_of_zeros_is_no_parent(parent: str) -> None:
    assert one(document(parentSpanId=parent)).parent_span_id == ""


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"stringValue": ""}, ""),
        ({"intValue": "-5"}, -5),
        ({"intValue": 5}, 5),
        ({"doubleValue": 5}, 5.0),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"boolValue": False}, False),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}, {}]}}, [1, "a", None]),
        ({"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}, {"k": True}),
        ({"bytesValue": "AAE="}, b"\0\1"),
        ({}, None),
    ],
)
def test_values_keep_their_type(value: dict[str, Any], wanted: object) -> None:
    found = one(document(attributes=[{"key": "a", "value": value}])).attributes["a"]
    assert found == wanted
    assert type(found) is type(wanted)


def test_tempos_first_api_calls_the_same_list_batches() -> None:
    assert decode_json(document().replace(b"resourceSpans", b"batches")) == decode_json(document())


def test_metrics_and_logs_have_no_spans() -> None:
    assert decode_json(b'{"resourceMetrics":[{"scopeMetrics":[]}]}') == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        document(traceId="xyz"),
        document(traceId="0" * 32),
        document(spanId=""),
        document(spanId="ab" * 9),
        document(parentSpanId="AAAA="),
        document(startTimeUnixNano="soon"),
        document(startTimeUnixNano=-1),
        document(endTimeUnixNano=str(2**64)),
        document(attributes=[{"key": "a", "value": {"intValue": str(2**63)}}]),
        document(attributes=[{"key": "a", "value": {"intValue": "9" * 5_000}}]),
        document(attributes=[{"key": "a", "value": {"doubleValue": "much"}}]),
        document(attributes=[{"key": "a", "value": {"bytesValue": "%"}}]),
        document(attributes=[{"key": 5}]),
        b'{"resourceSpans":' + b'[{"a":' * 100_000,
    ],
)
def test_what_is_not_otlp_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(BadResponse):
        decode_json(body)


def test_deep_nesting_is_a_bad_response_and_not_a_crash() -> None:
    depth = 100_000
    nested = b'{"arrayValue":{"values":[' * depth + b"{}" + b"]}}" * depth
    body = document(attributes=[{"key": "a", "value": "HERE"}]).replace(b'"HERE"', nested)
    with pytest.raises(BadResponse):
        decode_json(body)


@given(st.lists(SPANS, max_size=5))
def test_what_is_encoded_as_json_decodes_to_the_same(spans: list[Span]) -> None:
    assert by_id(decode_json(b"".join(encode_json(spans)))) == by_id(spans)


def test_infinities_and_nan_survive_json() -> None:
    span = one(
        document(
            attributes=[{"key": str(value), "value": {"doubleValue": str(value)}} for value in ("NaN", "Infinity")]
        )
    )
    again = one(b"".join(encode_json([span])))
    assert math.isnan(again.attributes["NaN"])  # type: ignore[arg-type]
    assert again.attributes["Infinity"] == math.inf


def test_encoding_comes_in_pieces_of_about_the_size_asked_for() -> None:
    spans = [span for trace in corpus() for span in trace.spans]
    pieces = list(encode_json(spans, chunk_bytes=10_000))
    assert len(pieces) > 10
    assert max(map(len, pieces)) < 20_000
    assert by_id(decode_json(b"".join(pieces))) == by_id(spans)


def test_spans_of_one_resource_and_scope_are_written_together() -> None:
    trace = corpus()[19]
    written = json.loads(b"".join(encode_json(trace.spans)))
    assert len(written["resourceSpans"]) == 3
    assert sum(len(group["scopeSpans"]) for group in written["resourceSpans"]) == 3


def test_no_span_at_all_is_a_document_too() -> None:
    assert json.loads(b"".join(encode_json([]))) == {"resourceSpans": []}


@given(st.lists(SPANS, max_size=5))
def test_protobuf_decodes_to_the_same(spans: list[Span]) -> None:
    assert by_id(decode_protobuf(traces_data(spans))) == by_id(spans)


def test_a_large_message_is_walked_and_decodes_to_the_same() -> None:
    spans = [span for trace in corpus(count=800) for span in trace.spans]
    body = traces_data(spans)
    assert len(body) > 1024 * 1024  # every level of it is over what is parsed in one piece
    assert by_id(decode_protobuf(body)) == by_id(spans)


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_decode_or_be_refused(body: bytes) -> None:
    for decode in (decode_protobuf, decode_json):
        with suppress(BadResponse):
            decode(body)


@given(st.data())
def test_a_message_that_is_cut_is_refused_or_shorter(data: st.DataObject) -> None:
    spans = list(corpus(count=2)[0].spans)
    body = traces_data(spans)
    cut = data.draw(st.integers(1, len(body) - 1))
    try:
        found = decode_protobuf(body[:cut])
    except BadResponse:
        return
    assert len(found) < len(spans)


@pytest.mark.parametrize("body", [b"\x0a", b"\x0a\x05ab", b"\x0b", b"\x08" + b"\xff" * 11, b"\x0d\x01"])
def test_fields_that_are_cut_or_unknown_are_refused(body: bytes) -> None:
    with pytest.raises(BadResponse):
        list(protobuf_fields(memoryview(body)))


def test_fields_of_every_kind_are_walked() -> None:
    body = b"\x08\x96\x01" + b"\x11" + b"12345678" + b"\x1a\x02ab" + b"\x25" + b"1234"
    found = [
        (number, value if isinstance(value, int) else bytes(value))
        for number, value in protobuf_fields(memoryview(body))
    ]
    assert found == [(1, 150), (2, b"12345678"), (3, b"ab"), (4, b"1234")]


@pytest.mark.parametrize("body", [b"\x08\x01", b"\x0a\x02\x12\x00" * 2 + b"\x0a\x02\x08\x01"])
def test_a_field_of_another_type_is_refused_or_has_no_spans(body: bytes) -> None:
    with suppress(BadResponse):
        assert decode_protobuf(body) == []


def test_resources_of_one_group_are_one_object() -> None:
    spans = decode_protobuf(traces_data(corpus()[19].spans))
    assert len({id(span.resource) for span in spans}) == 3


def test_traces_keep_the_order_in_which_they_were_met() -> None:
    traces = corpus(count=3)
    spans = [span for trace in reversed(traces) for span in trace.spans]
    assert [trace.trace_id for trace in traces_of(spans)] == [trace.trace_id for trace in reversed(traces)]


def spelt(span_id: str, **others: str) -> dict[str, str]:
    return {"traceId": TRACE_ID, "spanId": span_id, **others}


def test_one_id_that_is_spelt_otherwise_is_read_among_others_that_are_not() -> None:
    spans = [spelt(SPAN_ID), spelt("ABCDEF0000000001", parentSpanId=SPAN_ID), spelt("00f067aa0ba902b7")]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    assert [span.span_id for span in decode_json(body)] == [SPAN_ID, "abcdef0000000001", "00f067aa0ba902b7"]
    assert [span.parent_span_id for span in decode_json(body)] == ["", SPAN_ID, ""]


@pytest.mark.parametrize("bad", ["", "0" * 16, "0af7", "ü" * 16, "0af7 51916cd43d", "0af7651916cd43dd0af7651916cd43dd"])
def test_a_bad_id_among_good_ones_is_found(bad: str) -> None:
    spans = [spelt(SPAN_ID), spelt(bad), spelt("00f067aa0ba902b7")]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    if bad == "0af7":
        assert decode_json(body)[1].span_id == "0000000000000af7"
        return
    with pytest.raises(BadResponse):
        decode_json(body)


def test_resources_and_scopes_that_are_written_alike_are_one() -> None:
    group = {
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"scope": {"name": "http"}, "spans": [spelt(SPAN_ID)]}],
    }
    first, second = decode_json(json.dumps({"resourceSpans": [group, group]}).encode())
    assert first.resource is second.resource
    assert first.scope is second.scope
    assert (first.service_name, first.scope.name) == ("shop", "http")


@pytest.mark.parametrize("part", [{"resource": "shop"}, {"scopeSpans": [{"scope": [], "spans": []}]}])
def test_a_resource_or_a_scope_that_is_none_is_a_bad_response(part: dict[str, Any]) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": []}], **part}]}).encode()
    with pytest.raises(BadResponse):
        decode_json(body)


@given(st.lists(SPANS, max_size=4))
def test_bare_spans_lack_only_what_spans_carry(spans: list[Span]) -> None:
    body = b"".join(encode_json(spans))
    document = msgspec.json.decode(body, type=BareDocument, strict=False)
    assert spans_of(document.resource_spans) == [bare(span) for span in decode_json(body)]
