// A histogram over time: a cell for each bucket of values and of time, darker where more spans are.
import { type ChartData, type SeriesData, timeOf } from "./data";
import { s } from "./svg";

export interface Row { exponent: number; series: SeriesData }

/** Returns the rows from the lowest to the highest bucket; the one of values that are not above zero comes first. */
export function rowsOf(data: ChartData): Row[] {
  const found = data.series.map((series) => ({ exponent: series.top && series.top > 0 ? Math.round(Math.log2(series.top) * 1e6) / 1e6 : -Infinity, series }));
  const least = Math.min(...found.map((row) => row.exponent).filter(Number.isFinite));
  const lowest = Number.isFinite(least) ? least : 1;
  return found.map((row) => (Number.isFinite(row.exponent) ? row : { ...row, exponent: lowest - 1 })).sort((a, b) => a.exponent - b.exponent);
}

/** Returns the cells; `y` gives the upper edge of a row. */
export function drawCells(data: ChartData, rows: readonly Row[], x: (ms: number) => number, y: (exponent: number) => number): SVGElement[] {
  const most = Math.max(1, ...rows.flatMap((row) => row.series.values.map((value) => value ?? 0)));
  const wide = Math.max(1, x(timeOf(data, 1)) - x(timeOf(data, 0)) - 1);
  const cells: SVGElement[] = [];
  for (const row of rows) {
    const top = y(row.exponent), tall = Math.max(1, y(row.exponent - 1) - top - 1);
    row.series.values.forEach((value, index) => {
      if (!value) return;
      const cell = s("rect", { class: "cell", x: x(timeOf(data, index) - data.step) + 0.5, y: top + 0.5, width: wide, height: tall, rx: 1.5 });
      cell.style.fillOpacity = String(0.14 + 0.86 * Math.sqrt(value / most));
      cells.push(cell);
    });
  }
  for (const row of rows) {
    for (const one of row.series.exemplars) {
      if (one.value === null || one.value <= 0) continue;
      const link = s("a", { href: one.href, class: "exemplar", tabindex: -1 });
      const at = `${x(one.time).toFixed(1)},${(y(Math.log2(one.value)) - 3).toFixed(1)}`;
      link.append(s("path", { d: `M${at}l3,3l-3,3l-3,-3Z` }), s("title", {}, one.trace));
      cells.push(link);
    }
  }
  return cells;
}
