import assert from "node:assert/strict";
import { test } from "node:test";
import { tokens, type TokenKind } from "./tokens";

const kinds = (text: string): [TokenKind, string][] => tokens(text).filter((one) => one.kind !== "space").map((one) => [one.kind, one.text]);

test("every character is in exactly one token", () => {
  for (const text of ["", "{ status = error }", '{ "', "{ .a\"b c\".d =~ `x`", "💥 \u0000 {{{", "span.", ".5.5", "{ name = \"\\\" }\" }", "a".repeat(5000)]) {
    assert.equal(tokens(text).map((one) => one.text).join(""), text);
    tokens(text).reduce((at, one) => { assert.equal(one.from, at); return at + one.text.length; }, 0);
  }
});

test("what the language knows is told apart", () => {
  assert.deepEqual(kinds('{ resource.service.name =~ "agent.*" && status = error }'), [
    ["bracket", "{"], ["attribute", "resource.service.name"], ["operator", "=~"], ["string", '"agent.*"'],
    ["operator", "&&"], ["attribute", "status"], ["operator", "="], ["constant", "error"], ["bracket", "}"],
  ]);
  assert.deepEqual(kinds("{ duration > 1.5s || .x = 1h30m }").filter(([kind]) => kind === "number"), [["number", "1.5s"], ["number", "1h30m"]]);
  assert.deepEqual(kinds("{} &>> {} !~ `raw`").map(([, text]) => text), ["{", "}", "&>>", "{", "}", "!~", "`raw`"]);
  assert.deepEqual(kinds("count() > 1 | by(name)").filter(([kind]) => kind === "keyword").map(([, text]) => text), ["count", "by"]);
});

test("functions, other words and comments are told apart", () => {
  assert.deepEqual(kinds("{} | quantile_over_time(duration, .5) by(name) | topk(5) with(sample=true) // end").filter(([kind]) => kind !== "bracket" && kind !== "operator"), [
    ["keyword", "quantile_over_time"], ["attribute", "duration"], ["number", ".5"], ["keyword", "by"], ["attribute", "name"],
    ["keyword", "topk"], ["number", "5"], ["keyword", "with"], ["text", "sample"], ["constant", "true"], ["comment", "// end"],
  ]);
  assert.deepEqual(kinds("/* a\n} b */ {"), [["comment", "/* a\n} b */"], ["bracket", "{"]]);
  assert.deepEqual(kinds("/* open"), [["comment", "/* open"]]);
});

test("names keep their dots, quotes, pluses and colons", () => {
  for (const name of ["span.http.status_code", '.a."b c".d', 'span."a b"', ".i+1", "event.exception.type", "parent.span.x", ".k8s/io"]) {
    assert.deepEqual(kinds(`{ ${name} = 1 }`)[1], ["attribute", name]);
  }
  assert.deepEqual(kinds("{ trace:rootName = nil }")[1], ["attribute", "trace:rootName"]);
});
