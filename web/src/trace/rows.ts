// The waterfall: only the rows in sight exist, and they are used again while scrolling. Positions are set through CSSOM.
import { durationText } from "../format";
import { h, icon } from "../dom";
import { _ } from "../texts";
import type { TraceState, Zoom } from "./state";
import type { Node } from "./tree";

export const ROW = 26;
const OVERSCAN = 8;
const STEP = 15;
const FULL_STEPS = 14;
const NARROW_STEP = 3;

interface Row {
  element: HTMLElement; name: HTMLElement; caret: HTMLElement; tag: HTMLElement; label: HTMLElement; service: HTMLElement;
  note: HTMLElement; bar: HTMLElement; length: HTMLElement; index: number; node: Node | null;
}

export class Rows {
  private readonly pool: Row[] = [];
  private matches: ReadonlySet<Node> = new Set();
  private frame = 0;

  constructor(private readonly scroller: HTMLElement, private readonly space: HTMLElement, private readonly state: TraceState) {
    scroller.addEventListener("scroll", () => this.schedule(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(scroller);
    state.onChange((change) => {
      if (change === "tree") this.keepPlace();
      if (change === "rows" || change === "tree") this.resize();
      if (change === "selection") this.bringIntoSight();
      this.schedule(true);
    });
    space.addEventListener("click", (event) => this.onClick(event));
    space.addEventListener("dblclick", (event) => {
      const node = this.nodeAt(event.target);
      if (node && !(event.target as Element).closest(".caret")) state.zoomTo(node.start - node.duration * 0.05, node.end + node.duration * 0.05);
    });
    this.resize();
    this.draw(true);
  }

  mark(matches: readonly Node[]): void {
    this.matches = new Set(matches);
    this.schedule(true);
  }

  /** Scrolls so that the selected row is in sight, with a margin. */
  bringIntoSight(): void {
    const at = this.state.selected ? this.state.rows.indexOf(this.state.selected) : -1;
    if (at < 0) return;
    const top = at * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop + ROW) this.scroller.scrollTop = top - ROW * 2;
    else if (top > scrollTop + clientHeight - ROW * 2) this.scroller.scrollTop = top - clientHeight + ROW * 3;
  }

  /** After rows came in above it, the first row in sight is still the first. */
  private keepPlace(): void {
    const first = this.pool.find((row) => row.node !== null && row.index === Math.ceil(this.scroller.scrollTop / ROW))?.node;
    const before = first ? Math.ceil(this.scroller.scrollTop / ROW) : -1;
    const after = first ? this.state.rows.findIndex((node) => node.span.span_id === first.span.span_id) : -1;
    this.matches = new Set([...this.matches].map((node) => this.state.tree.byId.get(node.span.span_id)).filter((node) => node !== undefined));
    if (this.scroller.scrollTop === 0 || before < 0 || after < 0 || after === before) return;
    this.resize();
    this.scroller.scrollTop += (after - before) * ROW;
  }

  private dirty = false;

  private schedule(dirty = false): void {
    this.dirty ||= dirty;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw(this.dirty);
      this.dirty = false;
    });
  }

  private resize(): void {
    this.space.style.height = `${this.state.rows.length * ROW}px`;
  }

  private draw(all: boolean): void {
    const { rows } = this.state;
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - OVERSCAN);
    const count = Math.ceil(this.scroller.clientHeight / ROW) + 2 * OVERSCAN;
    while (this.pool.length < count) this.pool.push(this.add());
    const size = this.pool.length;
    for (let at = first; at < first + size; at += 1) {
      const row = this.pool[at % size]!;
      if (!all && row.index === at) continue;
      const node = at < first + count ? rows[at] : undefined;
      this.fill(row, at, node ?? null);
    }
    const selected = this.state.selected ? rows.indexOf(this.state.selected) : -1;
    const shown = selected >= first && selected < first + count ? `row-${selected % size}` : "";
    if (shown) this.scroller.setAttribute("aria-activedescendant", shown);
    else this.scroller.removeAttribute("aria-activedescendant");
  }

  private add(): Row {
    const caret = h("span", { class: "caret" }, icon("chevron-right"));
    const tag = h("span", { class: "tag" });
    const label = h("span", { class: "label" });
    const service = h("span", { class: "service" });
    const note = h("span", { class: "note" });
    const name = h("div", { class: "name" }, caret, tag, label, service, note);
    const bar = h("i", { class: "span-bar" });
    const length = h("span", { class: "length" });
    const element = h("div", { class: "span-row", role: "treeitem", id: `row-${this.pool.length}` }, name, h("div", { class: "lane" }, bar, length));
    this.space.append(element);
    return { element, name, caret, tag, label, service, note, bar, length, index: -1, node: null };
  }

  private fill(row: Row, index: number, node: Node | null): void {
    row.index = index;
    row.element.hidden = node === null;
    if (!node) { row.node = null; return; }
    row.element.style.transform = `translateY(${index * ROW}px)`;
    this.place(row, node, this.state.zoom);
    const selected = node === this.state.selected;
    const open = node.children.length > 0 && !this.state.collapsed.has(node);
    const { element } = row;
    element.classList.toggle("on", selected);
    element.classList.toggle("match", this.matches.has(node));
    element.setAttribute("aria-selected", String(selected));
    if (node.children.length) element.setAttribute("aria-expanded", String(open));
    else element.removeAttribute("aria-expanded");
    this.note(row, node, open);
    if (row.node === node) return;
    row.node = node;
    element.setAttribute("aria-level", String(node.depth + 1));
    element.dataset["kind"] = node.failed ? "error" : node.kind;
    element.classList.toggle("failed", node.failed);
    element.classList.toggle("orphan", node.orphan);
    row.name.style.paddingLeft = `${indent(node.depth)}px`;
    row.tag.dataset["kind"] = node.kind;
    row.tag.textContent = node.kind === "plain" ? "span" : node.kind;
    row.label.textContent = node.span.name || _("(no name)");
    row.name.title = `${node.span.name}\n${node.service} · ${durationText(node.duration)}`;
    row.service.textContent = node.service;
  }

  private note(row: Row, node: Node, open: boolean): void {
    const hidden = node.children.length > 0 && !open;
    row.caret.classList.toggle("leaf", node.children.length === 0);
    const skewed = node.early || node.late;
    row.note.textContent = hidden ? `+${node.last - node.index}` : node.orphan ? _("orphan") : skewed ? _("other clock") : "";
    row.note.classList.toggle("bad", hidden && node.failedBelow > 0);
    row.note.title = hidden && node.failedBelow ? _("%(n)s with errors below", { n: node.failedBelow }) : node.orphan ? _("Its parent was not received.") : skewed ? skewText(node) : "";
  }

  /** Bar and length in per cent of the lane, so that a resize needs no work. */
  private place(row: Row, node: Node, zoom: Zoom): void {
    const range = zoom.to - zoom.from;
    const left = clamp(((node.start - zoom.from) / range) * 100);
    const right = clamp(((node.end - zoom.from) / range) * 100);
    row.bar.style.left = `${left}%`;
    row.bar.style.width = `${right - left}%`;
    row.bar.hidden = right < 0 || left > 100;
    row.length.textContent = durationText(node.duration);
    row.length.className = right > 84 && left < 16 ? "length inside" : "length";
    row.length.style.left = right <= 84 ? `calc(${Math.max(0, right)}% + 6px)` : "auto";
    row.length.style.right = right <= 84 ? "auto" : left < 16 ? `calc(${100 - Math.min(100, right)}% + 6px)` : `calc(${100 - Math.min(100, left)}% + 6px)`;
  }

  private nodeAt(target: EventTarget | null): Node | null {
    const element = (target as Element).closest(".span-row");
    return this.pool.find((row) => row.element === element)?.node ?? null;
  }

  private onClick(event: MouseEvent): void {
    const node = this.nodeAt(event.target);
    if (!node) return;
    if ((event.target as Element).closest(".caret, .note")) {
      if (event.altKey || event.shiftKey) this.state.toggleSubtree(node);
      else this.state.toggle(node);
    } else this.state.select(node);
    this.scroller.focus({ preventScroll: true });
  }
}

/** Says how a span lies outside of its parent: it stays where it was recorded. */
export function skewText(node: Node): string {
  const by = durationText(node.early ? (node.parent?.start ?? 0) - node.start : node.end - (node.parent?.end ?? 0));
  return node.early
    ? _("Begins %(by)s before its parent: timed by another clock, shown as recorded.", { by })
    : _("Ends %(by)s after the call it answers: timed by another clock, shown as recorded.", { by });
}

const clamp = (percent: number): number => Math.max(-2, Math.min(102, percent));

/** Deep levels move in by less, so that a name always has room. */
export function indent(depth: number): number {
  return Math.min(depth, FULL_STEPS) * STEP + Math.min(20, Math.max(0, depth - FULL_STEPS)) * NARROW_STEP;
}
