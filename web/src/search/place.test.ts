import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, type Placed } from "./place";

test("rows stand newest first, equal ones by id, in whatever order they come", () => {
  const rows: Placed[] = [];
  const at = ["0005", "0009", "0001", "0009", "0007"];
  at.forEach((start, index) => {
    const row = { at: start, id: String(index) };
    rows.splice(placeOf(rows, row), 0, row);
  });
  assert.deepEqual(rows.map((row) => row.id), ["3", "1", "4", "0", "2"]);
});
