// The trace page: asks for the trace once, then everything happens here.
import { getJson, Refused } from "../api";
import { h, icon, one } from "../dom";
import { rulerText } from "../format";
import { opened, recall } from "../resultlist";
import { init as copyButtons, copyText } from "../elements/copy";
import { _ } from "../texts";
import type { SourceAnswer, TraceAnswer } from "./answer";
import { Finder } from "./find";
import { drawHead } from "./head";
import { grown } from "./grow";
import { installKeys, jump, jumpTo } from "./keyboard";
import { follow } from "./live";
import { Minimap } from "./minimap";
import { Panel } from "./panel";
import { resizable } from "./resize";
import { Rows } from "./rows";
import { TraceState } from "./state";
import { drawStrip } from "./strip";
import { treeOf, type Node, type Tree } from "./tree";

const TICKS = 5;
const URL_PAUSE_MS = 200;

export function init(page: HTMLElement): void {
  copyButtons(page);
  resizable(page);
  neighbours(page);
  one("[data-share]", page).addEventListener("click", () => void copyText(location.href));
  void load(page);
}

async function load(page: HTMLElement): Promise<void> {
  try {
    const trace = await getJson<TraceAnswer>(page.dataset["api"] ?? "");
    drawStrip(one("#strip", page), trace.sources);
    if (trace.spans.length === 0) { fail(page, _("This trace has no spans"), "", false); return; }
    open(page, trace, treeOf(trace));
  } catch (error) {
    const asked = error instanceof Refused ? error.members["sources"] : undefined;
    drawStrip(one("#strip", page), Array.isArray(asked) ? asked as SourceAnswer[] : []);
    if (!(error instanceof Refused)) {
      fail(page, _("The trace could not be loaded"), _("The connection was lost. Try again."), true);
      throw error;
    }
    const missing = error.status === 404;
    fail(page, missing ? _("No datasource has this trace") : error.title, missing ? _("It may be older than what they keep, not there yet, or outside of this project.") : error.detail, !missing || error.status >= 429);
  }
}

function open(page: HTMLElement, trace: TraceAnswer, tree: Tree): void {
  const split = one<HTMLElement>(".split", page);
  const place = { page: page.dataset["page"] ?? "", back: recall().back };
  const state = new TraceState(tree);
  const scroller = one<HTMLElement>(".tree-scroll", split);
  const panelElement = one<HTMLElement>(".panel", split);
  drawHead(page, trace, tree);
  split.classList.remove("loading");
  one(".tree-skeleton", split).remove();
  scroller.hidden = false;
  const panel = new Panel(panelElement, trace, tree, place, (node) => state.select(node));
  const finder = new Finder(tree);
  state.onChange((change) => { if (change === "selection") panel.show(state.selected); });
  state.read(new URLSearchParams(location.search));
  const rows = new Rows(scroller, one(".tree-space", split), state);
  rows.bringIntoSight();
  new Minimap(one(".minimap", split), one("canvas", split), one(".minimap-shown", split), state);
  ruler(one(".ruler-ticks", split), state);
  wheel(scroller, state);
  tools(split, state, finder, rows);
  keepInUrl(state);
  installKeys(state, () => finder.matches, {
    search: () => one<HTMLInputElement>("[data-find]", split).focus(),
    move: (step) => page.querySelector<HTMLAnchorElement>(step > 0 ? "a[data-next]" : "a[data-previous]")?.click(),
    panel: () => split.classList.toggle("no-panel"),
  });
  one("[data-panel]", page).addEventListener("click", () => split.classList.toggle("no-panel"));
  scroller.focus({ preventScroll: true });
  let shown = trace;
  let said = spoken(trace.sources);
  follow(page, trace, {
    shown: () => shown,
    sources: (sources) => {
      if (spoken(sources) === said) return;
      said = spoken(sources);
      drawStrip(one("#strip", page), sources);
    },
    grow: (more) => {
      shown = grown(shown, more);
      const grownTree = treeOf(shown);
      finder.grow(grownTree);
      state.grow(grownTree);
      panel.grow(shown, grownTree, state.selected);
      drawHead(page, shown, grownTree);
      one<HTMLButtonElement>("[data-next-error]", split).disabled = grownTree.failed === 0;
    },
  });
}

/** What the strip says of the sources, but for the times: those alone are no reason to draw it again. */
function spoken(sources: readonly SourceAnswer[]): string {
  return JSON.stringify(sources.map((source) => [source.datasource_id, source.status, source.rows, source.error?.message, source.warnings]));
}

function fail(page: HTMLElement, heading: string, text: string, again: boolean): void {
  one("[data-name]", page).textContent = heading;
  one("[data-facts]", page).replaceChildren();
  const retry = h("button", { type: "button", class: "button button-primary" }, icon("refresh-cw"), _("Try again"));
  retry.addEventListener("click", () => location.reload());
  const back = h("a", { class: "button", href: recall().back || page.dataset["page"] }, _("Back to the list"));
  one(".split", page).replaceWith(h("div", { class: "state", role: "alert" },
    icon("search-x", false), h("h2", {}, heading), h("p", {}, text), h("p", { class: "button-row" }, again && retry, back)));
}

function ruler(place: HTMLElement, state: TraceState): void {
  const draw = () => {
    const { from, to } = state.zoom;
    const step = (to - from) / TICKS;
    const mark = (nanos: number) => h("span", {}, rulerText(nanos, step, to));
    place.replaceChildren(...Array.from({ length: TICKS - 1 }, (_unused, at) => mark(from + at * step)), mark(to));
  };
  state.onChange((change) => { if (change === "zoom") draw(); });
  draw();
}

/** Ctrl + wheel zooms at the pointer, a sideways wheel moves along. */
function wheel(scroller: HTMLElement, state: TraceState): void {
  scroller.addEventListener("wheel", (event) => {
    const lane = scroller.querySelector(".lane")?.getBoundingClientRect();
    if (!lane) return;
    const { from, to } = state.zoom;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const at = from + (Math.max(0, Math.min(1, (event.clientX - lane.left) / lane.width))) * (to - from);
      state.zoomBy(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 180), at);
    } else if (state.zoomed && Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const by = (event.deltaX / lane.width) * (to - from);
      state.zoomTo(from + by, to + by);
    }
  }, { passive: false });
}

function tools(split: HTMLElement, state: TraceState, finder: Finder, rows: Rows): void {
  const input = one<HTMLInputElement>("[data-find]", split);
  const count = one<HTMLElement>("[data-find-count]", split);
  const errors = one<HTMLButtonElement>("[data-next-error]", split);
  const tell = () => {
    const at = finder.matches.indexOf(state.selected as Node) + 1;
    count.textContent = input.value.trim() ? (at ? `${at}/${finder.matches.length}` : String(finder.matches.length)) : "";
  };
  const step = (by: 1 | -1) => { jumpTo(state, finder.matches, by); tell(); };
  input.addEventListener("input", async () => {
    const found = await finder.find(input.value);
    if (!found) return;
    rows.mark(found);
    const first = found.find((node) => node.index >= (state.selected?.index ?? 0)) ?? found[0];
    if (first) state.select(first);
    tell();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
    if (event.key === "Escape") {
      input.value = "";
      void finder.find("").then(() => { rows.mark([]); tell(); });
      one<HTMLElement>(".tree-scroll", split).focus();
    }
  });
  one("[data-find-next]", split).addEventListener("click", () => step(1));
  one("[data-find-previous]", split).addEventListener("click", () => step(-1));
  errors.disabled = state.tree.failed === 0;
  errors.addEventListener("click", () => jump(state, 1, (node) => node.failed));
  const reset = one<HTMLButtonElement>("[data-reset-zoom]", split);
  reset.addEventListener("click", () => state.resetZoom());
  const levels: Record<string, () => void> = {
    all: () => state.openTo(state.tree.depth + 1), none: () => state.openTo(1), less: () => state.openTo((state.depth ?? state.tree.depth + 1) - 1),
    more: () => state.openTo((state.depth ?? state.tree.depth) + 1),
  };
  for (const button of split.querySelectorAll<HTMLElement>("[data-level]")) {
    button.addEventListener("click", () => { levels[button.dataset["level"] ?? ""]?.(); button.closest<HTMLElement>("[popover]")?.hidePopover(); });
  }
  state.onChange((change) => { if (change === "selection") tell(); if (change === "zoom") reset.disabled = !state.zoomed; });
  reset.disabled = !state.zoomed;
}

/** The address always shows this view again. */
function keepInUrl(state: TraceState): void {
  let pause: ReturnType<typeof setTimeout> | undefined;
  state.onChange(() => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      const parameters = new URLSearchParams(location.search);
      state.write(parameters);
      const text = parameters.toString();
      history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : ""));
    }, URL_PAUSE_MS);
  });
}

/** "3 of 50" in the list this trace was opened from, and the way to the ones beside it. */
function neighbours(page: HTMLElement): void {
  const { links, back } = recall();
  const at = links.indexOf(location.pathname);
  if (back) one<HTMLAnchorElement>("[data-back]", page).href = back;
  if (at < 0) return;
  opened(location.pathname);
  const place = one<HTMLElement>("[data-neighbours]", page);
  const arrow = (to: number, name: string, glyph: string, label: string) => links[to]
    ? h("a", { class: "button button-ghost button-icon", href: links[to], [name]: true, "aria-label": label, title: label }, icon(glyph, false))
    : h("button", { type: "button", class: "button button-ghost button-icon", disabled: true, "aria-label": label }, icon(glyph, false));
  place.replaceChildren(
    arrow(at - 1, "data-previous", "chevron-up", _("Previous trace of the list")), arrow(at + 1, "data-next", "chevron-down", _("Next trace of the list")),
    h("span", { class: "quiet num" }, _("%(at)s of %(n)s", { at: at + 1, n: links.length })));
}
