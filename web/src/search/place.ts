// Where a row stands in a list that is newest first.
export interface Placed { at: string; id: string }

/** Returns the index at which `row` stands among `rows`: both descend by `at` (digits of one length), then by id. */
export function placeOf(rows: readonly Placed[], row: Placed): number {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(rows[middle] as Placed, row)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(one: Placed, other: Placed): boolean {
  return one.at === other.at ? one.id > other.id : one.at > other.at;
}
