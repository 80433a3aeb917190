// Rows over time, as numbers: how many of the loaded rows began in each slot, and how many of them have errors.
export interface Row { start: number; failed: boolean }
export interface Slot { from: number; to: number; rows: number; failed: number }

/** Returns `count` equal slots over [from, to] in ms; rows before or after fall into the first and last one. */
export function slotsOf(rows: readonly Row[], from: number, to: number, count: number): Slot[] {
  const width = Math.max(1, to - from) / count;
  const slots = Array.from({ length: count }, (_unused, at) =>
    ({ from: from + at * width, to: from + (at + 1) * width, rows: 0, failed: 0 }));
  for (const row of rows) {
    const slot = slots[Math.max(0, Math.min(count - 1, Math.floor((row.start - from) / width)))];
    if (!slot) continue;
    slot.rows += 1;
    slot.failed += row.failed ? 1 : 0;
  }
  return slots;
}
