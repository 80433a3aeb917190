// The Live button: new traces on top of the list as they appear. While somebody reads the list, they wait above it.
import { h, icon, one } from "../dom";
import { toast } from "../elements/toasts";
import { onKey } from "../keys";
import { _ } from "../texts";
import { init as startList } from "./search";

const MOST_ROWS = 500;
const MOST_WAITING = 1000;
const FRESH_MS = 4000;

export function init(button: HTMLElement): void {
  const live = new Live(button);
  button.addEventListener("click", () => live.toggle());
  onKey("v", () => live.toggle());
  document.addEventListener("htmx:after:swap", () => live.follow());
  if (new URLSearchParams(location.search).has("live")) live.start();
}

class Live {
  private source: EventSource | null = null;
  private asked = "";
  private readonly waiting = new Map<string, HTMLTableRowElement>();
  private missed = 0;
  private over = false;

  constructor(private readonly button: HTMLElement) {
    document.addEventListener("pointerover", (event) => {
      const over = event.target instanceof Element && event.target.closest("#results [data-rows], .waiting-rows") !== null;
      if (this.over && !over) { this.over = false; this.settle(); }
      this.over = over;
    });
  }

  toggle(): void {
    if (this.source) this.stop();
    else this.start();
  }

  start(): void {
    this.asked = this.question();
    this.source?.close();
    this.source = new EventSource(`${this.button.dataset["tail"] ?? ""}?${this.asked}`);
    this.source.addEventListener("trace", (event) => this.arrived(event.data as string));
    this.source.addEventListener("open", (event) => {
      const note = event instanceof MessageEvent ? String(JSON.parse(event.data as string).note) : "";
      if (note) toast(note, "warn");
    });
    this.source.addEventListener("poll", (event) => polled(JSON.parse(event.data as string)));
    this.source.addEventListener("dropped", (event) => { this.missed += Number(JSON.parse(event.data as string).count); this.tell(); });
    this.source.addEventListener("end", (event) => this.ended(JSON.parse(event.data as string)));
    this.source.addEventListener("error", () => { if (this.source?.readyState === EventSource.CLOSED) this.refused(); });
    this.show(true);
  }

  stop(): void {
    this.source?.close();
    this.source = null;
    this.settle(true);
    this.show(false);
  }

  /** Another question was asked: what is watched is that one now. */
  follow(): void {
    if (this.source === null || this.question() === this.asked) return;
    this.waiting.clear();
    this.missed = 0;
    this.start();
  }

  private question(): string {
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(one<HTMLFormElement>("form.ask"))) {
      if ((name === "q" || name === "source") && typeof value === "string") asked.append(name, value);
    }
    return asked.toString();
  }

  private show(on: boolean): void {
    this.button.setAttribute("aria-pressed", String(on));
    const parameters = new URLSearchParams(location.search);
    if (on) parameters.set("live", "1");
    else parameters.delete("live");
    const text = parameters.toString();
    history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : ""));
  }

  private ended(why: { reason: string; message: string }): void {
    if (why.reason === "changed") { this.start(); return; }
    this.stop();
    toast(why.message, "error");
  }

  /** A browser does not say why: the server refused the stream, because of the query or of too many streams. */
  private refused(): void {
    this.stop();
    toast(_("This query cannot be watched live now."), "error");
  }

  private arrived(html: string): void {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const row = holder.content.querySelector("tr");
    if (!row) return;
    const id = row.dataset["trace"] ?? "";
    const shown = document.querySelector<HTMLTableRowElement>(`#results tbody.page tr[data-trace="${CSS.escape(id)}"]`);
    if (shown) {
      row.classList.toggle("on", shown.classList.contains("on"));
      row.hidden = shown.hidden;
      shown.replaceWith(row);
      refresh();
      return;
    }
    this.waiting.set(id, row);
    if (this.waiting.size > MOST_WAITING) {
      this.waiting.delete(this.waiting.keys().next().value ?? "");
      this.missed += 1;
    }
    if (this.isRead()) this.tell();
    else this.settle();
  }

  /** True while the list must not move: the pointer is on it, it is scrolled, or text of it is selected. */
  private isRead(): boolean {
    const rows = document.querySelector<HTMLElement>("#results [data-rows]");
    if (!rows) return false;
    return this.over || rows.scrollTop > 4 || (rows.contains(document.activeElement) && rows.querySelector("tr.on") !== null);
  }

  /** Shows what waits, unless the list is being read. */
  private settle(always = false): void {
    if (this.waiting.size === 0 || (!always && this.isRead())) { this.tell(); return; }
    const table = tableOf();
    if (!table) return;
    let body = table.querySelector<HTMLTableSectionElement>("tbody[data-live]");
    if (!body) {
      body = h("tbody", { class: "page", "data-live": "" });
      one("thead", table).after(body);
    }
    for (const row of this.waiting.values()) {
      row.classList.add("fresh");
      setTimeout(() => row.classList.remove("fresh"), FRESH_MS);
      body.prepend(row);
    }
    this.waiting.clear();
    while (body.rows.length > MOST_ROWS) body.rows[body.rows.length - 1]?.remove();
    this.tell();
    refresh();
  }

  /** How many traces wait, as a button above the list that shows them. */
  private tell(): void {
    const rows = document.querySelector<HTMLElement>("#results [data-rows]");
    const bar = document.querySelector<HTMLElement>("#results .waiting-rows");
    if (!rows || (this.waiting.size === 0 && this.missed === 0)) { bar?.remove(); return; }
    const text = [
      this.waiting.size ? _("%(n)s new traces", { n: this.waiting.size }) : "",
      this.missed ? _("%(n)s were missed: they came faster than this page takes them", { n: this.missed }) : "",
    ].filter(Boolean).join(" · ");
    if (bar) { one(".waiting-text", bar).textContent = text; return; }
    const made = h("button", { type: "button", class: "waiting-rows", "aria-live": "polite" }, icon("chevron-up"), h("span", { class: "waiting-text" }, text));
    made.addEventListener("click", () => {
      this.missed = 0;
      rows.scrollTop = 0;
      this.settle(true);
    });
    rows.before(made);
  }
}

/** The table of the list; where nothing was found, the empty one that the page keeps ready. */
function tableOf(): HTMLTableElement | null {
  const known = document.querySelector<HTMLTableElement>("#results [data-rows] table");
  if (known) return known;
  const state = document.querySelector("#results > .state");
  const ready = document.querySelector<HTMLTemplateElement>("template#watching");
  if (!state || !ready) return null;
  state.replaceWith(ready.content.cloneNode(true));
  startList(one<HTMLElement>("#results"));
  return document.querySelector<HTMLTableElement>("#results [data-rows] table");
}

function refresh(): void {
  const results = document.querySelector<HTMLElement>("#results");
  if (results) results.dataset["to"] = String(Math.max(Number(results.dataset["to"]), Date.now()));
  document.querySelector("#results [data-rows]")?.dispatchEvent(new CustomEvent("arcane:rows"));
}

/** The strip shows that a datasource was asked once more, and how it went. */
function polled(poll: { id: string; tone: string; elapsed: string; note: string }): void {
  const source = document.querySelector<HTMLElement>(`.strip-source[data-source="${CSS.escape(poll.id)}"]`);
  if (!source) return;
  source.dataset["tone"] = poll.tone;
  const [, elapsed] = source.querySelectorAll(".data");
  if (elapsed) elapsed.textContent = poll.elapsed;
  one(".strip-note", source).textContent = poll.note;
  source.classList.remove("polled");
  void source.offsetWidth;
  source.classList.add("polled");
}
