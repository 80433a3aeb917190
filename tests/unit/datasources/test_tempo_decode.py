"""Tempo's answers, and its silences."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcane.model.ids import TraceId
from arcane.model.span import StatusCode
from arcane.spi import (
    BackendFailed,
    BadResponse,
    DatasourceError,
    Field,
    HttpResponse,
    Misconfigured,
    RateLimited,
    Rejected,
    Scope,
    TimedOut,
    TooLarge,
    TraceHit,
    Unauthorized,
)
from arcane.spi.testing import corpus
from datasources.tempo.answers import checked, error_of
from datasources.tempo.decode import (
    decode_names,
    decode_search,
    decode_trace_v2,
    decode_values,
    decode_values_v1,
    decode_version,
)
from tests.support.tempo_shapes import trace_response, traces_data


def hit_of(**trace: Any) -> TraceHit:
    body = json.dumps({"traces": [{"traceID": "abc", **trace}]}).encode()
    (candidate,) = decode_search(body, frozenset({"status", "service.name"})).candidates
    assert candidate.hit is not None
    assert (candidate.trace_id, candidate.start) == (candidate.hit.trace_id, candidate.hit.start)
    return candidate.hit


def test_what_tempo_leaves_out_is_zero_or_unknown() -> None:
    hit = hit_of()
    assert hit.trace_id == "abc".rjust(32, "0")
    assert (hit.start, hit.duration, hit.matched, hit.spans) == (0, 0, 0, ())
    assert (hit.root_service, hit.root_name, hit.span_count, hit.error_count) == (None, None, None, None)


@pytest.mark.parametrize("member", ["rootServiceName", "rootTraceName"])
def test_a_missing_root_is_none_wherever_it_is_told(member: str) -> None:
    hit = hit_of(**{member: "<root span not yet received>"})
    assert (hit.root_service, hit.root_name) == (None, None)


def test_a_root_without_a_service_is_a_root() -> None:
    assert hit_of(rootTraceName="GET /").root_name == "GET /"


def test_spans_of_all_sets_are_told_once_and_by_start() -> None:
    first = {"spanID": "b", "startTimeUnixNano": "2", "durationNanos": "5", "name": "n"}
    status = {"key": "status", "value": {"stringValue": "error"}}
    service = {"key": "service.name", "value": {"stringValue": "shop"}}
    second = {
        "spanID": "a",
        "startTimeUnixNano": "1",
        "attributes": [status, service, {"key": "i", "value": {"intValue": "5"}}],
    }
    sets = [{"spans": [first], "matched": 3}, {"spans": [second, first], "matched": 2}]
    hit = hit_of(spanSets=sets, spanSet=sets[0])
    assert hit.matched == 5
    assert [(span.span_id[-1], span.start, span.duration, span.name) for span in hit.spans] == [
        ("a", 1, 0, None),
        ("b", 2, 5, "n"),
    ]
    assert (hit.spans[0].service, hit.spans[0].status) == ("shop", StatusCode.ERROR)
    assert hit.spans[0].attributes == {"i": 5}


def test_older_versions_have_one_set() -> None:
    assert hit_of(spanSet={"spans": [{"spanID": "a"}], "matched": 1}).matched == 1


def test_services_add_up() -> None:
    hit = hit_of(serviceStats={"a": {"spanCount": 3, "errorCount": 1}, "b": {"spanCount": 2}})
    assert (hit.span_count, hit.error_count) == (5, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"traces":[{}]}',
        b'{"traces":[{"traceID":"xyz"}]}',
        b'{"traces":[{"traceID":"1","startTimeUnixNano":"soon"}]}',
        b'{"traces":[{"traceID":"1","spanSet":{"spans":[{"spanID":"nope"}]}}]}',
        b'{"traces":[{"traceID":"1"',
    ],
)
def test_what_is_not_tempos_answer_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(BadResponse):
        decode_search(body, frozenset())


@pytest.mark.parametrize(
    ("metrics", "finished"), [({}, True), ({"completedJobs": 4, "totalJobs": 4}, True), ({"totalJobs": 4}, False)]
)
def test_jobs_that_were_not_done_are_told(metrics: dict[str, int], finished: bool) -> None:
    assert decode_search(json.dumps({"traces": [], "metrics": metrics}).encode(), frozenset()).finished is finished


def test_a_trace_that_is_not_there_is_none() -> None:
    assert decode_trace_v2(b"\x0a\x00\x12\x00", TraceId("1" * 32)) is None
    assert decode_trace_v2(b"", TraceId("1" * 32)) is None


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (b"Trace exceeds max size of 5000000 bytes: secret", "over the tenant's"),
        (b"anything else: secret", "only a part"),
    ],
)
def test_a_partial_trace_says_so_in_our_words(message: bytes, wanted: str) -> None:
    trace = corpus()[0]
    found = decode_trace_v2(trace_response(trace.spans, partial=message), trace.trace_id)
    assert found is not None
    assert len(found.warnings) == 1
    assert wanted in found.warnings[0]
    assert "secret" not in found.warnings[0]


def test_a_trace_in_two_pieces_is_one() -> None:
    trace = corpus()[19]
    pieces = [traces_data(trace.spans[:100]), traces_data(trace.spans[100:])]
    body = b"".join(b"\x0a" + _varint(len(piece)) + piece for piece in pieces)
    found = decode_trace_v2(body, trace.trace_id)
    assert found is not None
    assert found.spans == trace.spans


def _varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14])


def test_spans_of_another_trace_are_not_part_of_it() -> None:
    one, other = corpus()[:2]
    found = decode_trace_v2(trace_response([*one.spans, *other.spans]), one.trace_id)
    assert found is not None
    assert found.spans == one.spans


def test_names_leave_out_intrinsics_and_scopes_we_do_not_know() -> None:
    scopes = [
        {"name": "span", "tags": ["b", "a"]},
        {"name": "intrinsic", "tags": ["name"]},
        {"name": "new", "tags": ["x"]},
    ]
    found = decode_names(json.dumps({"scopes": scopes}).encode(), "")
    assert [name.field for name in found] == [Field(Scope.SPAN, "a"), Field(Scope.SPAN, "b")]


def test_values_have_their_types() -> None:
    values = [("int", "5"), ("float", "5.0"), ("bool", "true"), ("string", "x"), ("string", "")]
    body = json.dumps({"tagValues": [{"type": kind, "value": value} for kind, value in values]}).encode()
    found = decode_values(body, Field(Scope.SPAN, "a"), "")
    assert [(value.type, value.value) for value in found] == [
        ("int", 5),
        ("float", 5.0),
        ("bool", True),
        ("string", "x"),
    ]


def test_values_of_the_first_api_are_text() -> None:
    found = decode_values_v1(b'{"tagValues":["ab","b",""]}', "a")
    assert [(value.type, value.value) for value in found] == [("string", "ab")]


def test_a_value_that_is_not_of_its_type_is_a_bad_response() -> None:
    with pytest.raises(BadResponse):
        decode_values(b'{"tagValues":[{"type":"int","value":"x"}]}', Field(Scope.SPAN, "a"), "")


def test_a_build_may_not_say_its_version() -> None:
    assert decode_version(b'{"version":""}') is None
    assert decode_version(b'{"version":"3.0.3"}') == "3.0.3"


@pytest.mark.parametrize(
    ("status", "body", "wanted", "says"),
    [
        (400, b"invalid TraceQL query: parse error", Rejected, "too old"),
        (400, b"range specified by start and end exceeds 168h0m0s.", Rejected, "longest window"),
        (400, b"secret", Rejected, "refused the request"),
        (401, b"no org id", Unauthorized, "tenant"),
        (401, b"secret", Unauthorized, "credentials"),
        (403, b"", Unauthorized, "credentials"),
        (404, b"404 page not found", Misconfigured, "path before /api"),
        (405, b"", Misconfigured, "path before /api"),
        (408, b"", TimedOut, "in time"),
        (413, b"", TooLarge, "limit"),
        (418, b"secret", BadResponse, "418"),
        (422, b"", TooLarge, "limit"),
        (429, b"", RateLimited, "slow down"),
        (499, b"", TimedOut, "in time"),
        (500, b"secret", BackendFailed, "500"),
        (503, b"", BackendFailed, "503"),
        (504, b"", TimedOut, "in time"),
    ],
)
def test_every_status_has_its_error_and_no_text_of_the_backend(
    status: int, body: bytes, wanted: type[DatasourceError], says: str
) -> None:
    error = error_of(HttpResponse(status, {}, body))
    assert type(error) is wanted
    assert says in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("7", 7.0), ("999999", 3_600.0), ("Sat, 21 Nov 2020 12:00:09 GMT", 0.0), ("soon", None), ("", None), ("-1", None)],
)
def test_how_long_to_wait_is_passed_on_within_reason(header: str, wanted: float | None) -> None:
    assert error_of(HttpResponse(429, {"retry-after": header}, b"")).retry_after_s == wanted


def test_an_answer_is_its_body() -> None:
    assert checked(HttpResponse(200, {}, b"x")) == b"x"
    with pytest.raises(RateLimited):
        checked(HttpResponse(429, {}, b""))
