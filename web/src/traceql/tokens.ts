// TraceQL as a stream of tokens: one place for the editor's colours, the coloured one-liners and completion.
export type TokenKind =
  | "keyword" | "attribute" | "string" | "number" | "constant" | "operator" | "bracket" | "comment" | "space" | "text";

export interface Token { kind: TokenKind; text: string; from: number }

export const INTRINSICS: readonly string[] = [
  "name", "duration", "status", "statusMessage", "kind", "rootName", "rootServiceName", "traceDuration",
  "span:name", "span:duration", "span:status", "span:statusMessage", "span:kind", "span:id", "span:parentID",
  "span:childCount", "trace:id", "trace:duration", "trace:rootName", "trace:rootService", "event:name",
  "event:timeSinceStart", "link:traceID", "link:spanID", "instrumentation:name", "instrumentation:version",
  "nestedSetLeft", "nestedSetRight", "nestedSetParent",
];
export const CONSTANTS: readonly string[] = [
  "true", "false", "nil", "error", "ok", "unset", "unspecified", "internal", "server", "client", "producer", "consumer",
  "minInt", "maxInt",
];
export const AGGREGATES: readonly string[] = ["count", "min", "max", "avg", "sum"];
export const STAGES: readonly string[] = ["by", "coalesce", "select"];
export const METRICS: readonly string[] = [
  "rate", "count_over_time", "min_over_time", "max_over_time", "avg_over_time", "sum_over_time", "quantile_over_time",
  "histogram_over_time", "compare",
];
export const LIMITS: readonly string[] = ["topk", "bottomk"];
const KEYWORDS = new Set([...AGGREGATES, ...STAGES, ...METRICS, ...LIMITS, "with"]);
export const SCOPES: readonly string[] = ["span", "resource", "event", "link", "instrumentation", "parent"];

const WORD = "[^\\s{}()=~!<>&|^,\"`]";
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["space", /^\s+/],
  ["comment", /^(?:\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?)/],
  ["string", /^"(?:[^"\\\n]|\\.)*"?/],
  ["string", /^`[^`]*`?/],
  ["bracket", /^[{}()]/],
  ["attribute", new RegExp(`^(?:(?:parent\\.)?(?:span|resource|event|link|instrumentation)|parent)?\\.(?:"(?:[^"\\\\]|\\\\.)*"|(?=\\D)${WORD})(?:${WORD}|"(?:[^"\\\\]|\\\\.)*")*`)],
  ["number", /^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+|(?:ns|us|µs|ms|s|m|h|d|w|y)(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w|y))*)?/],
  ["operator", /^(?:=~|!~|!=|<=|>=|&&|\|\||&>>|&<<|&>|&<|&~|!>>|!<<|!>|!<|>>|<<|[=<>~|!+\-*/%^,])/],
];
const IDENTIFIER = /^[A-Za-z_][\w:]*/;

/** Returns every character of `text` in exactly one token; never fails, whatever is typed. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text.slice(at));
    found.push({ ...token, from: at });
    at += token.text.length;
  }
  return found;
}

/** Returns the token that `rest` begins with. */
export function tokenAt(rest: string): { kind: TokenKind; text: string } {
  for (const [kind, rule] of RULES) {
    const match = rule.exec(rest);
    if (match && match[0].length > 0) return { kind, text: match[0] };
  }
  const word = IDENTIFIER.exec(rest)?.[0];
  if (word === undefined) return { kind: "text", text: [...rest][0] ?? "" };
  if (INTRINSICS.includes(word)) return { kind: "attribute", text: word };
  if (CONSTANTS.includes(word)) return { kind: "constant", text: word };
  return { kind: KEYWORDS.has(word) ? "keyword" : "text", text: word };
}
