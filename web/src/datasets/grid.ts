// The grid of a dataset: arrows move, Enter edits where a cell stands, everything longer is a form beside the grid.
// Without this module it is a table with links to the form of each row.
import { Refused } from "../api";
import { h, meta, one } from "../dom";
import { toast } from "../elements/toasts";
import { onKey } from "../keys";
import { _ } from "../texts";
import { neighbour } from "./place";

interface Edited { version: number; items: { values: Record<string, unknown> }[] }

export function init(form: HTMLElement): void {
  new Grid(form);
}

class Grid {
  private readonly cells: HTMLElement[][];
  private readonly drawer = one<HTMLDialogElement>("#drawer");
  private readonly editable: boolean;

  constructor(private readonly form: HTMLElement) {
    this.editable = form.dataset["editable"] !== undefined;
    this.cells = [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll<HTMLElement>("td[data-column]")]);
    this.cells[0]?.[0]?.setAttribute("tabindex", "0");
    form.addEventListener("keydown", (event) => this.key(event));
    form.addEventListener("dblclick", (event) => this.begin(cellOf(event)));
    form.addEventListener("click", (event) => this.click(event));
    onKey("x", () => this.tick());
    onKey("o", () => this.open(this.focused?.closest("tr") ?? null));
  }

  private get focused(): HTMLElement | null {
    return document.activeElement?.closest<HTMLElement>("td[data-column]") ?? null;
  }

  private key(event: KeyboardEvent): void {
    const cell = this.focused;
    if (!cell || cell.classList.contains("editing") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.begin(cell);
      return;
    }
    const row = this.cells.findIndex((cells) => cells.includes(cell));
    const next = neighbour(event.key, row, this.cells[row]?.indexOf(cell) ?? 0, this.cells.length, this.cells[row]?.length ?? 0);
    const target = next && this.cells[next.row]?.[next.column];
    if (!target) return;
    event.preventDefault();
    focus(target);
  }

  private click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("a[data-open]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.open(target.closest("tr"));
      return;
    }
    const cell = cellOf(event);
    if (cell && !cell.classList.contains("editing")) focus(cell);
  }

  private tick(): void {
    const box = this.focused?.closest("tr")?.querySelector<HTMLInputElement>("input[name=row]");
    if (box && !box.disabled) box.checked = !box.checked;
  }

  private begin(cell: HTMLElement | null): void {
    if (!cell || cell.classList.contains("editing")) return;
    if (!this.editable || cell.dataset["inPlace"] === undefined) {
      this.open(cell.closest("tr"));
      return;
    }
    const before = cell.textContent ?? "";
    const field = h("textarea", { rows: "1", "aria-label": cell.dataset["column"] ?? "", spellcheck: "false" });
    field.value = before;
    cell.classList.add("editing");
    cell.replaceChildren(field);
    field.focus();
    field.select();
    let over = false;
    const leave = (text: string): void => {
      over = true;
      cell.classList.remove("editing");
      cell.textContent = text;
    };
    const save = async (): Promise<void> => {
      if (over) return;
      const text = field.value;
      leave(text);
      if (text !== before && !await this.saved(cell, text)) cell.textContent = before;
    };
    field.addEventListener("blur", () => void save());
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") leave(before);
      else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) void save();
      else return;
      event.preventDefault();
      focus(cell);
    });
  }

  /** True when the cell was stored; what stands against it is told. */
  private async saved(cell: HTMLElement, text: string): Promise<boolean> {
    const number = cell.dataset["type"] === "number";
    const value = text.trim() === "" ? null : number ? Number(text) : text;
    if (number && typeof value === "number" && !Number.isFinite(value)) {
      toast(_("The cell has to be a number."), "error");
      return false;
    }
    const row = cell.closest("tr")?.dataset["row"];
    const name = cell.dataset["column"] ?? "";
    try {
      const body = { version: Number(this.form.dataset["version"]), rows: [{ row_id: row, values: { [name]: value } }] };
      const answer = await patched(`${this.form.dataset["api"]}/rows`, body);
      const stored = answer.items[0]?.values[name];
      cell.textContent = stored === null || stored === undefined ? "" : String(stored);
      this.form.dataset["version"] = String(answer.version);
      one("[data-version-shown]").textContent = `v${answer.version}`;
      return true;
    } catch (error) {
      toast(error instanceof Refused ? error.detail : _("The cell was not saved."), "error");
      return false;
    }
  }

  private async fetchForm(row: HTMLElement): Promise<string> {
    const link = one<HTMLAnchorElement>("a[data-open]", row);
    const address = this.editable ? link.href.split("?")[0] ?? link.href : link.href;
    const back = this.form.querySelector<HTMLInputElement>("input[name=back]")?.value ?? "";
    const response = await fetch(address, { headers: { "hx-request": "true", "x-grid": back } });
    if (!response.ok) throw new Refused(response.status, response.statusText, "", {});
    return response.text();
  }

  private open(row: HTMLElement | null): void {
    if (!row) return;
    void this.fetchForm(row).then(
      (text) => {
        const body = one<HTMLElement>(".dialog-body", this.drawer);
        body.replaceChildren(document.createRange().createContextualFragment(text));
        this.drawer.showModal();
        body.querySelector<HTMLElement>("textarea")?.focus();
      },
      () => toast(_("The row could not be opened."), "error"),
    );
  }
}

function cellOf(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("td[data-column]") : null;
}

function focus(cell: HTMLElement): void {
  for (const other of cell.closest("tbody")?.querySelectorAll('td[tabindex="0"]') ?? []) other.setAttribute("tabindex", "-1");
  cell.setAttribute("tabindex", "0");
  cell.focus();
}

async function patched(url: string, body: unknown): Promise<Edited> {
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": meta("csrf-token") };
  const response = await fetch(url, { method: "PATCH", headers, body: JSON.stringify(body) });
  const said: unknown = await response.json();
  if (!response.ok) {
    const problem = said as { title?: string; detail?: string };
    throw new Refused(response.status, problem.title ?? "", problem.detail ?? "", {});
  }
  return said as Edited;
}
