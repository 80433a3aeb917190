// What the page hands over to be drawn; web/charts.py makes it.
export type Unit = "per_second" | "spans" | "seconds" | "none";
export interface ExemplarData { time: number; value: number | null; trace: string; href: string }
export interface SeriesData { name: string; top: number | null; values: (number | null)[]; exemplars: ExemplarData[] }
export interface ChartData { kind: "lines" | "heatmap"; unit: Unit; first: number; step: number; count: number; series: SeriesData[] }

/** Returns the end of a bucket in ms: the time of its point. */
export const timeOf = (data: ChartData, index: number): number => data.first + index * data.step;

/** Returns the bucket that a moment in ms lies in, cut to those there are. */
export function indexOf(data: ChartData, time: number): number {
  return Math.max(0, Math.min(data.count - 1, Math.ceil((time - data.first) / data.step - 1e-9)));
}
