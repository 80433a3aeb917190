// Lines, or areas on top of each other.
import { type ChartData, indexOf, timeOf } from "./data";
import { type Scale, valueScale } from "./scale";
import { s } from "./svg";

export interface Frame { x: (ms: number) => number; y: (value: number) => number; colour: (series: number) => number }

/** Returns for each series the bottom and top of its points: from zero, or stacked on those below it; null where there is none. */
export function bands(data: ChartData, shown: readonly number[], stacked: boolean): Map<number, ([number, number] | null)[]> {
  const below = new Array<number>(data.count).fill(0);
  return new Map(shown.map((at) => {
    const values = data.series[at]?.values ?? [];
    return [at, values.map((value, index): [number, number] | null => {
      if (!stacked) return value === null ? null : [0, value];
      const bottom = below[index] ?? 0;
      below[index] = bottom + (value ?? 0);
      return [bottom, bottom + (value ?? 0)];
    })];
  }));
}

/** Returns the scale for what is shown. */
export function scaleOf(found: Map<number, ([number, number] | null)[]>, data: ChartData, wanted: number): Scale {
  let least = 0, most = 0;
  for (const [at, points] of found) {
    for (const point of points) if (point) { least = Math.min(least, point[1]); most = Math.max(most, point[1]); }
    for (const one of data.series[at]?.exemplars ?? []) most = Math.max(most, one.value ?? 0);
  }
  return valueScale(least, most, wanted);
}

/** Returns what is drawn for the series, those that are first on top. */
export function drawLines(data: ChartData, found: Map<number, ([number, number] | null)[]>, frame: Frame, stacked: boolean): SVGElement[] {
  const drawn = [...found].reverse().map(([at, points]) => {
    const group = s("g", { class: "line", "data-series": frame.colour(at), "data-at": at });
    for (const run of runs(points)) {
      const tops = run.map(([index, [, top]]) => `${px(frame.x(timeOf(data, index)))},${px(frame.y(top))}`);
      if (stacked) {
        const bottoms = run.map(([index, [bottom]]) => `${px(frame.x(timeOf(data, index)))},${px(frame.y(bottom))}`).reverse();
        group.append(s("path", { class: "area", d: `M${tops.join("L")}L${bottoms.join("L")}Z` }));
      }
      if (tops.length > 1) group.append(s("path", { class: "stroke", d: `M${tops.join("L")}` }));
      else if (tops[0]) group.append(s("circle", { class: "alone", r: 2.5, cx: tops[0].split(",")[0]!, cy: tops[0].split(",")[1]! }));
    }
    return group;
  });
  return [...drawn, ...exemplars(data, found, frame)];
}

function exemplars(data: ChartData, found: Map<number, ([number, number] | null)[]>, frame: Frame): SVGElement[] {
  const drawn: SVGElement[] = [];
  for (const [at, points] of found) {
    for (const one of data.series[at]?.exemplars ?? []) {
      const value = one.value ?? points[indexOf(data, one.time)]?.[1];
      if (value === undefined) continue;
      const x = frame.x(Math.max(one.time, timeOf(data, 0))), y = frame.y(value); // what the first point is about lies left of it
      const link = s("a", { href: one.href, class: "exemplar", "data-series": frame.colour(at), tabindex: -1 });
      link.append(s("path", { d: `M${px(x)},${px(y - 4.5)}l4.5,4.5l-4.5,4.5l-4.5,-4.5Z` }), s("title", {}, one.trace));
      drawn.push(link);
    }
  }
  return drawn;
}

function runs(points: readonly ([number, number] | null)[]): [number, [number, number]][][] {
  const found: [number, [number, number]][][] = [];
  let open: [number, [number, number]][] | null = null;
  points.forEach((point, index) => {
    if (!point) { open = null; return; }
    if (!open) found.push(open = []);
    open.push([index, point]);
  });
  return found;
}

const px = (value: number): string => value.toFixed(1);
