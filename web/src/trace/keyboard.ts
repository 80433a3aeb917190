// The keys of the trace page. Everything the mouse can do has one.
import { onKey } from "../keys";
import type { TraceState } from "./state";
import { nextNode, type Node } from "./tree";

const PAGE = 12;

/** Registers the keys. `matches` are the spans the search found, `move` goes to a neighbouring trace of the list. */
export function installKeys(state: TraceState, matches: () => readonly Node[], actions: {
  search: () => void; move: (step: 1 | -1) => void; panel: () => void;
}): void {
  const at = () => (state.selected ? state.rows.indexOf(state.selected) : -1);
  const go = (index: number) => state.select(state.rows[Math.max(0, Math.min(state.rows.length - 1, index))] ?? null);
  const level = (step: number) => state.openTo((state.depth ?? state.tree.depth + 1) + step);
  onKey(["ArrowDown", "j"], () => go(at() + 1));
  onKey(["ArrowUp", "k"], () => go(at() - 1));
  onKey("PageDown", () => go(at() + PAGE));
  onKey("PageUp", () => go(at() - PAGE));
  onKey("Home", () => go(0));
  onKey("End", () => go(state.rows.length - 1));
  onKey(["ArrowRight", "l"], () => {
    const node = state.selected;
    if (!node) return;
    if (state.collapsed.has(node)) state.toggle(node, true);
    else if (node.children[0]) state.select(node.children[0]);
  });
  onKey(["ArrowLeft", "h"], () => {
    const node = state.selected;
    if (!node) return;
    if (node.children.length && !state.collapsed.has(node)) state.toggle(node, false);
    else if (node.parent) state.select(node.parent);
  });
  onKey(["Enter", " "], (event) => {
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && focused.matches("a, button, summary")) { focused.click(); return; }
    if (state.selected) state.toggle(state.selected);
    event.preventDefault();
  });
  onKey("Shift+ArrowLeft", () => state.selected && state.toggleSubtree(state.selected, false));
  onKey("Shift+ArrowRight", () => state.selected && state.toggleSubtree(state.selected, true));
  onKey("[", () => level(-1));
  onKey("]", () => level(1));
  onKey("{", () => state.openTo(1));
  onKey("}", () => state.openTo(state.tree.depth + 1));
  onKey("e", () => jump(state, 1, (node) => node.failed));
  onKey("E", () => jump(state, -1, (node) => node.failed));
  onKey("n", () => jumpTo(state, matches(), 1));
  onKey("N", () => jumpTo(state, matches(), -1));
  onKey("z", () => { const node = state.selected; if (node) state.zoomTo(node.start - node.duration * 0.05, node.end + node.duration * 0.05); });
  onKey("0", () => state.resetZoom());
  onKey(["+", "="], () => state.zoomBy(0.6));
  onKey("-", () => state.zoomBy(1 / 0.6));
  onKey("/", actions.search);
  onKey("i", actions.panel);
  onKey(["Alt+ArrowDown", "."], () => actions.move(1));
  onKey(["Alt+ArrowUp", ","], () => actions.move(-1));
}

/** Selects the next span that `wanted` accepts, going around the end. */
export function jump(state: TraceState, step: 1 | -1, wanted: (node: Node) => boolean): void {
  const found = nextNode(state.tree.nodes, state.selected?.index ?? -1, step, wanted);
  if (found) state.select(found);
}

/** Selects the next of `matches`. */
export function jumpTo(state: TraceState, matches: readonly Node[], step: 1 | -1): void {
  const wanted = new Set(matches);
  if (wanted.size) jump(state, step, (node) => wanted.has(node));
}
