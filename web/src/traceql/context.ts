// What could come next at a point in a query: a field, an operator, a value, or a word that joins conditions.
import { CONSTANTS, INTRINSICS, tokens, type Token } from "./tokens";

export type Expected = "query" | "field" | "operator" | "value" | "join" | "nothing";

/** `from` is where the part that is being typed begins; `field` is what a value is compared with. */
export interface Context { expected: Expected; from: number; prefix: string; field: string; quoted: boolean }

const COMPARES = new Set(["=", "!=", "=~", "!~", "<", "<=", ">", ">="]);
const TYPED = new Set<Token["kind"]>(["attribute", "keyword", "constant", "text"]);

/** Returns what is expected at `at`. */
export function contextAt(text: string, at: number): Context {
  const before = tokens(text.slice(0, at)).filter((token) => token.kind !== "space" && token.kind !== "comment");
  const last = before.at(-1);
  const touches = last !== undefined && last.from + last.text.length === at;
  const open = touches && last.kind === "string" && !isClosed(last.text);
  const typing = touches && (TYPED.has(last.kind) || open);
  const done = typing ? before.slice(0, -1) : before;
  const from = typing ? last.from : at;
  const prefix = typing ? last.text : "";
  const expected = expectedAfter(done);
  const field = expected === "value" ? done.at(-2)?.text ?? "" : "";
  if (open && expected !== "value") return { expected: "nothing", from, prefix, field, quoted: true };
  return { expected, from, prefix: open ? prefix.slice(1) : prefix, field, quoted: open };
}

function isClosed(text: string): boolean {
  return text.length > 1 && text.endsWith(text[0] ?? "") && !(text[0] === '"' && /[^\\]\\(?:\\\\)*"$/.test(text));
}

function expectedAfter(done: readonly Token[]): Expected {
  const braces = done.reduce((depth, token) => depth + (token.text === "{" ? 1 : token.text === "}" ? -1 : 0), 0);
  const last = done.at(-1);
  if (braces <= 0) return last?.text === "}" ? "join" : "query";
  if (last === undefined || last.text === "{" || last.text === "(") return "field";
  if (last.kind === "operator") return COMPARES.has(last.text) ? "value" : "field";
  if (last.kind === "attribute" || last.kind === "keyword") return compared(done) ? "join" : "operator";
  return "join";
}

/** True when the last token is the right side of a comparison (`a = b`). */
function compared(done: readonly Token[]): boolean {
  const operator = done.at(-2);
  return operator !== undefined && operator.kind === "operator" && COMPARES.has(operator.text);
}

/** Returns the constants that `field` can be compared with, [] where its values are data. */
export function constantsOf(field: string): string[] {
  const name = field.replace(/^span:/, "");
  if (name === "status") return ["error", "ok", "unset"];
  if (name === "kind") return CONSTANTS.slice(CONSTANTS.indexOf("unspecified"), CONSTANTS.indexOf("consumer") + 1);
  if (/duration$/i.test(field) || field === "event:timeSinceStart") return ["10ms", "100ms", "500ms", "1s", "5s", "30s", "1m"];
  return [];
}

/** True for an intrinsic whose values no datasource lists. */
export function isUnlisted(field: string): boolean {
  return INTRINSICS.includes(field) && (constantsOf(field).length > 0 || /^(nestedSet|span:(id|parentID|childCount)|trace:id|link:)/.test(field));
}

const BARE = /^[^\s{}()=~!<>&|^,"`]+$/;

/** Returns an attribute as TraceQL spells it: parts that would break the name are quoted. */
export function spellAttribute(scope: string, name: string): string {
  return BARE.test(name) ? `${scope}.${name}` : `${scope}."${name.replace(/["\\]/g, "\\$&")}"`;
}

/** Returns a value as a TraceQL literal. */
export function spellValue(value: string | number | boolean): string {
  return typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t").replace(/\r/g, "\\r")}"` : String(value);
}
