// Results on their way: puts each piece in its place, so that nothing that is already read moves more than it must.
// A row stands where it will stand in the end: newest first. A datasource keeps its place in the strip.
import { _ } from "../texts";
import { placeOf, type Placed } from "./place";

/** Takes pieces (web/templates/traces/pieces.html) and shows them in `root`, which holds traces/asking.html. */
export class Arriving {
  private rows: Placed[] = [];
  private elements = new Map<string, HTMLTableRowElement>();
  private body: HTMLElement | null = null;

  constructor(private readonly root: HTMLElement) {}

  take(piece: HTMLTemplateElement): void {
    const element = piece.content.firstElementChild;
    if (!element) return;
    if (piece.dataset["piece"] === "row") this.row(element as HTMLTableRowElement, piece.dataset["at"] ?? "");
    else this.source(element as HTMLElement);
  }

  private row(element: HTMLTableRowElement, at: string): void {
    const id = element.dataset["trace"] ?? "";
    const body = this.body ??= this.table();
    if (!body) return;
    const known = this.elements.get(id);
    if (known) {
      this.rows = this.rows.filter((row) => row.id !== id);
      known.remove();
    }
    const place = placeOf(this.rows, { id, at });
    if (place >= this.most) { this.elements.delete(id); return; }
    const next = this.rows[place];
    body.insertBefore(element, next ? this.elements.get(next.id) ?? null : null);
    this.rows.splice(place, 0, { id, at });
    this.elements.set(id, element);
    for (const row of this.rows.splice(this.most)) {
      this.elements.get(row.id)?.remove();
      this.elements.delete(row.id);
    }
    const sum = this.root.querySelector(".strip-sum");
    if (sum) sum.textContent = _("%(n)d so far", { n: this.rows.length });
  }

  /** Makes the table in place of the grey rows, with the columns it will have. */
  private table(): HTMLElement | null {
    const rows = this.root.querySelector<HTMLElement>("[data-arriving]");
    const template = rows?.querySelector("template");
    if (!rows || !template) return null;
    rows.replaceChildren(template.content.cloneNode(true));
    rows.addEventListener("scroll", () => { this.root.dataset["scrolled"] = String(rows.scrollTop); }, { passive: true });
    return rows.querySelector<HTMLElement>("tbody.page");
  }

  private get most(): number {
    return Number(this.root.querySelector<HTMLElement>("[data-arriving]")?.dataset["arriving"] ?? 50);
  }

  private source(element: HTMLElement): void {
    const id = element.dataset["source"] ?? "";
    for (const asking of this.root.querySelectorAll<HTMLElement>(".strip [data-asking]")) {
      if (asking.dataset["asking"] === id) asking.replaceWith(element);
    }
  }
}
