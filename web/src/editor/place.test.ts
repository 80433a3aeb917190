import assert from "node:assert/strict";
import { test } from "node:test";
import { units } from "./place";

test("a place behind an emoji is as many units further as it has", () => {
  assert.equal(units('{ .a = "🦊" && foo }', 14), 15);
  assert.equal(units("{ foo }", 2), 2);
});

test("a place behind the end is the end, one before the beginning is the beginning", () => {
  assert.equal(units("{🦊", 9), 3);
  assert.equal(units("{}", -1), 0);
});
