// Where a key leads in a grid.
const STEPS: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Returns the cell that `key` leads to from (row, column), null where it leads nowhere. */
export function neighbour(
  key: string, row: number, column: number, rows: number, columns: number,
): { row: number; column: number } | null {
  if (key === "Home") return { row, column: 0 };
  if (key === "End") return { row, column: columns - 1 };
  const step = STEPS[key];
  if (!step) return null;
  const there = { row: row + step[0], column: column + step[1] };
  return there.row < 0 || there.row >= rows || there.column < 0 || there.column >= columns ? null : there;
}
