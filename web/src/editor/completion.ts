// Completion: the language's own words at once, attributes and values from the datasources that are chosen.
import { insertCompletionText, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import type { EditorView } from "@codemirror/view";
import { constantsOf, contextAt, isUnlisted, type Context } from "../traceql/context";
import { INTRINSICS, SCOPES } from "../traceql/tokens";
import { _ } from "../texts";
import type { AttributeCatalog, Known, Offer } from "./catalog";

const operators = (): readonly (readonly [string, string])[] => [
  ["=", _("equal")], ["!=", _("not equal")], ["=~", _("matches")], ["!~", _("does not match")],
  [">", _("more than")], [">=", _("at least")], ["<", _("less than")], ["<=", _("at most")],
];
const STARTS = [
  "{ status = error }", "{ duration > 1s }", '{ resource.service.name = "" }', '{ span.gen_ai.request.model =~ "gpt.*" }', '{ name = "" }',
  "{ kind = server } >> { status = error }", "{ status = error } | by(resource.service.name)",
];
const WAIT_MS = 120;
const EMPTY = /""|(?<!\b(?:count|coalesce|rate|count_over_time))\(\)|\{ \}/;
const ALWAYS = new Set(["value", "operator", "field", "stage", "argument", "hint"]);
const follow = (): readonly (readonly [string, string])[] => [
  ["|", _("go on with what was found")], ["&&", _("both")], ["||", _("either")],
  [">", _("children")], [">>", _("descendants")], ["<", _("parents")], ["<<", _("ancestors")], ["~", _("siblings")],
  ["!>", _("no children")], ["!>>", _("no descendants")], ["!<", _("no parents")], ["!<<", _("no ancestors")], ["!~", _("no siblings")],
  ["&>", _("parents and children")], ["&>>", _("ancestors and descendants")], ["&~", _("siblings on both sides")],
];
const stages = (): readonly (readonly [string, string])[] => [
  ["by()", _("a group for each value")], ["select()", _("show more fields")], ["coalesce()", _("undo groups")],
  ["count()", _("how many spans")], ["avg()", _("average")], ["min()", _("smallest")], ["max()", _("largest")], ["sum()", _("sum")],
  ["{ }", _("filter again")],
  ["rate()", _("spans a second over time")], ["count_over_time()", _("spans over time")],
  ["avg_over_time()", _("average over time")], ["min_over_time()", _("smallest over time")],
  ["max_over_time()", _("largest over time")], ["sum_over_time()", _("sum over time")],
  ["quantile_over_time(duration, .5, .95, .99)", _("quantiles over time")],
  ["histogram_over_time()", _("distribution over time")], ["compare({ status = error })", _("what these spans have that others lack")],
];
const series = (): readonly (readonly [string, string])[] => [
  ["by()", _("a line for each value")], ["| topk(5)", _("the largest lines")], ["| bottomk(5)", _("the smallest lines")],
];
const hints = (): readonly (readonly [string, string])[] => [["exemplars=100", _("example spans")], ["most_recent=true", _("newest first, as always")]];

/** Returns a completion source that asks `catalog`. */
export function traceqlCompletion(catalog: AttributeCatalog) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString();
    const at = contextAt(text, context.pos);
    if (!context.explicit && !isWanted(at, text)) return null;
    const { items: options, complete } = await optionsFor(at, context, catalog);
    if (context.aborted || options.length === 0) return null;
    // A cut answer is asked for again with every letter: what is looked for may not have been among it.
    const from = at.quoted ? at.from + 1 : at.from;
    return { from, options, filter: true, ...(complete ? { validFor: /^[^\s{}()=~!<>&|,"]*$/ } : {}) };
  };
}

function isWanted(at: Context, text: string): boolean {
  if (at.expected === "nothing") return false;
  if (at.expected === "query") return text.trim() === "";
  return at.prefix !== "" || at.quoted || ALWAYS.has(at.expected);
}

async function optionsFor(at: Context, context: CompletionContext, catalog: AttributeCatalog): Promise<Offer<Completion>> {
  switch (at.expected) {
    case "query": return whole(STARTS.map((label) => ({ label, type: "text", apply: withCursor(label) })));
    case "operator": return whole(operators().map(([label, detail], order) => ({ label, detail, boost: -order, apply: `${label} ` })));
    case "join": return whole([{ label: "&&", detail: _("and"), apply: "&& " }, { label: "||", detail: _("or"), apply: "|| " }]);
    case "after": return whole(worded(follow(), " "));
    case "stage": return whole(worded(stages()));
    case "series": return whole(worded(series()));
    case "hint": return whole(worded(hints()));
    case "compare": return whole(worded(operators().filter(([label]) => !label.includes("~")), " "));
    case "field": case "argument": {
      const names = await settled(context, () => catalog.names(at.prefix));
      return { items: fields(names.items, at.expected === "field" ? " " : ""), complete: names.complete };
    }
    case "value": return values(at, context, catalog);
    default: return whole([]);
  }
}

const whole = (items: Completion[]): Offer<Completion> => ({ items, complete: true });

function worded(words: readonly (readonly [string, string])[], behind = ""): Completion[] {
  return words.map(([label, detail], order) => ({ label, detail, boost: -order, apply: withCursor(label + behind) }));
}

/** `behind` is what follows a name: a blank before an operator, nothing before a closing parenthesis. */
function fields(names: readonly Known[], behind: string): Completion[] {
  return [
    ...names.map((name) => ({ label: name.field, detail: name.scope, apply: name.field + behind, boost: 2 })),
    ...INTRINSICS.filter((name) => !name.startsWith("nestedSet")).map((label) => ({ label, detail: _("built in"), apply: label + behind, boost: label.includes(":") ? -1 : 3 })),
    ...SCOPES.slice(0, 5).map((label) => ({ label: `${label}.`, detail: _("scope"), boost: -2 })),
  ];
}

async function values(at: Context, context: CompletionContext, catalog: AttributeCatalog): Promise<Offer<Completion>> {
  const constants = constantsOf(at.field);
  if (!at.quoted && constants.length) return whole(constants.map((label, order) => ({ label, boost: -order, apply: `${label} ` })));
  if (isUnlisted(at.field) || at.field === "") return whole([]);
  const found = await settled(context, () => catalog.values(at.field, at.quoted ? at.prefix : ""));
  const items = found.items.map((value, order): Completion => {
    const label = at.quoted && value.type === "string" ? value.literal.slice(1, -1) : value.literal;
    return { label, boost: -Math.min(order, 90) / 10, apply: at.quoted ? closing(label) : `${value.literal} ` };
  });
  return { items, complete: found.complete };
}

/** Waits for typing to pause before it asks; nothing when it went on. */
async function settled<T>(context: CompletionContext, ask: () => Promise<Offer<T>>): Promise<Offer<T>> {
  if (!context.explicit) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  return context.aborted ? { items: [], complete: false } : ask();
}

/** Inside quotes: writes the value and makes sure the quote is closed once. */
function closing(label: string) {
  return (view: EditorView, _completion: Completion, from: number, to: number) => {
    const closed = view.state.sliceDoc(to, to + 1) === '"';
    const spec = insertCompletionText(view.state, closed ? label : `${label}"`, from, to);
    view.dispatch({ ...spec, selection: { anchor: from + label.length + 1 } });
  };
}

/** Writes a starting point and puts the cursor where something is to be filled in: between quotes, parentheses, braces. */
function withCursor(label: string) {
  return (view: EditorView, _completion: Completion, from: number, to: number) => {
    const hole = label.search(EMPTY);
    view.dispatch({ changes: { from, to, insert: label }, selection: { anchor: from + (hole >= 0 ? hole + 1 : label.length) } });
  };
}
