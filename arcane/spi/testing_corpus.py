"""The traces and the questions that `arcane.spi.testing` puts to every adapter."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue

BASE = 1_795_225_800 * NANOS_PER_SECOND
"""When the first trace begins, unless a test says otherwise."""
STEP_NS = 7_300 * NANOS_PER_MILLISECOND
"""From the beginning of one trace to the next: not whole seconds."""
COUNT = 60

QUERIES: tuple[str, ...] = (
    "{ }",
    '{ resource.service.name = "shop" }',
    '{ resource.service.name != "shop" }',
    '{ resource.service.name =~ "sh.*|db" }',
    '{ name = "checkout" }',
    '{ name =~ "GET .*" }',
    '{ name !~ "GET .*" && kind = client }',
    "{ status = error }",
    "{ status != error && kind = server }",
    "{ kind = client || status = error }",
    "{ duration > 100ms }",
    "{ duration <= 5ms }",
    "{ duration > 0.05s && duration < 0.2s }",
    "{ traceDuration > 400ms }",
    '{ rootName = "GET /cart" }',
    '{ rootServiceName = "shop" }',
    '{ rootServiceName != "shop" }',
    '{ statusMessage = "card declined" }',
    '{ span.user.id = "u3" }',
    '{ .user.id = "u3" }',
    '{ .region = "eu" }',
    '{ .shared = "own" }',
    '{ .shared = "given" }',
    "{ span.items = 3 }",
    "{ span.items = 3.0 }",
    "{ span.items > 2.5 }",
    "{ span.items != 3 }",
    "{ span.ratio = 2 }",
    "{ span.ratio >= 0.5 && span.ratio < 2 }",
    "{ span.ratio > 1 || span.items > 6 }",
    "{ resource.cores >= 8 }",
    "{ span.large = 9007199254740993 }",
    "{ span.cached = true }",
    "{ span.cached != true }",
    '{ span.tags = "a" }',
    '{ span.tags != "a" }',
    '{ span.tags !~ "a|b" }',
    "{ span.coupon != nil }",
    "{ span.coupon = nil }",
    '{ span."odd name \\"x\\"" = "q" }',
    '{ span.text =~ "(?i)zürich.*" }',
    '{ event:name = "exception" }',
    '{ event.type = "CardError" }',
    '{ event.type = "CardError" && event.attempt = 2 }',
    "{ event.attempt > 1 }",
    '{ event.type != "CardError" }',
    '{ link.kind = "follows" }',
    '{ instrumentation:name = "http" }',
    '{ instrumentation:version = "" }',
    '{ instrumentation.layer = "edge" }',
    "{ nestedSetParent < 0 }",
    '{ span.user.id = "u3" && (status = error || span.cached = true) }',
    "{ !(span.cached = true) && kind = server }",
    '{ resource.service.name = "nowhere" }',
)
"""Each adapter is asked those that its capabilities cover."""

_HOSTS: list[AttributeValue] = ["a1", "a2"]
_TAGS: tuple[list[AttributeValue], ...] = (["a", "b"], ["b"], ["c", "d"])
_SHOP = Resource({"service.name": "shop", "region": "eu", "cores": 8, "shared": "given", "hosts": _HOSTS})
_PAY = Resource({"service.name": "pay", "region": "us", "cores": 4})
_DB = Resource({"service.name": "db", "cores": 16})
_HTTP = InstrumentationScope("http", "1.2", {"layer": "edge"})
_SQL = InstrumentationScope("sql")


def corpus(base: int = BASE, count: int = COUNT) -> list[Trace]:
    """Returns the same traces every time, `STEP_NS` apart from `base` on: ordinary ones and what breaks adapters."""
    return [_trace(number, base + number * STEP_NS) for number in range(count)]


def _trace(number: int, start: int) -> Trace:
    # Two in five ids begin with zeros: backends that cut them are found out.
    trace_id = TraceId(f"{number + 1:032x}" if number % 5 < 2 else f"{0xABC0 + number:x}".ljust(32, "7"))
    spans = [
        _root(trace_id, number, start),
        _payment(trace_id, number, start),
        *_statements(trace_id, number, start),
    ]
    if number % 11 == 7:
        spans = spans[1:]  # the root was never received
    if number % 20 == 19:
        spans += _many(trace_id, number, start)
    return Trace(trace_id, spans)


def _span_id(number: int, index: int) -> SpanId:
    # One in four begins with a zero byte.
    return SpanId(f"{(number + 1) * 1_000 + index:016x}" if index % 4 == 0 else f"{0xF000 + index:04x}{number:012x}")


def _root(trace_id: TraceId, number: int, start: int) -> Span:
    attributes: Attributes = {"user.id": f"u{number % 6}", "items": number % 8, "text": "Zürich " + "✓" * (number % 3)}
    if number % 3 == 0:
        attributes["cached"] = number % 2 == 0
    if number % 4 == 0:
        attributes |= {"coupon": "SPRING", 'odd name "x"': "q", "shared": "own"}
    if number % 7 == 0:
        attributes["large"] = 9_007_199_254_740_993
    return Span(
        trace_id,
        _span_id(number, 0),
        "",
        "GET /cart" if number % 2 else "checkout",
        SpanKind.SERVER,
        start,
        start + (50 + number * 10) * NANOS_PER_MILLISECOND,
        StatusCode.ERROR if number % 9 == 4 else StatusCode.OK if number % 9 == 5 else StatusCode.UNSET,
        "card declined" if number % 9 == 4 else "",
        attributes,
        resource=_SHOP,
        scope=_HTTP,
    )


def _payment(trace_id: TraceId, number: int, start: int) -> Span:
    start += 2 * NANOS_PER_MILLISECOND
    failed = number % 9 == 4
    events = [SpanEvent("retry", start + 1_000, {"attempt": 1 + number % 3, "type": "Timeout"})]
    if failed:
        events.append(SpanEvent("exception", start + 2_000, {"attempt": 2 + number % 2, "type": "CardError"}))
    links = (SpanLink(trace_id, _span_id(number, 0), attributes={"kind": "follows"}),) if number % 6 == 1 else ()
    return Span(
        trace_id,
        _span_id(number, 1),
        _span_id(number, 0),
        "POST /charge",
        SpanKind.CLIENT,
        start,
        start + (20 + number % 30) * NANOS_PER_MILLISECOND,
        StatusCode.ERROR if failed else StatusCode.UNSET,
        "card declined" if failed else "",
        {"ratio": (number % 5) / 2, "tags": _TAGS[number % 3]},
        tuple(events) if number % 2 == 0 else (),
        links,
        _PAY,
        _HTTP,
    )


def _statements(trace_id: TraceId, number: int, start: int) -> Sequence[Span]:
    start += 4 * NANOS_PER_MILLISECOND
    return [
        Span(
            trace_id,
            _span_id(number, 2 + index),
            _span_id(number, 1),
            "SELECT",
            SpanKind.INTERNAL,
            start + index,
            start + index + (1 + number % 9) * NANOS_PER_MILLISECOND,
            attributes={"items": float(index + number % 4)},
            resource=_DB,
            scope=_SQL,
        )
        for index in range(1 + number % 3)
    ]


def _many(trace_id: TraceId, number: int, start: int) -> Sequence[Span]:
    return [
        Span(
            trace_id,
            _span_id(number, 10 + index),
            _span_id(number, 0),
            f"item {index}",
            SpanKind.INTERNAL,
            start + index * 1_000,
            start + index * 1_000 + 500,
            attributes={"k": index},
            resource=_DB,
            scope=_SQL,
        )
        for index in range(300)
    ]
