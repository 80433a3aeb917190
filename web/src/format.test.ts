import assert from "node:assert/strict";
import { test } from "node:test";
import { costText, durationText, rulerText, shortId } from "./format";

// The same examples as the docstrings of web/formatting.py.
test("durations", () => {
  const texts = [0, 950, 1_500, 3_214_000, 210_000_000, 8_874_000_000, 724_000_000_000].map(durationText);
  assert.deepEqual(texts, ["0 ns", "950 ns", "1.50 µs", "3.21 ms", "210 ms", "8.87 s", "12 min 04 s"]);
});

test("money", () => {
  assert.deepEqual([0, 0.00004, 0.0417, 1.2, 1234.5].map(costText), ["$0", "<$0.0001", "$0.0417", "$1.20", "$1,234.50"]);
});

test("ids", () => {
  assert.equal(shortId("7c41f0aa11112222333344445b3e90d1"), "7c41f0aa…5b3e90d1");
  assert.equal(shortId("7c41f0aa1111"), "7c41f0aa1111");
});

test("marks of a ruler are told apart, however deep it is zoomed", () => {
  for (const [from, to] of [[0, 12.9e9], [5.82e9, 5.8266e9], [0, 1.2e9], [1e9, 1e9 + 400], [0, 90], [0, 4000e9]] as const) {
    const step = (to - from) / 5;
    const texts = [0, 1, 2, 3, 4, 5].map((at) => rulerText(from + at * step, step, to));
    assert.equal(new Set(texts).size, 6, texts.join(" "));
  }
  assert.equal(rulerText(1.24e9, 0.41e9, 2.07e9), "1.24 s");
  assert.deepEqual([0, 1, 2, 3].map((at) => rulerText(at * 2.58e9, 2.58e9, 12.9e9)), ["0.0 s", "2.6 s", "5.2 s", "7.7 s"]);
});
