// What a reader has done to the view: selection, what is collapsed, which part of the time is shown. It lives in the URL.
import { collapsedAt, visibleNodes, type Node, type Tree } from "./tree";

export type Change = "selection" | "rows" | "zoom" | "tree";
export interface Zoom { from: number; to: number }

const MOST_IDS = 40;
const LEAST_RANGE = 100;

export class TraceState {
  readonly collapsed = new Set<Node>();
  rows: Node[];
  selected: Node | null = null;
  zoom: Zoom;
  /** How many levels are open after "collapse to depth"; null when nodes were opened and closed one by one. */
  depth: number | null = null;
  private readonly listeners: ((change: Change) => void)[] = [];

  constructor(public tree: Tree) {
    this.rows = tree.nodes;
    this.zoom = { from: 0, to: tree.length };
  }

  onChange(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  select(node: Node | null): void {
    if (node) this.reveal(node);
    this.selected = node;
    this.tell("selection");
  }

  toggle(node: Node, open = this.collapsed.has(node)): void {
    if (node.children.length === 0) return;
    if (open) this.collapsed.delete(node);
    else this.collapsed.add(node);
    this.depth = null;
    this.refresh();
  }

  /** Opens or closes `node` and everything below it. */
  toggleSubtree(node: Node, open = this.collapsed.has(node)): void {
    for (let at = node.index; at <= node.last; at += 1) {
      const below = this.tree.nodes[at]!;
      if (below.children.length === 0) continue;
      if (open) this.collapsed.delete(below);
      else this.collapsed.add(below);
    }
    this.depth = null;
    this.refresh();
  }

  /** Shows the levels above `depth` and nothing below. */
  openTo(depth: number): void {
    const bounded = Math.max(0, Math.min(this.tree.depth + 1, depth));
    this.collapsed.clear();
    if (bounded <= this.tree.depth) for (const node of collapsedAt(this.tree, bounded)) this.collapsed.add(node);
    this.depth = bounded > this.tree.depth ? null : bounded;
    this.refresh();
  }

  zoomTo(from: number, to: number): void {
    const length = this.tree.length;
    const range = Math.max(LEAST_RANGE, Math.min(length, to - from));
    const start = Math.max(0, Math.min(length - range, from));
    this.zoom = { from: start, to: start + range };
    this.tell("zoom");
  }

  /** Zooms by `factor` around the point `at` of the time. */
  zoomBy(factor: number, at = (this.zoom.from + this.zoom.to) / 2): void {
    this.zoomTo(at - (at - this.zoom.from) * factor, at + (this.zoom.to - at) * factor);
  }

  resetZoom(): void {
    this.zoomTo(0, this.tree.length);
  }

  get zoomed(): boolean {
    return this.zoom.from > 0 || this.zoom.to < this.tree.length;
  }

  /** Takes over what an address says; what does not exist in this trace is left out. */
  read(parameters: URLSearchParams): void {
    const depth = Number(parameters.get("depth") ?? NaN);
    if (Number.isInteger(depth)) this.openTo(depth);
    for (const id of (parameters.get("collapsed") ?? "").split(".")) {
      const node = this.tree.byId.get(id);
      if (node?.children.length) this.collapsed.add(node);
    }
    this.refresh();
    const [from, to] = (parameters.get("zoom") ?? "").split("-").map(Number);
    if (from !== undefined && to !== undefined && to > from) this.zoomTo(from, to);
    this.select(this.tree.byId.get(parameters.get("span") ?? "") ?? this.tree.nodes[0] ?? null);
  }

  /** Writes the view into `parameters`, leaving out what is as it is without them. */
  write(parameters: URLSearchParams): void {
    for (const name of ["span", "zoom", "depth", "collapsed"]) parameters.delete(name);
    if (this.selected && this.selected.index > 0) parameters.set("span", this.selected.span.span_id);
    if (this.zoomed) parameters.set("zoom", `${Math.round(this.zoom.from)}-${Math.round(this.zoom.to)}`);
    if (this.depth !== null) parameters.set("depth", String(this.depth));
    else if (this.collapsed.size > 0) {
      const shown = this.rows.filter((node) => this.collapsed.has(node)).slice(0, MOST_IDS);
      parameters.set("collapsed", shown.map((node) => node.span.span_id).join("."));
    }
  }

  /** The trace has grown: what was selected, collapsed and shown stays so. A view of the whole time stays one. */
  grow(tree: Tree): void {
    const whole = !this.zoomed;
    const now = (node: Node): Node | undefined => tree.byId.get(node.span.span_id);
    const collapsed = [...this.collapsed].map(now).filter((node): node is Node => node !== undefined);
    const selected = this.selected ? now(this.selected) ?? null : null;
    const earlier = this.tree.nodes[0];
    const later = earlier ? (now(earlier)?.start ?? earlier.start) - earlier.start : 0;
    this.tree = tree;
    this.collapsed.clear();
    for (const node of collapsed) this.collapsed.add(node);
    this.selected = selected;
    this.rows = visibleNodes(tree, this.collapsed);
    this.zoom = whole ? { from: 0, to: tree.length } : { from: this.zoom.from + later, to: this.zoom.to + later };
    this.tell("tree");
    this.tell("zoom");
  }

  private reveal(node: Node): void {
    let changed = false;
    for (let above = node.parent; above; above = above.parent) changed = this.collapsed.delete(above) || changed;
    if (!changed) return;
    this.depth = null;
    this.refresh();
  }

  private refresh(): void {
    this.rows = visibleNodes(this.tree, this.collapsed);
    this.tell("rows");
    if (this.selected && !this.rows.includes(this.selected)) {
      let above: Node | null = this.selected;
      while (above && !this.rows.includes(above)) above = above.parent;
      this.selected = above;
      this.tell("selection");
    }
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}
