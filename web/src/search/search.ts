// The result list: keyboard, shape over time, what each datasource said, and the list that the trace page pages through.
import { one } from "../dom";
import { isTyping, onKey } from "../keys";
import { recall, remember } from "../resultlist";
import { _ } from "../texts";
import { zoomTo } from "../zoom";
import { drawShape } from "./shape";
import type { Row } from "./histogram";

export function init(results: HTMLElement): void {
  const rows = results.querySelector<HTMLElement>("[data-rows]");
  const loading = document.querySelector<HTMLElement>("#loading");
  if (rows && loading) rows.scrollTop = Number(loading.dataset["scrolled"] ?? 0);
  loading?.remove();
  showSourceStates(results);
  if (!rows) return;
  const list = new RowList(rows);
  const before = recall();
  let sought = before.back === location.pathname + location.search ? before.opened : undefined;
  const refresh = () => {
    list.refresh();
    if (sought && (list.mark(sought) || list.links().length >= before.links.length || !loadMore())) sought = undefined;
    draw(results, list);
    remember(list.links());
    sumUp(results, list.links().length);
    showSourceStates(results);
  };
  refresh();
  rows.addEventListener("htmx:after:swap", refresh);
  rows.addEventListener("arcane:rows", refresh);
  new MutationObserver(refresh).observe(one("table", rows), { childList: true });
  new ResizeObserver(() => draw(results, list)).observe(rows);
}

/** Asks for the next page; returns whether there is one. */
function loadMore(): boolean {
  const more = document.querySelector<HTMLAnchorElement>("#more a:not([data-again])");
  more?.click();
  return more !== null;
}

function draw(results: HTMLElement, list: RowList): void {
  const figure = results.querySelector<HTMLElement>("[data-shape]");
  const from = Number(results.dataset["from"]);
  const to = Number(results.dataset["to"]);
  if (!figure || !(to > from)) return;
  const more = results.querySelector("#more a:not([data-again])") !== null;
  drawShape(figure, list.shape(), { from, to, more }, zoomTo);
}

/** The strip counts all rows that are loaded, also after "load more". */
function sumUp(results: HTMLElement, rows: number): void {
  const sum = results.querySelector(".strip-sum");
  const more = results.querySelector("#more a");
  if (!sum) return;
  if (results.querySelector("#more [data-again], #more [role=alert]")) sum.textContent = _("%(n)d, some missing", { n: rows });
  else sum.textContent = more ? _("%(n)d loaded, more to come", { n: rows }) : _("%(n)d, all of them", { n: rows });
}

/** Gives each datasource's chip the state its last answer had. */
function showSourceStates(results: HTMLElement): void {
  for (const source of results.querySelectorAll<HTMLElement>(".strip-source[data-source]")) {
    const chip = document.querySelector<HTMLElement>(`.ask [data-source="${source.dataset["source"] ?? ""}"]`);
    if (chip) chip.dataset["tone"] = source.dataset["tone"] ?? "plain";
  }
}

class RowList {
  private rows: HTMLTableRowElement[] = [];
  private at = -1;

  constructor(private readonly element: HTMLElement) {
    element.addEventListener("click", (event) => this.onClick(event));
    onKey(["j", "ArrowDown"], () => this.move(1));
    onKey(["k", "ArrowUp"], () => this.move(-1));
    onKey("Home", () => this.select(0));
    onKey("End", () => this.select(this.rows.length - 1));
    onKey(["Enter", "o"], (event) => {
      const focused = document.activeElement;
      if (event.key === "Enter" && focused instanceof HTMLElement && focused.matches("a, button, summary")) { focused.click(); return; }
      this.rows[this.at]?.querySelector<HTMLAnchorElement>("a.row-link")?.click();
    });
    onKey("l", () => document.querySelector<HTMLAnchorElement>("#more a")?.click());
    onKey("x", () => document.querySelector<HTMLButtonElement>(".ask button[formaction]")?.click());
  }

  refresh(): void {
    const selected = this.rows[this.at]?.dataset["trace"];
    this.rows = [...this.element.querySelectorAll<HTMLTableRowElement>("tbody.page tr")];
    if (selected !== undefined) this.at = this.rows.findIndex((row) => row.dataset["trace"] === selected);
  }

  links(): string[] {
    return this.rows.map((row) => row.querySelector<HTMLAnchorElement>("a.row-link")?.getAttribute("href") ?? "");
  }

  /** Selects the row that leads to `link`; returns whether there is one. */
  mark(link: string): boolean {
    const at = this.links().indexOf(link);
    if (at >= 0) this.select(at);
    return at >= 0;
  }

  shape(): Row[] {
    return this.rows.map((row) => ({ start: Number(row.dataset["start"]), failed: Number(row.dataset["errors"]) > 0 }));
  }

  private move(step: number): void {
    if (isTyping(document.activeElement)) return;
    this.select(Math.max(0, Math.min(this.rows.length - 1, this.at + step)));
  }

  private select(at: number): void {
    this.rows[this.at]?.classList.remove("on");
    this.at = at;
    const row = this.rows[at];
    if (!row) return;
    row.classList.add("on");
    row.scrollIntoView({ block: "nearest" });
    row.querySelector<HTMLAnchorElement>("a.row-link")?.focus({ preventScroll: true });
  }

  /** A click anywhere on a row opens it; on a link, the link is followed by the browser. */
  private onClick(event: MouseEvent): void {
    const target = event.target as Element;
    const row = target.closest<HTMLTableRowElement>("tbody.page tr");
    if (!row || target.closest("a, button") || getSelection()?.toString()) return;
    const link = row.querySelector<HTMLAnchorElement>("a.row-link");
    if (!link) return;
    if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank");
    else link.click();
  }
}
