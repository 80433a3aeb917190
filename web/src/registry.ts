// data-module="name" on an element -> init(element) of that module, once, also for what htmx swaps in.
// Small modules are part of the first script; heavy ones load when a page needs them.
import { init as combobox } from "./elements/combobox";
import { init as conditions } from "./elements/conditions";
import { init as copy } from "./elements/copy";
import { init as gridkeys } from "./elements/gridkeys";
import { init as menu } from "./elements/menu";
import { init as tabs } from "./elements/tabs";
import { init as theme } from "./elements/theme";
import { init as timeRange } from "./elements/time-range";
import { init as toasts } from "./elements/toasts";
import { init as traceql } from "./elements/traceql";

type Init = (element: HTMLElement) => void;

const ready: Record<string, Init> = { combobox, conditions, copy, gridkeys, menu, tabs, theme, "time-range": timeRange, toasts, traceql };
const lazy: Record<string, () => Promise<{ init: Init }>> = {
  chart: () => import("./chart/chart"),
  editor: () => import("./editor/editor"),
  grid: () => import("./datasets/grid"),
  live: () => import("./search/live"),
  mappings: () => import("./work/mappings"),
  playground: () => import("./playground/playground"),
  search: () => import("./search/search"),
  waterfall: () => import("./trace/page"),
};
const initialised = new WeakSet<Element>();

async function initialise(element: HTMLElement): Promise<void> {
  if (initialised.has(element)) return;
  initialised.add(element);
  for (const name of (element.dataset["module"] ?? "").split(/\s+/)) {
    const init = ready[name] ?? (await lazy[name]?.())?.init;
    init?.(element);
  }
}

/** Initialises every marked element under `root`, `root` included. */
export function initialiseAll(root: ParentNode): void {
  if (root instanceof HTMLElement && root.dataset["module"] !== undefined) void initialise(root);
  for (const element of root.querySelectorAll<HTMLElement>("[data-module]")) void initialise(element);
}

/** Initialises the page and everything that htmx swaps in later. */
export function start(): void {
  initialiseAll(document);
  document.addEventListener("htmx:after:process", (event) => {
    if (event.target instanceof Element || event.target instanceof Document) initialiseAll(event.target);
  });
}
