// The shape over time above the rows: what is loaded, errors in red, what is not loaded yet hatched. Dragging over it
// asks again for that part of the time.
import { brush, s } from "../chart/svg";
import { h, one } from "../dom";
import { axisText } from "../format";
import { _ } from "../texts";
import { slotsOf, type Row } from "./histogram";

const HEIGHT = 58;
const SLOT_PX = 16;
const TICKS = 5;

interface Window { from: number; to: number; more: boolean }

/** Draws `rows` into `figure`; `zoom` is called with the part of the time that was dragged over. */
export function drawShape(figure: HTMLElement, rows: readonly Row[], window: Window, zoom: (from: number, to: number) => void): void {
  const width = Math.max(200, figure.clientWidth);
  const slots = slotsOf(rows, window.from, window.to, Math.floor(width / SLOT_PX));
  const step = width / slots.length;
  const highest = Math.max(1, ...slots.map((slot) => slot.rows));
  const svg = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const oldest = Math.min(...rows.map((row) => row.start));
  if (window.more && oldest > window.from) svg.append(...unloaded(((oldest - window.from) / (window.to - window.from)) * width));
  svg.append(s("line", { class: "base", x1: 0, x2: width, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
  slots.forEach((slot, at) => {
    const x = at * step;
    const tall = slot.rows && Math.max(3, (slot.rows / highest) * (HEIGHT - 4));
    const red = slot.failed && Math.max(2, (slot.failed / highest) * (HEIGHT - 4));
    if (tall) svg.append(s("rect", { class: "bar", x: x + 1, width: step - 2, y: HEIGHT - tall, height: tall, rx: 1.5 }));
    if (red) svg.append(s("rect", { class: "bar-error", x: x + 1, width: step - 2, y: HEIGHT - red, height: red, rx: 1.5 }));
    svg.append(s("rect", { class: "slot", x, width: step, y: 0, height: HEIGHT, "data-slot": at }));
  });
  const note = h("span", { class: "shape-note" });
  note.hidden = true;
  const range = window.to - window.from;
  const ticks = Array.from({ length: TICKS }, (_unused, at) => h("span", {}, axisText(window.from + (range * at) / (TICKS - 1), range)));
  const caption = one("figcaption", figure);
  figure.replaceChildren(caption, svg, h("div", { class: "shape-axis" }, ...ticks), note);
  caption.textContent = _("%(n)s rows loaded, over time; errors are red.", { n: rows.length });

  const show = (event: PointerEvent) => {
    const slot = slots[Number((event.target as SVGElement).dataset["slot"] ?? -1)];
    note.hidden = !slot;
    if (!slot) return;
    const failed = slot.failed ? _(", %(n)s with errors", { n: slot.failed }) : "";
    note.textContent = `${axisText(slot.from, range)} – ${axisText(slot.to, range)}: ${_("%(n)s loaded", { n: slot.rows })}${failed}`;
    note.style.left = `${Math.min(event.offsetX + 8, width - 220)}px`;
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerleave", () => { note.hidden = true; });
  brush(svg, width, HEIGHT, (a, b) => zoom(window.from + (a / width) * range, window.from + (b / width) * range));
}

/** The part of the range that has not been loaded: older than the oldest row, when there are more. */
function unloaded(width: number): SVGElement[] {
  const pattern = s("pattern", { id: "unloaded", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(s("line", { class: "unloaded-line", x1: 0, x2: 0, y1: 0, y2: 6 }));
  return [pattern, s("rect", { class: "unloaded", x: 0, width: Math.max(0, width - 2), y: HEIGHT - 14, height: 14 })];
}
