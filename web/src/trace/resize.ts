// The widths of the name column and of the panel: dragged or moved with the arrow keys, and kept for the next trace.
const STEP = 24;

interface Width { handle: string; property: string; least: number; most: number; from: "left" | "right" }

const WIDTHS: readonly Width[] = [
  { handle: "[data-resize=names]", property: "--names", least: 180, most: 760, from: "left" },
  { handle: "[data-resize=panel]", property: "--panel", least: 300, most: 860, from: "right" },
];

/** Makes both widths of `page` adjustable. */
export function resizable(page: HTMLElement): void {
  for (const width of WIDTHS) {
    const handle = page.querySelector<HTMLElement>(width.handle);
    const box = handle?.parentElement;
    if (!handle || !box) continue;
    const key = `arcane.width${width.property}`;
    const set = (pixels: number, keep: boolean) => {
      const bounded = Math.round(Math.max(width.least, Math.min(width.most, box.clientWidth - 240, pixels)));
      page.style.setProperty(width.property, `${bounded}px`);
      handle.setAttribute("aria-valuenow", String(bounded));
      if (keep) localStorage.setItem(key, String(bounded));
    };
    const now = () => Number.parseFloat(getComputedStyle(page).getPropertyValue(width.property)) || 370;
    handle.setAttribute("aria-valuemin", String(width.least));
    handle.setAttribute("aria-valuemax", String(width.most));
    handle.setAttribute("aria-valuenow", String(now()));
    const kept = Number(localStorage.getItem(key));
    if (kept) set(kept, false);
    handle.addEventListener("pointerdown", (down) => {
      const start = now();
      const move = (event: PointerEvent) => set(start + (event.clientX - down.clientX) * (width.from === "left" ? 1 : -1), false);
      handle.setPointerCapture(down.pointerId);
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", () => { handle.removeEventListener("pointermove", move); set(now(), true); }, { once: true });
      down.preventDefault();
    });
    handle.addEventListener("dblclick", () => { page.style.removeProperty(width.property); localStorage.removeItem(key); });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      set(now() + step * (width.from === "left" ? 1 : -1), true);
    });
  }
}
