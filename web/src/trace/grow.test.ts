import assert from "node:assert/strict";
import test from "node:test";
import type { SpanAnswer, TraceAnswer } from "./answer";
import { grown, nanosOf } from "./grow";

function span(id: string, more: Partial<SpanAnswer> = {}): SpanAnswer {
  return {
    span_id: id, parent_span_id: null, name: id, kind: "internal", start: "", offset_ns: 0, duration_ns: 10, status: "unset", status_message: "",
    attributes: {}, events: [], links: [], resource: 0, scope: 0, sources: [0], llm: null, ...more,
  };
}

function trace(start: string, spans: SpanAnswer[], services: string[] = ["shop"]): TraceAnswer {
  return {
    trace_id: "1", start, duration_ns: 10, spans, sources: [], llm: {}, warnings: [],
    resources: services.map((name) => ({ attributes: { "service.name": name } })), scopes: [{ name: "", version: "", attributes: {} }],
  };
}

const NOON = "2026-08-01T12:00:00.000000000Z";

test("times are read to the nanosecond", () => {
  assert.equal(nanosOf("2026-08-01T12:00:00.000000001Z") - nanosOf(NOON), 1n);
  assert.equal(nanosOf("2026-08-01T12:00:01Z") - nanosOf(NOON), 1_000_000_000n);
});

test("new spans are added and known ones replaced", () => {
  const whole = grown(trace(NOON, [span("a"), span("b")]), trace(NOON, [span("b", { duration_ns: 99 }), span("c")]));
  assert.deepEqual(whole.spans.map((one) => [one.span_id, one.duration_ns]), [["a", 10], ["b", 99], ["c", 10]]);
});

test("spans keep their resource although an event numbers its own", () => {
  const whole = grown(trace(NOON, [span("a")], ["shop"]), trace(NOON, [span("b"), span("c", { resource: 1 })], ["bank", "shop"]));
  const service = (one: SpanAnswer) => whole.resources[one.resource]?.attributes["service.name"];
  assert.deepEqual(whole.spans.map(service), ["shop", "bank", "shop"]);
  assert.equal(whole.resources.length, 2);
});

test("an earlier span moves the others, and their events, to the right", () => {
  const event = { name: "e", time: "", offset_ns: 5, attributes: {} };
  const earlier = trace("2026-08-01T11:59:59.999999000Z", [span("z")]);
  const whole = grown(trace(NOON, [span("a", { events: [event] })]), earlier);
  const [a] = whole.spans;
  assert.deepEqual([a?.offset_ns, a?.events[0]?.offset_ns], [1000, 1005]);
  assert.equal(whole.start, earlier.start);
});
