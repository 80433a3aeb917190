import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionOf, narrowed, narrowedSearch } from "./query";

test("a condition is TraceQL, and only for values that can be compared with", () => {
  assert.equal(conditionOf("span", "http.method", "GET"), 'span.http.method = "GET"');
  assert.equal(conditionOf("resource", "a b", 5), 'resource."a b" = 5');
  assert.equal(conditionOf("span", "x", true), "span.x = true");
  for (const value of [null, ["a"], { a: 1 }, "x".repeat(301), Number.NaN]) assert.equal(conditionOf("span", "x", value), null);
});

test("a query is narrowed on the same span", () => {
  assert.equal(narrowed("", "span.x = 1"), "{ span.x = 1 }");
  assert.equal(narrowed("{}", "span.x = 1"), "{ span.x = 1 }");
  assert.equal(narrowed("{ status = error }", "span.x = 1"), "{ status = error && span.x = 1 }");
  assert.equal(narrowed("{ a.b = 1 || .c = 2 }", "span.x = 1"), "{ (a.b = 1 || .c = 2) && span.x = 1 }");
  assert.equal(narrowed("{ span.x = 1 }", "span.x = 1"), "{ span.x = 1 }");
  assert.equal(narrowed("{ a } >> { b }", "span.x = 1"), "{ span.x = 1 }");
  assert.equal(narrowed('{ name = "}" }', "span.x = 1"), '{ name = "}" && span.x = 1 }');
});

test("the search it leads to keeps range and datasources and starts at the first page", () => {
  const url = new URL(narrowedSearch("/t", "/t?q=%7B%7D&range=24h&source=a&source=b&cursor=c&scale=9", "span.x = 1"), "http://h");
  assert.equal(url.searchParams.get("q"), "{ span.x = 1 }");
  assert.deepEqual(url.searchParams.getAll("source"), ["a", "b"]);
  assert.equal(url.searchParams.get("cursor"), null);
  assert.equal(narrowedSearch("/t", "/other?q=x", "span.x = 1"), "/t?q=%7B+span.x+%3D+1+%7D");
});
