// How measured values are written; web/measures.py writes them the same way on the server.
import { durationText } from "../format";
import type { Unit } from "./data";

/** Returns a value with three significant digits and its unit. */
export function valueText(value: number, unit: Unit): string {
  if (unit === "seconds") return value === 0 ? "0 s" : durationText(Math.round(value * 1e9));
  const text = numberText(Math.abs(value));
  return `${value < 0 ? "−" : ""}${text}${unit === "per_second" ? "/s" : ""}`;
}

const LARGE: readonly (readonly [number, string])[] = [[1e12, " T"], [1e9, " G"], [1e6, " M"]];

/** Returns a number that is not negative with three significant digits, or all of a count below a million. */
export function numberText(value: number): string {
  for (const [size, mark] of LARGE) if (value >= size) return `${Number((value / size).toPrecision(3))}${mark}`;
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  if (value > 0 && value < 0.001) return value.toExponential(2).replace(/e([+-])(\d)$/, "e$10$2");
  return String(Number(value.toPrecision(3)));
}
