// Completion: the language's own words at once, attributes and values from the datasources that are chosen.
import { insertCompletionText, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { constantsOf, contextAt, isUnlisted, type Context } from "../traceql/context";
import { INTRINSICS, SCOPES } from "../traceql/tokens";
import { _ } from "../texts";
import type { AttributeCatalog, Known } from "./catalog";

const OPERATORS: readonly (readonly [string, string])[] = [
  ["=", "equal"], ["!=", "not equal"], ["=~", "matches"], ["!~", "does not match"],
  [">", "more than"], [">=", "at least"], ["<", "less than"], ["<=", "at most"],
];
const STARTS = [
  "{ status = error }", "{ duration > 1s }", '{ resource.service.name = "" }', '{ span.gen_ai.request.model =~ "gpt.*" }', '{ name = "" }',
];
const WAIT_MS = 120;

/** Returns a completion source that asks `catalog`. */
export function traceqlCompletion(catalog: AttributeCatalog) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const at = contextAt(text, context.pos);
    if (!context.explicit && !isWanted(at, text)) return null;
    const options = await optionsFor(at, context, catalog);
    if (context.aborted || options.length === 0) return null;
    return { from: at.quoted ? at.from + 1 : at.from, options, filter: true, validFor: /^[^\s{}()=~!<>&|,"]*$/ };
  };
}

function isWanted(at: Context, text: string): boolean {
  if (at.expected === "nothing") return false;
  if (at.expected === "query") return text.trim() === "";
  return at.prefix !== "" || at.quoted || at.expected === "value" || at.expected === "operator" || at.expected === "field";
}

async function optionsFor(at: Context, context: CompletionContext, catalog: AttributeCatalog): Promise<Completion[]> {
  switch (at.expected) {
    case "query": return STARTS.map((label) => ({ label, type: "text", apply: withCursor(label) }));
    case "operator": return OPERATORS.map(([label, detail], order) => ({ label, detail: _(detail), boost: -order, apply: `${label} ` }));
    case "join": return [["&&", _("and")], ["||", _("or")]].map(([label, detail]) => ({ label: label ?? "", detail: detail ?? "", apply: `${label} ` }));
    case "field": return fields(await settled(context, () => catalog.names(at.prefix)));
    case "value": return values(at, context, catalog);
    default: return [];
  }
}

function fields(names: readonly Known[]): Completion[] {
  return [
    ...names.map((name) => ({ label: name.field, detail: name.scope, apply: `${name.field} `, boost: 2 })),
    ...INTRINSICS.filter((name) => !name.startsWith("nestedSet")).map((label) => ({ label, detail: _("built in"), apply: `${label} `, boost: label.includes(":") ? -1 : 3 })),
    ...SCOPES.slice(0, 5).map((label) => ({ label: `${label}.`, detail: _("scope"), boost: -2 })),
  ];
}

async function values(at: Context, context: CompletionContext, catalog: AttributeCatalog): Promise<Completion[]> {
  const constants = constantsOf(at.field);
  if (!at.quoted && constants.length) return constants.map((label, order) => ({ label, boost: -order, apply: `${label} ` }));
  if (isUnlisted(at.field) || at.field === "") return [];
  const found = await settled(context, () => catalog.values(at.field));
  return found.map((value, order): Completion => {
    const label = at.quoted && value.type === "string" ? value.literal.slice(1, -1) : value.literal;
    return { label, boost: -Math.min(order, 90) / 10, apply: at.quoted ? closing(label) : `${value.literal} ` };
  });
}

/** Waits for typing to pause before it asks; [] when it went on. */
async function settled<T>(context: CompletionContext, ask: () => Promise<T[]>): Promise<T[]> {
  if (!context.explicit) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  return context.aborted ? [] : ask();
}

/** Inside quotes: writes the value and makes sure the quote is closed once. */
function closing(label: string) {
  return (view: EditorView, _completion: Completion, from: number, to: number) => {
    const closed = view.state.sliceDoc(to, to + 1) === '"';
    const spec = insertCompletionText(view.state, closed ? label : `${label}"`, from, to);
    view.dispatch({ ...spec, selection: { anchor: from + label.length + 1 } });
  };
}

/** Writes a starting point and puts the cursor where something is to be filled in. */
function withCursor(label: string) {
  return (view: EditorView, _completion: Completion, from: number, to: number) => {
    const hole = label.indexOf('""');
    view.dispatch({ changes: { from, to, insert: label }, selection: { anchor: from + (hole >= 0 ? hole + 1 : label.length) } });
  };
}
