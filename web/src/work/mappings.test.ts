import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "./mappings";

test("a line says which source a variable has; the first = parts them", () => {
  const said = read("Exact.response = column:answer\n\n Judge 2.reference=text:a = b \nnothing\n= column:x");
  assert.deepEqual([...said], [["Exact.response", "column:answer"], ["Judge 2.reference", "text:a = b"]]);
});
