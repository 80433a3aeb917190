import assert from "node:assert/strict";
import { test } from "node:test";
import { contextAt, spellAttribute, spellValue } from "./context";

/** The bar stands where the cursor is. */
const at = (text: string) => {
  const cursor = text.indexOf("|>");
  return contextAt(text.replace("|>", ""), cursor);
};

test("what is expected follows from what stands before", () => {
  const cases: [string, string][] = [
    ["|>", "query"], ["{ |>", "field"], ["{ (|>", "field"], ["{ status |>", "operator"], ["{ status = |>", "value"], ["{ status = error |>", "join"],
    ["{ status = error && |>", "field"], ['{ name = "x" |>', "join"], ["{ a.b |>", "operator"], ["{ .a = 5 |>", "join"], ["{ .a = .b |>", "join"],
    ["{ !|>", "field"], ["{ .a + |>", "field"], ["{ status =|>", "value"],
  ];
  for (const [text, expected] of cases) assert.equal(at(text).expected, expected, text);
});

test("behind a filter stages and other filters are expected", () => {
  const cases: [string, string][] = [
    ["{ status = error } |>", "after"], ["{ .a } > |>", "query"], ["{ .a } && |>", "query"], ["({ .a } |>", "after"], ["(|>", "query"],
    ["{ .a } | |>", "stage"], ["{ .a } | co|>", "stage"], ["{ .a } | by(|>", "argument"], ["{ .a } | by(resource.se|>", "argument"],
    ["{ .a } | select(.b, |>", "argument"], ["{ .a } | by(.b|>", "argument"], ["{ .a } | by(.b) |>", "after"], ["{ .a } | count() |>", "compare"],
    ["{ .a } | count() > |>", "nothing"], ["({ .a } | by(.b)) > |>", "query"], ["{ .a } | count() > 2 |>", "after"], ["{ .a } | rate() |>", "series"], ["{ .a } | rate() by(|>", "argument"],
    ["{ .a } | compare(|>", "query"], ["{ .a } | compare({ |>", "field"], ["{ .a } | quantile_over_time(|>", "argument"],
    ["({ .a } | by(.b)) |>", "after"], ["{ .a } with(|>", "hint"], ["{ (.a = 1) |>", "join"],
  ];
  for (const [text, expected] of cases) assert.equal(at(text).expected, expected, text);
});

test("what is being typed is the prefix", () => {
  assert.deepEqual(at("{ span.http.re|> }"), { expected: "field", from: 2, prefix: "span.http.re", field: "", quoted: false });
  assert.deepEqual(at('{ span.m = "gpt|>" }'), { expected: "value", from: 11, prefix: "gpt", field: "span.m", quoted: true });
  assert.equal(at("{ status = er|>").field, "status");
  assert.equal(at("{ na|> = 1").prefix, "na");
});

test("a closed text is not gone on with", () => {
  assert.equal(at('{ name = "x"|>').expected, "join");
  assert.equal(at('{ name = "x\\"|>').expected, "value");
});

test("names and values are spelled so that the language reads them back", () => {
  assert.equal(spellAttribute("span", "http.method"), "span.http.method");
  assert.equal(spellAttribute("span", "a b"), 'span."a b"');
  assert.equal(spellAttribute("resource", 'x"y\\z'), 'resource."x\\"y\\\\z"');
  assert.equal(spellValue('say "hi"\n\\'), '"say \\"hi\\"\\n\\\\"');
  assert.equal(spellValue(1.5), "1.5");
  assert.equal(spellValue(true), "true");
});
