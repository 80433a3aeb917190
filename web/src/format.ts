// How numbers, times and ids are written; web/formatting.py writes them the same way on the server.
const significant = (value: number): string =>
  value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);

/** Returns three significant digits and a unit: `412 µs`, `3.21 ms`, `8.87 s`, `12 min 04 s`. */
export function durationText(nanos: number): string {
  if (nanos < 0) return `−${durationText(-nanos)}`;
  if (nanos < 1e3) return `${Math.round(nanos)} ns`;
  if (nanos < 1e6) return `${significant(nanos / 1e3)} µs`;
  if (nanos < 1e9) return `${significant(nanos / 1e6)} ms`;
  const seconds = nanos / 1e9;
  if (seconds < 60) return `${significant(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** Returns `1,234,567`. */
export function countText(value: number): string {
  return value.toLocaleString("en-US");
}

/** Returns dollars with as many digits as say something. */
export function costText(amount: number): string {
  if (amount === 0) return "$0";
  if (amount < 0.0001) return "<$0.0001";
  return amount < 1 ? `$${amount.toFixed(4)}` : `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** Returns `text` shortened in the middle. */
export function shortId(text: string, keep = 8): string {
  return text.length <= 2 * keep + 1 ? text : `${text.slice(0, keep)}…${text.slice(-keep)}`;
}

const UNITS: readonly (readonly [number, string])[] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

/** Returns `nanos` for a ruler whose marks are `step` apart and reach to `most`: one unit, as many digits as show that they are equally far apart. */
export function rulerText(nanos: number, step: number, most: number): string {
  if (most >= 60e9 && step >= 1e9) return durationText(nanos);
  const [unit, name] = UNITS.find(([size]) => most >= size) ?? [1, "ns"];
  const digits = Math.max(0, Math.min(9, Math.ceil(Math.log10(unit / Math.max(step, 1))) + 1));
  return `${(nanos / unit).toFixed(digits)} ${name}`;
}

/** Returns the wall clock of `ms` (since the epoch) for an axis over `range` ms: no finer than it has to be. */
export function axisText(ms: number, range: number): string {
  const at = new Date(ms);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (range <= 20 * 60e3) return `${clock}:${two(at.getSeconds())}`;
  return range <= 36 * 3600e3 ? clock : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`;
}
