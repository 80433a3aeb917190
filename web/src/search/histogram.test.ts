import assert from "node:assert/strict";
import { test } from "node:test";
import { slotsOf } from "./histogram";

test("every row is counted once, also at and beyond the edges", () => {
  const rows = [-5, 0, 10, 50, 99, 100, 250].map((start) => ({ start, failed: start === 50 }));
  const slots = slotsOf(rows, 0, 100, 10);
  assert.equal(slots.length, 10);
  assert.equal(slots.reduce((sum, slot) => sum + slot.rows, 0), rows.length);
  assert.equal(slots[5]?.failed, 1);
  assert.equal(slots[0]?.from, 0);
  assert.equal(slots[9]?.to, 100);
});
