// Where things stand on a chart: round marks on both axes. Pure.
export interface Scale { low: number; high: number; marks: number[] }

/** Returns a scale from zero (or below) to a round number above `most`, with about `wanted` marks. */
export function valueScale(least: number, most: number, wanted: number): Scale {
  const low = Math.min(0, least);
  const high = most > low ? most : low + 1;
  const step = niceStep((high - low) / Math.max(1, wanted));
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return { low: first * step, high: last * step, marks: range(first, last).map((at) => rounded(at * step)) };
}

/** Returns the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `step`. */
export function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const nice = [1, 2, 2.5, 5, 10].find((one) => one * power >= step * (1 - 1e-9)) ?? 10;
  return nice * power;
}

const MINUTE = 60e3, HOUR = 3600e3, DAY = 86400e3;
const TIMES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
  15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY];

/** Returns round moments between `from` and `to` in ms; `offset` is how far the wall clock is ahead of UTC. */
export function timeMarks(from: number, to: number, wanted: number, offset: number): number[] {
  const step = TIMES.find((one) => (to - from) / one <= wanted) ?? Math.ceil((to - from) / wanted / (28 * DAY)) * 28 * DAY;
  const first = Math.ceil((from + offset) / step);
  const last = Math.floor((to + offset) / step);
  return range(first, last).map((at) => at * step - offset);
}

const range = (first: number, last: number): number[] => Array.from({ length: Math.max(0, last - first + 1) }, (_unused, at) => first + at);
const rounded = (value: number): number => Number(value.toPrecision(12));
