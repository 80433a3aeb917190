// What could come next at a point in a query: a field, an operator, a value, a stage, or what joins them.
import { AGGREGATES, CONSTANTS, INTRINSICS, METRICS, tokens, type Token } from "./tokens";

/**
 * Within braces a field, an operator, a value, or a word that joins conditions; behind them what may follow a filter
 * ("after"), a stage of a pipeline, the field it takes ("argument"), a comparison of a number, a hint.
 */
export type Expected =
  | "query" | "field" | "operator" | "value" | "join" | "after" | "stage" | "argument" | "compare" | "series" | "hint" | "nothing";

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
  const open = opened(done);
  const last = done.at(-1);
  if (!open.some((token) => token.text === "{")) return expectedOutside(done, open.at(-1));
  if (last === undefined || last.text === "{" || last.text === "(") return "field";
  if (last.kind === "operator") return COMPARES.has(last.text) ? "value" : "field";
  if (last.kind === "attribute" || last.kind === "keyword") return compared(done) ? "join" : "operator";
  return "join";
}

/** Returns the brackets that are not closed, the innermost last; one behind a function's name as that name. */
function opened(done: readonly Token[]): Token[] {
  const open: Token[] = [];
  done.forEach((token, index) => {
    const before = done[index - 1];
    if (token.text === "{" || token.text === "(") open.push(token.text === "(" && before?.kind === "keyword" ? before : token);
    else if (token.text === "}" || token.text === ")") open.pop();
  });
  return open;
}

function expectedOutside(done: readonly Token[], open: Token | undefined): Expected {
  const last = done.at(-1);
  if (open?.kind === "keyword") {
    if (last?.text !== "(" && last?.text !== ",") return "nothing";
    return open.text === "with" ? "hint" : open.text === "compare" ? "query" : "argument";
  }
  if (last === undefined || last.text === "(") return "query";
  if (last.text === "|") return "stage";
  if (last.text === "}") return "after";
  if (last.text === ")") return afterCall(done);
  if (last.kind === "number") return "after";
  if (COMPARES.has(last.text) && afterCall(done.slice(0, -1)) === "compare") return "nothing";
  return last.kind === "operator" && !/^[<>]?=$|^[+\-*/%^,]$/.test(last.text) ? "query" : "nothing";
}

/** What may follow a closed parenthesis depends on what it closes. */
function afterCall(done: readonly Token[]): Expected {
  let depth = 0;
  for (let index = done.length - 1; index >= 0; index -= 1) {
    const text = done[index]?.text;
    if (text === ")") depth += 1;
    if (text === "(" && (depth -= 1) === 0) {
      const called = done[index - 1];
      if (called?.kind !== "keyword") return "after";
      if (AGGREGATES.includes(called.text)) return "compare";
      return METRICS.includes(called.text) ? "series" : "after";
    }
  }
  return "after";
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
