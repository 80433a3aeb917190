// "Add to query": the last search, narrowed to spans that have this attribute with this value.
import { spellAttribute, spellValue } from "../traceql/context";
import { tokens } from "../traceql/tokens";
import type { Value } from "./answer";

const LONGEST = 300;

/** Returns the condition `scope.name = value` in TraceQL, null for a value that cannot be compared with. */
export function conditionOf(scope: string, name: string, value: Value): string | null {
  if (value === null || typeof value === "object" || (typeof value === "string" && value.length > LONGEST)) return null;
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return `${spellAttribute(scope, name)} = ${spellValue(value)}`;
}

/** Returns `query` with `condition` as one more demand on the same span; anything but one `{ … }` is replaced. */
export function narrowed(query: string, condition: string): string {
  const parts = tokens(query.trim()).filter((token) => token.kind !== "comment");
  const opened = parts.filter((token) => token.text === "{").length;
  const single = opened === 1 && parts[0]?.text === "{" && parts.at(-1)?.text === "}";
  if (!single) return `{ ${condition} }`;
  const inside = parts.slice(1, -1).map((token) => token.text).join("").trim();
  if (!inside || inside === "true") return `{ ${condition} }`;
  if (inside.includes(condition)) return query.trim();
  return `{ ${/\|\|/.test(inside) ? `(${inside})` : inside} && ${condition} }`;
}

/** Returns the address of the search page for the last search and one more condition. */
export function narrowedSearch(page: string, back: string, condition: string): string {
  const parameters = new URLSearchParams(back.startsWith(`${page}?`) ? back.slice(page.length + 1) : "");
  parameters.set("q", narrowed(parameters.get("q") ?? "", condition));
  for (const name of ["cursor", "scale"]) parameters.delete(name);
  return `${page}?${parameters}`;
}
