// The chart of the metrics page: draws the series, shows the values below the pointer in the list, turns series on and off.
import { one } from "../dom";
import { axisText } from "../format";
import { isTyping, onKey } from "../keys";
import { _ } from "../texts";
import { zoomTo } from "../zoom";
import { type ChartData, indexOf, timeOf } from "./data";
import { drawCells, rowsOf } from "./heatmap";
import { bands, drawLines, scaleOf } from "./lines";
import { timeMarks } from "./scale";
import { brush, s } from "./svg";
import { valueText } from "./values";

const HEIGHT = 280, TOP = 8, BOTTOM = 22, LEFT = 64, RIGHT = 12;
const COLOURS = 8;

export function init(results: HTMLElement): void {
  document.querySelector("#loading")?.remove();
  const figure = results.querySelector<HTMLElement>("[data-chart]");
  if (figure) new Chart(figure, results.querySelector<HTMLElement>("[data-legend]"));
}

class Chart {
  private readonly data: ChartData;
  private readonly plot: HTMLElement;
  private readonly note: HTMLElement;
  private readonly lasts = new Map<number, string>();
  private readonly heading: HTMLElement | null;
  private readonly headingText: string;
  private stacked: boolean;
  private width = 0;
  private at: number | null = null;
  private cross: SVGElement | null = null;
  private y: (value: number) => number = () => 0;

  constructor(private readonly figure: HTMLElement, private readonly legend: HTMLElement | null) {
    this.data = JSON.parse(one("[data-series]", figure).textContent ?? "{}") as ChartData;
    this.plot = one(".plot", figure);
    this.note = one(".chart-note", figure);
    this.stacked = figure.dataset["draw"] === "stacked";
    this.heading = legend?.querySelector<HTMLElement>("[data-at-head]") ?? null;
    this.headingText = this.heading?.textContent ?? "";
    for (const row of this.rows()) this.lasts.set(Number(row.dataset["at"]), one("[data-at-value]", row).textContent ?? "");
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.plot);
    this.draw();
  }

  private rows(): HTMLTableRowElement[] {
    return [...(this.legend?.querySelectorAll<HTMLTableRowElement>("tr[data-at]") ?? [])];
  }

  private shown(): number[] {
    if (!this.legend || this.data.kind === "heatmap") return this.data.series.map((_unused, at) => at);
    return this.rows().filter((row) => row.querySelector<HTMLInputElement>("input")?.checked).map((row) => Number(row.dataset["at"]));
  }

  private listen(): void {
    for (const button of this.figure.querySelectorAll<HTMLButtonElement>("[data-draw-as]")) {
      button.addEventListener("click", () => this.drawAs(button.dataset["drawAs"] === "stacked"));
    }
    onKey("s", () => { if (this.figure.isConnected && this.data.kind === "lines") this.drawAs(!this.stacked); });
    this.legend?.addEventListener("change", () => this.draw());
    this.legend?.addEventListener("click", (event) => this.only(event));
    this.legend?.addEventListener("pointerover", (event) => this.raise((event.target as Element).closest<HTMLElement>("tr[data-at]")));
    this.legend?.addEventListener("pointerleave", () => this.raise(null));
    this.plot.addEventListener("pointermove", (event) => this.show(this.indexAt(event.clientX - this.plot.getBoundingClientRect().left)));
    this.plot.addEventListener("pointerleave", () => this.show(null));
    this.plot.addEventListener("blur", () => this.show(null));
    this.plot.addEventListener("keydown", (event) => this.onKey(event));
  }

  private onKey(event: KeyboardEvent): void {
    if (isTyping(document.activeElement)) return;
    const last = this.data.count - 1, at = this.at ?? last + 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(Math.max(0, Math.min(last, to)));
  }

  /** A click on a name with Alt or Shift shows that series alone, and all of them again the next time. */
  private only(event: MouseEvent): void {
    const row = (event.target as Element).closest<HTMLElement>("tr[data-at]");
    if (!row || !(event.altKey || event.shiftKey)) return;
    event.preventDefault();
    const alone = this.shown().length === 1 && this.shown()[0] === Number(row.dataset["at"]);
    for (const one of this.rows()) {
      const box = one.querySelector<HTMLInputElement>("input");
      if (box) box.checked = alone || one === row;
    }
    this.draw();
  }

  private raise(row: HTMLElement | null): void {
    this.plot.querySelector(".raised")?.classList.remove("raised");
    const line = row && this.plot.querySelector(`.line[data-at="${row.dataset["at"] ?? ""}"]`);
    line?.classList.add("raised");
    this.plot.classList.toggle("has-raised", Boolean(line));
  }

  private drawAs(stacked: boolean): void {
    this.stacked = stacked;
    for (const button of this.figure.querySelectorAll<HTMLButtonElement>("[data-draw-as]")) {
      button.setAttribute("aria-pressed", String((button.dataset["drawAs"] === "stacked") === stacked));
    }
    const here = new URL(location.href);
    if (stacked) here.searchParams.set("draw", "stacked"); else here.searchParams.delete("draw");
    history.replaceState(history.state, "", here);
    this.draw();
  }

  private x(ms: number): number {
    const from = timeOf(this.data, 0) - (this.data.kind === "heatmap" ? this.data.step : 0);
    const to = Math.max(timeOf(this.data, this.data.count - 1), from + 1);
    return LEFT + ((ms - from) / (to - from)) * (this.width - LEFT - RIGHT);
  }

  private time(x: number): number {
    const from = timeOf(this.data, 0) - (this.data.kind === "heatmap" ? this.data.step : 0);
    const to = timeOf(this.data, this.data.count - 1);
    return from + ((x - LEFT) / Math.max(1, this.width - LEFT - RIGHT)) * (to - from);
  }

  private indexAt(x: number): number {
    const time = this.time(x);
    return this.data.kind === "heatmap" ? indexOf(this.data, time) : indexOf(this.data, time - this.data.step / 2);
  }

  private draw(): void {
    this.width = Math.max(320, this.plot.clientWidth);
    const svg = s("svg", { viewBox: `0 0 ${this.width} ${HEIGHT}`, width: this.width, height: HEIGHT, "aria-hidden": "true" });
    const axis = s("g", { class: "axis" }), marks = s("g");
    svg.append(axis, ...(this.data.kind === "heatmap" ? this.heatmap(axis) : this.lines(axis)), marks);
    this.times(axis);
    this.cross = svg.appendChild(s("g", { class: "cross" }));
    brush(svg, this.width, HEIGHT - BOTTOM, (from, to) => zoomTo(this.time(from), this.time(to)));
    this.plot.replaceChildren(svg);
    this.show(this.at);
  }

  private lines(axis: SVGElement): SVGElement[] {
    const shown = this.shown();
    const found = bands(this.data, shown, this.stacked);
    const scale = scaleOf(found, this.data, 5);
    this.y = (value) => TOP + (1 - (value - scale.low) / (scale.high - scale.low)) * (HEIGHT - TOP - BOTTOM);
    for (const mark of scale.marks) this.rule(axis, this.y(mark), valueText(mark, this.data.unit));
    const frame = { x: (ms: number) => this.x(ms), y: this.y, colour: colourOf };
    return drawLines(this.data, found, frame, this.stacked);
  }

  private heatmap(axis: SVGElement): SVGElement[] {
    const rows = rowsOf(this.data);
    const low = (rows[0]?.exponent ?? 0) - 1, high = rows.at(-1)?.exponent ?? 1;
    this.y = (exponent) => TOP + (1 - (exponent - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const every = Math.max(1, Math.ceil(rows.length / 8));
    rows.forEach((row, at) => { if ((rows.length - 1 - at) % every === 0) this.rule(axis, this.y(row.exponent), valueText(row.series.top ?? 0, this.data.unit)); });
    return drawCells(this.data, rows, (ms) => this.x(ms), this.y);
  }

  private rule(axis: SVGElement, y: number, text: string): void {
    axis.append(s("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }), s("text", { x: LEFT - 8, y: y + 3.5, "text-anchor": "end" }, text));
  }

  private times(axis: SVGElement): void {
    const from = this.time(LEFT), to = this.time(this.width - RIGHT);
    const offset = -new Date(to).getTimezoneOffset() * 60e3;
    for (const mark of timeMarks(from, to, Math.max(2, Math.floor(this.width / 110)), offset)) {
      const x = this.x(mark);
      axis.append(s("text", { x, y: HEIGHT - 5, "text-anchor": x > this.width - 40 ? "end" : "middle" }, axisText(mark, to - from)));
    }
  }

  /** Shows the values of one point: a line in the chart, and the numbers in the list. */
  private show(at: number | null): void {
    this.at = at;
    this.cross?.replaceChildren();
    if (this.heading) this.heading.textContent = at === null ? this.headingText : axisText(timeOf(this.data, at), this.data.step * this.data.count);
    for (const row of this.rows()) {
      const number = Number(row.dataset["at"]);
      const value = at === null ? null : this.data.series[number]?.values[at];
      const unit = this.data.kind === "heatmap" ? "spans" : this.data.unit;
      one("[data-at-value]", row).textContent = at === null ? this.lasts.get(number) ?? "" : typeof value === "number" ? valueText(value, unit) : "–";
    }
    if (at === null) { this.note.textContent = ""; return; }
    const end = timeOf(this.data, at), range = this.data.step;
    this.note.textContent = _("%(from)s – %(to)s", { from: axisText(end - range, Math.min(range * 20, 20 * 60e3)), to: axisText(end, Math.min(range * 20, 20 * 60e3)) });
    this.mark(at, end);
  }

  private mark(at: number, end: number): void {
    if (!this.cross) return;
    if (this.data.kind === "heatmap") {
      const x = this.x(end - this.data.step);
      this.cross.append(s("rect", { x, width: this.x(end) - x, y: TOP, height: HEIGHT - TOP - BOTTOM }));
      return;
    }
    const x = this.x(end);
    this.cross.append(s("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }));
    for (const [number, points] of bands(this.data, this.shown(), this.stacked)) {
      const point = points[at];
      if (point && this.data.series[number]?.values[at] !== null) this.cross.append(s("circle", { r: 3.5, cx: x, cy: this.y(point[1]), "data-series": colourOf(number) }));
    }
  }
}

const colourOf = (series: number): number => (series % COLOURS) + 1;
