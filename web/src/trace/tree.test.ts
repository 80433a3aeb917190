import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpanAnswer, TraceAnswer } from "./answer";
import { TraceState } from "./state";
import { collapsedAt, nextNode, treeOf, visibleNodes } from "./tree";

function span(id: string, parent: string | null, offset = 0, duration = 10, more: Partial<SpanAnswer> = {}): SpanAnswer {
  return {
    span_id: id, parent_span_id: parent, name: id, kind: "internal", start: "", offset_ns: offset, duration_ns: duration, status: "unset",
    status_message: "", attributes: {}, events: [], links: [], resource: 0, scope: 0, sources: [0], llm: null, ...more,
  };
}

function trace(...spans: SpanAnswer[]): TraceAnswer {
  return {
    trace_id: "t", start: "2026-01-01T00:00:00Z", duration_ns: 0, spans, resources: [{ attributes: { "service.name": "s" } }],
    scopes: [{ name: "", version: "", attributes: {} }], sources: [], llm: {}, warnings: [],
  };
}

const names = (nodes: readonly { span: SpanAnswer }[]) => nodes.map((node) => node.span.span_id).join(" ");

test("spans stand depth first, children by start", () => {
  const tree = treeOf(trace(span("b2", "b", 7), span("root", null), span("c", "root", 9), span("b", "root", 5), span("b1", "b", 6)));
  assert.equal(names(tree.nodes), "root b b1 b2 c");
  assert.deepEqual(tree.nodes.map((node) => node.depth), [0, 1, 2, 2, 1]);
  assert.deepEqual(tree.nodes.map((node) => node.last), [4, 3, 2, 3, 4]);
  assert.equal(tree.length, 19);
});

test("every span is drawn once, whatever parents say", () => {
  const tree = treeOf(trace(span("orphan", "gone"), span("x", "y", 3), span("y", "x", 4), span("self", "self", 5), span("z", "y", 6), span("root", null, 1)));
  assert.equal(tree.nodes.length, 6);
  assert.equal(new Set(names(tree.nodes).split(" ")).size, 6);
  assert.equal(tree.orphans, 3);
  assert.ok(tree.nodes.every((node, at) => node.index === at && node.last >= at));
});

test("a chain of 20,000 spans does not overflow", () => {
  const spans = Array.from({ length: 20_000 }, (_unused, at) => span(`s${at}`, at ? `s${at - 1}` : null, at));
  const tree = treeOf(trace(...spans));
  assert.equal(tree.depth, 19_999);
  assert.equal(tree.nodes[0]!.last, 19_999);
});

test("errors below and children before their parents are known", () => {
  const tree = treeOf(trace(span("root", null, 5e6), span("early", "root", 1e6), span("bad", "early", 2e6, 1, { status: "error" })));
  assert.deepEqual(tree.nodes.map((node) => node.failedBelow), [1, 1, 0]);
  assert.equal(tree.failed, 1);
  assert.equal(tree.byId.get("early")!.early, true);
});

test("a server span that outlasts the client span it answers was timed by another clock", () => {
  const call = { kind: "client" }, answer = { kind: "server" };
  const tree = treeOf(trace(span("call", null, 0, 10e6, call), span("late", "call", 1e6, 15e6, answer), span("job", "call", 1e6, 90e6), span("close", "call", 1e6, 9.5e6, answer)));
  assert.deepEqual(["late", "job", "close"].map((id) => tree.byId.get(id)!.late), [true, false, false]);
});

test("collapsing hides what is below and nothing else", () => {
  const tree = treeOf(trace(span("r", null), span("a", "r", 1), span("a1", "a", 2), span("b", "r", 3)));
  assert.equal(names(visibleNodes(tree, new Set([tree.byId.get("a")!]))), "r a b");
  assert.equal(names(visibleNodes(tree, collapsedAt(tree, 0))), "r");
  assert.equal(names(visibleNodes(tree, collapsedAt(tree, 1))), "r a b");
});

test("the next one is found around the end", () => {
  const tree = treeOf(trace(span("r", null), span("a", "r", 1, 1, { status: "error" }), span("b", "r", 2)));
  const failed = (node: { failed: boolean }) => node.failed;
  assert.equal(nextNode(tree.nodes, 2, 1, failed)?.span.span_id, "a");
  assert.equal(nextNode(tree.nodes, 0, -1, failed)?.span.span_id, "a");
  assert.equal(nextNode(tree.nodes, 1, 1, failed)?.span.span_id, "a");
  assert.equal(nextNode(tree.nodes, 0, 1, () => false), null);
});

test("a view survives its way through the address", () => {
  const answer = trace(span("r", null, 0, 1000), span("a", "r", 1), span("a1", "a", 2), span("b", "r", 3));
  const first = new TraceState(treeOf(answer));
  first.read(new URLSearchParams());
  first.select(first.tree.byId.get("b")!);
  first.toggle(first.tree.byId.get("a")!);
  first.zoomTo(100, 500);
  const parameters = new URLSearchParams("other=1");
  first.write(parameters);
  const second = new TraceState(treeOf(answer));
  second.read(parameters);
  assert.equal(second.selected?.span.span_id, "b");
  assert.equal(names(second.rows), "r a b");
  assert.deepEqual(second.zoom, { from: 100, to: 500 });
  assert.equal(parameters.get("other"), "1");
});

test("selecting a hidden span opens the way to it, closing its parent moves the selection up", () => {
  const state = new TraceState(treeOf(trace(span("r", null), span("a", "r", 1), span("a1", "a", 2))));
  state.openTo(1);
  state.select(state.tree.byId.get("a1")!);
  assert.equal(names(state.rows), "r a a1");
  state.toggle(state.tree.byId.get("a")!);
  assert.equal(state.selected?.span.span_id, "a");
});

test("nonsense in the address is left out", () => {
  const state = new TraceState(treeOf(trace(span("r", null, 0, 1000))));
  state.read(new URLSearchParams("span=nope&zoom=9-3&depth=x&collapsed=a.b..c"));
  assert.equal(state.selected?.span.span_id, "r");
  assert.deepEqual(state.zoom, { from: 0, to: 1000 });
});

test("zoom stays within the trace", () => {
  const state = new TraceState(treeOf(trace(span("r", null, 0, 1e6))));
  state.zoomTo(-50, 5e6);
  assert.deepEqual(state.zoom, { from: 0, to: 1e6 });
  state.zoomBy(1e-9, 5e5);
  assert.ok(state.zoom.to - state.zoom.from >= 100);
  state.zoomTo(2e6, 3e6);
  assert.ok(state.zoom.to <= 1e6);
});
