"""Answers of both APIs: what becomes a field, what stays an attribute, what is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcane.model.span import InstrumentationScope, Span, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.spi import BadResponse, encode_json, parse_trace_id
from arcane.spi.testing import corpus
from datasources.jaeger import decode
from datasources.jaeger.decode_v1 import traces_of_v1
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_shapes import trace_json

_ID = "00000000000000a1"
_FULL = parse_trace_id(_ID)


def tag(key: str, value: object, kind: str = "string") -> dict[str, object]:
    return {"key": key, "type": kind, "value": value}


def answer(*spans: dict[str, Any], warnings: list[str] | None = None) -> bytes:
    processes = {"p1": {"serviceName": "shop", "tags": [tag("region", "eu")]}, "p2": {"serviceName": ""}}
    whole = [{"traceID": _ID, "processID": "p1", "startTime": 5, "duration": 2, **span} for span in spans]
    return json.dumps(
        {"data": [{"traceID": _ID, "spans": whole, "processes": processes, "warnings": warnings}]}
    ).encode()


def only_span(**members: object) -> Span:
    (trace,) = traces_of_v1(answer({"spanID": "b1", **members}))
    (span,) = trace.spans
    return span


def test_what_the_first_api_writes_is_read() -> None:
    traces = as_v1(corpus())
    body = json.dumps({"data": [trace_json(trace) for trace in traces], "errors": None}).encode()
    found = traces_of_v1(body)
    assert [trace.spans for trace in found] == [trace.spans for trace in traces]


def test_ids_times_and_resources() -> None:
    span = only_span(operationName="GET /")
    assert (span.trace_id, span.span_id) == (_FULL, "00000000000000b1")
    assert (span.start, span.end) == (5_000, 7_000)
    assert span.resource.attributes == {"region": "eu", "service.name": "shop"}
    assert only_span(processID="p2").resource.attributes == {}
    assert only_span(processID="none").resource.attributes == {}


def test_tags_have_their_types() -> None:
    span = only_span(
        tags=[
            tag("s", "x"),
            tag("i", 3, "int64"),
            tag("large", "9007199254740993", "int64"),
            tag("f", 3, "float64"),
            tag("b", True, "bool"),
            tag("old", "true", "bool"),
            tag("bytes", "aGk=", "binary"),
            tag("no bytes", "!", "binary"),
        ]
    )
    wanted = {
        "s": "x",
        "i": 3,
        "large": 9007199254740993,
        "f": 3.0,
        "b": True,
        "old": True,
        "bytes": b"hi",
        "no bytes": "!",
    }
    assert span.attributes == wanted
    assert isinstance(span.attributes["f"], float)


@pytest.mark.parametrize(
    ("tags", "status", "message", "left"),
    [
        ([tag("error", True, "bool")], StatusCode.ERROR, "", {}),
        ([tag("error", "true")], StatusCode.ERROR, "", {}),
        ([tag("error", False, "bool")], StatusCode.UNSET, "", {"error": False}),
        ([tag("error", "no such file")], StatusCode.UNSET, "", {"error": "no such file"}),
        ([tag("otel.status_code", "ERROR")], StatusCode.ERROR, "", {}),
        ([tag("otel.status_code", "OK"), tag("otel.status_description", "fine")], StatusCode.OK, "fine", {}),
        ([tag("otel.status_code", "odd")], StatusCode.UNSET, "", {}),
        ([tag("http.status_code", 500, "int64")], StatusCode.UNSET, "", {"http.status_code": 500}),
    ],
)
def test_a_status_is_what_tags_say_of_it(
    tags: list[dict[str, object]], status: StatusCode, message: str, left: dict[str, object]
) -> None:
    span = only_span(tags=tags)
    assert (span.status, span.status_message, span.attributes) == (status, message, left)


def test_kind_scope_and_trace_state_are_no_attributes() -> None:
    span = only_span(
        tags=[
            tag("span.kind", "client"),
            tag("otel.scope.name", "http"),
            tag("otel.scope.version", "2"),
            tag("w3c.tracestate", "a=b"),
            tag("internal.span.format", "otlp"),
        ]
    )
    assert span.kind is SpanKind.CLIENT
    assert span.scope == InstrumentationScope("http", "2")
    assert span.trace_state == "a=b"
    assert span.attributes == {}
    assert only_span(tags=[tag("otel.library.name", "old")]).scope.name == "old"
    odd = only_span(tags=[tag("span.kind", "elephant")])
    assert (odd.kind, odd.attributes) == (SpanKind.UNSPECIFIED, {"span.kind": "elephant"})


def test_logs_are_events() -> None:
    span = only_span(logs=[{"timestamp": 6, "fields": [tag("event", "retry"), tag("n", 1, "int64")]}, {"fields": None}])
    assert [(one.name, one.time, one.attributes) for one in span.events] == [("retry", 6_000, {"n": 1}), ("", 0, {})]


def reference(span_id: str, kind: str = "CHILD_OF", trace_id: str = _ID) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


@pytest.mark.parametrize(
    ("references", "parent", "links"),
    [
        ([], "", []),
        ([reference("c1")], "c1", []),
        ([reference("d1", "FOLLOWS_FROM"), reference("c1")], "c1", [(_ID, "d1")]),
        ([reference("d1", "FOLLOWS_FROM")], "d1", []),
        ([reference("d1", "FOLLOWS_FROM", "ff")], "", [("ff", "d1")]),
        ([reference("c1", trace_id="ff")], "", [("ff", "c1")]),
        ([reference("0000000000000000")], "", []),
    ],
)
def test_references_are_the_parent_and_links(
    references: list[dict[str, str]], parent: str, links: list[tuple[str, str]]
) -> None:
    span = only_span(references=references)
    assert span.parent_span_id == (parent and parent.rjust(16, "0"))
    assert span.links == tuple(SpanLink(parse_trace_id(one), other.rjust(16, "0")) for one, other in links)  # type: ignore[arg-type]


def test_a_parent_in_the_old_spelling_is_read() -> None:
    assert only_span(parentSpanID="c1").parent_span_id == "00000000000000c1"
    assert only_span(parentSpanID="0000000000000000").parent_span_id == ""


def test_empty_answers_are_empty() -> None:
    assert traces_of_v1(b'{"data":null}') == []
    assert traces_of_v1(b'{"data":[{"spans":null}]}') == []
    assert decode.traces_of_v3(b'{"result":{}}') == []
    assert decode.names_of_v1(b'{"data":null}') == []
    assert decode.services_of_v3(b'{"services":null}') == []
    assert decode.operations_of_v3(b"{}") == []


def test_a_trace_that_was_cut_says_so_and_other_warnings_stay_jaegers() -> None:
    clock = "clock skew adjustment disabled"
    (fine,) = traces_of_v1(answer({"spanID": "b1", "warnings": [clock]}, warnings=[clock]))
    assert fine.warnings == ()
    (cut,) = traces_of_v1(answer({"spanID": "b1"}, warnings=["trace has been truncated"]))
    assert cut.warnings == ("Jaeger returned only a part of this trace.",)


def document(span: Span) -> bytes:
    return b'{"result":' + b"".join(encode_json([span])) + b"}"


def test_notes_that_jaeger_leaves_on_spans_are_no_attributes() -> None:
    def read(*notes: str) -> Trace:
        attributes = {"a": 1, "@jaeger@warnings": list(notes)}
        span = Span(_FULL, corpus()[0].spans[0].span_id, "", "x", SpanKind.SERVER, 1, 2, attributes=attributes)  # type: ignore[arg-type]
        (trace,) = decode.traces_of_v3(document(span))
        return trace

    assert read("parent is not in the trace").warnings == ()
    assert read("parent is not in the trace").spans[0].attributes == {"a": 1}
    assert read("max trace size exceeded").warnings == ("Jaeger returned only a part of this trace.",)


def test_several_documents_are_one_answer() -> None:
    first, second = corpus(count=2)
    body = b"\n".join(b'{"result":' + b"".join(encode_json(one.spans)) + b"}" for one in (first, second, first))
    assert {trace.trace_id for trace in decode.traces_of_v3(body)} == {first.trace_id, second.trace_id}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"result":3}', b'{"result":{}}\n{'])
def test_what_is_not_the_third_api_s_is_refused(body: bytes) -> None:
    with pytest.raises(BadResponse):
        decode.traces_of_v3(body)


@pytest.mark.parametrize(
    "spans",
    [
        [{"spanID": "zz"}],
        [{"spanID": "b1", "tags": [tag("i", "many", "int64")]}],
        [{"spanID": "b1", "references": [reference("zz")]}],
        [{"spanID": "b1", "startTime": "soon"}],
    ],
)
def test_what_is_not_the_first_api_s_is_refused(spans: list[dict[str, Any]]) -> None:
    with pytest.raises(BadResponse):
        traces_of_v1(answer(*spans))


def test_a_version_is_read_off_jaegers_page() -> None:
    page = b'<script>const JAEGER_VERSION = {"gitCommit":"c0","gitVersion":"v1.62.0","buildDate":""};</script>'
    assert decode.version_of(page) == "1.62.0"
    assert decode.version_of(b"JAEGER_VERSION = DEFAULT_VERSION;") is None
