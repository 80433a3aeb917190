import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChartData, indexOf, timeOf } from "./data";
import { rowsOf } from "./heatmap";
import { bands, scaleOf } from "./lines";
import { niceStep, timeMarks, valueScale } from "./scale";
import { numberText, valueText } from "./values";

const data = (values: (number | null)[][]): ChartData => ({
  kind: "lines", unit: "none", first: 1000, step: 500, count: values[0]?.length ?? 0,
  series: values.map((one, at) => ({ name: String(at), top: null, values: one, exemplars: [] })),
});

test("marks are round, and all values lie between them", () => {
  assert.deepEqual(valueScale(0, 0.137, 5).marks, [0, 0.05, 0.1, 0.15]);
  assert.deepEqual(valueScale(0, 0, 4).marks[0], 0);
  for (const [least, most] of [[0, 1], [0, 7.3], [-4, 12], [0, 1e9], [0, 3e-7]] as const) {
    const scale = valueScale(least, most, 5);
    assert.ok(scale.low <= least && scale.high >= most && scale.marks.length >= 2 && scale.marks.length <= 9, `${least} to ${most}`);
  }
  assert.equal(niceStep(0.3), 0.5);
  assert.equal(niceStep(1), 1);
});

test("times are marked at round moments of the wall clock", () => {
  const hour = 3600e3, ahead = 2 * hour;
  assert.deepEqual(timeMarks(0.5 * hour, 3.2 * hour, 4, 0), [hour, 2 * hour, 3 * hour]);
  for (const mark of timeMarks(1e12, 1e12 + 48 * hour, 6, ahead)) assert.equal((mark + ahead) % (12 * hour), 0);
});

test("stacked series stand on those before them, and a missing value has no height", () => {
  const found = bands(data([[1, null], [2, 3]]), [0, 1], true);
  assert.deepEqual(found.get(1), [[1, 3], [0, 3]]);
  assert.equal(scaleOf(found, data([[1, null], [2, 3]]), 3).high >= 3, true);
  assert.deepEqual(bands(data([[1, null]]), [0], false).get(0), [[0, 1], null]);
});

test("a moment lies in the bucket that ends with it", () => {
  const one = data([[1, 2, 3]]);
  assert.equal(timeOf(one, 2), 2000);
  assert.deepEqual([900, 1000, 1001, 1500, 9999].map((time) => indexOf(one, time)), [0, 0, 1, 1, 2]);
});

test("rows of a heatmap go up in powers of two, what is not above zero first", () => {
  const rows = rowsOf({ ...data([[1], [1], [1]]), series: [0.5, 0, 4].map((top) => ({ name: "", top, values: [1], exemplars: [] })) });
  assert.deepEqual(rows.map((row) => row.exponent), [-2, -1, 2]);
});

test("values are written as the server writes them", () => {
  assert.deepEqual([0, 0.1234, 12.3456, 1234.4, 1234567].map(numberText), ["0", "0.123", "12.3", "1,234", "1.23 M"]);
  assert.deepEqual([valueText(0.0321, "seconds"), valueText(2.5, "per_second"), valueText(-1.5, "seconds")], ["32.1 ms", "2.5/s", "−1.50 s"]);
  assert.equal(numberText(0.00012345), "1.23e-04");
});
