// The trace as a tree in drawing order. Pure: every span once, whatever parents say; missing parents and cycles included.
import type { SpanAnswer, TraceAnswer } from "./answer";

/** A span in its place. Times are nanoseconds from the start of the trace. `last` is the index of its last descendant. */
export interface Node {
  index: number; span: SpanAnswer; depth: number; parent: Node | null; children: Node[]; last: number;
  start: number; end: number; duration: number; kind: string; service: string; failed: boolean; failedBelow: number;
  orphan: boolean; early: boolean; late: boolean;
}

export interface Tree {
  nodes: Node[]; byId: Map<string, Node>; length: number;
  orphans: number; early: number; failed: number; services: string[]; depth: number;
}

/** A child that begins this much (ns) before its parent was timed by another clock. */
const SKEW = 1e6;

/** Returns the tree of `trace`: roots and orphans by start, children by start. */
export function treeOf(trace: TraceAnswer): Tree {
  const made = trace.spans.map((span) => nodeOf(span, trace));
  const byId = new Map(made.map((node) => [node.span.span_id, node]));
  for (const node of made) attach(node, byId);
  const nodes: Node[] = [];
  const tops = made.filter((node) => node.parent === null).sort(byStart);
  for (const top of tops) place(top, nodes);
  for (const node of made.filter((one) => one.index < 0).sort(byStart)) breakCycle(node, nodes);
  for (let at = nodes.length - 1; at >= 0; at -= 1) {
    const node = nodes[at]!;
    node.last = node.children.at(-1)?.last ?? at;
    if (node.parent) node.parent.failedBelow += node.failedBelow + (node.failed ? 1 : 0);
  }
  return {
    nodes, byId,
    length: nodes.reduce((most, node) => Math.max(most, node.end), 1),
    orphans: nodes.filter((node) => node.orphan).length,
    early: nodes.filter((node) => node.early).length,
    failed: nodes.filter((node) => node.failed).length,
    services: [...new Set(nodes.map((node) => node.service).filter(Boolean))],
    depth: nodes.reduce((most, node) => Math.max(most, node.depth), 0),
  };
}

function byStart(a: Node, b: Node): number {
  return a.start - b.start || (a.span.span_id < b.span.span_id ? -1 : 1);
}

function nodeOf(span: SpanAnswer, trace: TraceAnswer): Node {
  const start = span.offset_ns;
  const service = trace.resources[span.resource]?.attributes["service.name"];
  return {
    index: -1, span, depth: 0, parent: null, children: [], last: 0, start, end: start + span.duration_ns, duration: span.duration_ns,
    kind: span.llm && span.llm.kind !== "span" ? span.llm.kind : "plain",
    service: typeof service === "string" ? service : "", failed: span.status === "error", failedBelow: 0, orphan: false, early: false, late: false,
  };
}

function attach(node: Node, byId: Map<string, Node>): void {
  const parentId = node.span.parent_span_id;
  const parent = parentId ? byId.get(parentId) : undefined;
  if (!parentId) return;
  if (!parent || parent === node) { node.orphan = true; return; }
  node.parent = parent;
  node.early = parent.start - node.start > SKEW;
  // One call seen from both ends: the caller has to see the end last.
  node.late = node.span.kind === "server" && parent.span.kind === "client" && node.end - parent.end > SKEW;
  parent.children.push(node);
}

/** Puts `top` and all below it into `nodes`, depth first, without recursion: traces can be thousands of levels deep. */
function place(top: Node, nodes: Node[]): void {
  const stack: Node[] = [top];
  while (stack.length) {
    const node = stack.pop()!;
    if (node.index >= 0) continue;
    node.index = nodes.length;
    node.depth = node.parent ? node.parent.depth + 1 : 0;
    nodes.push(node);
    node.children.sort(byStart);
    for (let at = node.children.length - 1; at >= 0; at -= 1) stack.push(node.children[at]!);
  }
}

/** The earliest span of a cycle of parents counts as its top. */
function breakCycle(node: Node, nodes: Node[]): void {
  if (node.index >= 0) return;
  if (node.parent) node.parent.children = node.parent.children.filter((child) => child !== node);
  node.parent = null;
  node.orphan = true;
  place(node, nodes);
}

/** Returns the nodes that are drawn: all but those below a collapsed one. */
export function visibleNodes(tree: Tree, collapsed: ReadonlySet<Node>): Node[] {
  const shown: Node[] = [];
  for (let at = 0; at < tree.nodes.length; at += 1) {
    const node = tree.nodes[at]!;
    shown.push(node);
    if (collapsed.has(node)) at = node.last;
  }
  return shown;
}

/** Returns the nodes to collapse so that exactly the levels above `depth` are open. */
export function collapsedAt(tree: Tree, depth: number): Set<Node> {
  return new Set(tree.nodes.filter((node) => node.depth >= depth && node.children.length > 0));
}

/** Returns the first node after `from` (in drawing order, around the end) that `wanted` accepts, null when none does. */
export function nextNode(nodes: readonly Node[], from: number, step: 1 | -1, wanted: (node: Node) => boolean): Node | null {
  for (let tried = 1; tried <= nodes.length; tried += 1) {
    const node = nodes[(((from + step * tried) % nodes.length) + nodes.length) % nodes.length];
    if (node && wanted(node)) return node;
  }
  return null;
}
