"""Hidden values leave in no form, and what is not hidden is not touched."""

from __future__ import annotations

from arcane.model.hit import MatchedSet, MatchedSpan, ServiceStats, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink
from arcane.model.trace import Trace
from arcane.redaction.visibility import (
    REDACTED,
    Redactor,
    hidden_fields,
    is_hidden,
    redact_attributes,
    redact_hit,
    redact_trace,
)
from arcane.traceql.ast import Field, Scope

HIDDEN = frozenset({"secret"})
SHARED = Resource({"service.name": "shop", "secret": 1})
LIBRARY = InstrumentationScope("lib", "1", {"secret": 2})
ID = TraceId("1" * 32)


def span(number: int, **more: object) -> Span:
    return Span(ID, SpanId(f"{number:016x}"), "", "s", SpanKind.INTERNAL, number, number, **more)  # type: ignore[arg-type]


def test_attributes_without_a_hidden_one_stay_the_same_object() -> None:
    attributes = {"a": 1}
    assert redact_attributes(attributes, HIDDEN) is attributes
    assert redact_attributes({"secret": [1, 2], "a": 1}, HIDDEN) == {"secret": REDACTED, "a": 1}


def test_values_are_replaced_wherever_they_stand() -> None:
    full = span(
        1,
        attributes={"secret": "x"},
        events=(SpanEvent("e", 1, {"secret": "x", "b": 2}),),
        links=(SpanLink(ID, SpanId("2" * 16), "", {"secret": "x"}),),
        resource=SHARED,
        scope=LIBRARY,
    )
    out = Redactor(HIDDEN).span(full)
    assert out.attributes == {"secret": REDACTED}
    assert out.events[0].attributes == {"secret": REDACTED, "b": 2}
    assert out.links[0].attributes == {"secret": REDACTED}
    assert out.resource.attributes == {"service.name": "shop", "secret": REDACTED}
    assert out.scope == InstrumentationScope("lib", "1", {"secret": REDACTED})
    assert full.attributes == {"secret": "x"}


def test_each_place_alone_is_enough() -> None:
    event = span(1, events=(SpanEvent("e", 1, {"secret": "x"}),))
    link = span(2, links=(SpanLink(ID, SpanId("2" * 16), "", {"secret": "x"}),))
    scope = span(3, scope=LIBRARY)
    out = redact_trace(Trace(ID, [event, link, scope]), HIDDEN).spans
    assert out[0].events[0].attributes == {"secret": REDACTED}
    assert out[1].links[0].attributes == {"secret": REDACTED}
    assert out[2].scope.attributes == {"secret": REDACTED}


def test_spans_share_what_they_shared_and_untouched_ones_are_the_same() -> None:
    plain = span(3, attributes={"a": 1}, events=(SpanEvent("e", 1, {}),))
    trace = Trace(ID, [span(1, resource=SHARED), span(2, resource=SHARED), plain], ("cut",))
    out = redact_trace(trace, HIDDEN)
    assert out.spans[0].resource is out.spans[1].resource
    assert out.spans[2] is plain
    assert out.warnings == ("cut",)
    assert redact_trace(trace, frozenset()) is trace


def test_a_field_tells_a_hidden_value_in_every_scope_but_not_as_an_intrinsic() -> None:
    fields = [Field(scope, "secret") for scope in (Scope.NONE, Scope.SPAN, Scope.RESOURCE, Scope.EVENT, Scope.LINK)]
    assert hidden_fields([*fields, Field(Scope.SPAN, "a")], HIDDEN) == fields
    assert not is_hidden(Field(Scope.INTRINSIC, "status"), frozenset({"status"}))
    assert is_hidden(Field(Scope.INTRINSIC, "rootServiceName"), frozenset({"service.name"}))


def test_a_hit_shows_hidden_values_nowhere() -> None:
    hit = TraceHit(
        ID,
        1,
        2,
        "shop",
        "root",
        1,
        (MatchedSpan(SpanId("1" * 16), 1, 2, "n", "shop", None, {"secret": "x", "a": 1}),),
        3,
        1,
        {"shop": ServiceStats(2, 1), "db": ServiceStats(1)},
    )
    assert redact_hit(hit, frozenset()) is hit
    assert redact_hit(hit, frozenset({"other"})) is hit
    assert redact_hit(hit, HIDDEN).spans[0].attributes == {"secret": REDACTED, "a": 1}
    out = redact_hit(hit, frozenset({"service.name"}))
    assert (out.root_service, out.services) == (REDACTED, {REDACTED: ServiceStats(3, 1)})
    assert out.spans[0].service == REDACTED
    nameless = TraceHit(ID, 1, 2, None, None, 1, (MatchedSpan(SpanId("1" * 16), 1, 2),))
    assert redact_hit(nameless, frozenset({"service.name"})) == nameless


def test_the_span_sets_of_a_hit_show_hidden_values_nowhere() -> None:
    span = MatchedSpan(SpanId("1" * 16), 1, 2, "n", "shop", None, {"secret": "x", "a": 1})
    hit = TraceHit(ID, 1, 2, None, None, 1, (), span_sets=(MatchedSet({"count()": 1}, 1, (span,)),), span_set_count=1)
    assert redact_hit(hit, frozenset({"other"})) is hit
    [shown] = redact_hit(hit, HIDDEN).span_sets
    assert (shown.attributes, shown.spans[0].attributes) == ({"count()": 1}, {"secret": REDACTED, "a": 1})
    [shown] = redact_hit(hit, frozenset({"service.name"})).span_sets
    assert shown.spans[0].service == REDACTED
