import assert from "node:assert/strict";
import { test } from "node:test";
import { neighbour } from "./place";

test("arrows move by one cell and stop at the edge", () => {
  assert.deepEqual(neighbour("ArrowDown", 0, 1, 2, 3), { row: 1, column: 1 });
  assert.deepEqual(neighbour("ArrowRight", 0, 1, 2, 3), { row: 0, column: 2 });
  assert.equal(neighbour("ArrowDown", 1, 1, 2, 3), null);
  assert.equal(neighbour("ArrowLeft", 1, 0, 2, 3), null);
});

test("Home and End reach the ends of a row, other keys nothing", () => {
  assert.deepEqual(neighbour("End", 1, 0, 2, 3), { row: 1, column: 2 });
  assert.deepEqual(neighbour("Home", 1, 2, 2, 3), { row: 1, column: 0 });
  assert.equal(neighbour("a", 1, 2, 2, 3), null);
});
