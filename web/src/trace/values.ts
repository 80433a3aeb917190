// Attributes as a list: what it is called, what it holds, and what can be done with it.
import { h, icon } from "../dom";
import { _ } from "../texts";
import type { Attributes, Value } from "./answer";
import { conditionOf, narrowedSearch } from "./query";

const SHORT = 480;

/** Where "add to query" leads: the search page and the last address of it. */
export interface Place { page: string; back: string }

/** Returns a value as text: strings as they are, lists and maps as JSON over several lines. */
export function valueText(value: Value): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : String(value);
}

/** Returns pretty JSON where `text` holds an object or a list, else null. */
export function prettyJson(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** Returns the list of `attributes`, by name. `scope` is how TraceQL reaches them, "" where it cannot. */
export function attributeList(attributes: Attributes, scope: string, place: Place): HTMLElement {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return h("p", { class: "faint none" }, _("No attributes."));
  return h("dl", { class: "kv" }, ...names.map((name) => attributeRow(name, attributes[name] ?? null, scope, place)));
}

function attributeRow(name: string, value: Value, scope: string, place: Place): HTMLElement {
  const text = valueText(value);
  const condition = scope ? conditionOf(scope, name, value) : null;
  const actions = h("span", { class: "kv-actions" },
    condition && h("a", { href: narrowedSearch(place.page, place.back, condition), title: condition, "aria-label": _("Add %(name)s to the query", { name }) }, icon("filter")),
    h("button", { type: "button", "data-copy": text, title: _("Copy"), "aria-label": _("Copy %(name)s", { name }) }, icon("copy")));
  return h("div", { class: "kv-row" }, h("dt", {}, ...breakable(name)), h("dd", { class: typeof value }, valueElement(text), actions));
}

/** Returns a dotted name that may go on in the next line after its dots, and nowhere else. */
function breakable(name: string): (string | HTMLElement)[] {
  return name.split(/(?<=[._])/).flatMap((part) => [part, h("wbr")]);
}

/** Returns the value; a long one is cut, with a button that shows all of it. */
export function valueElement(text: string): HTMLElement {
  const pretty = prettyJson(text) ?? text;
  const element = h("span", {}, text === "" ? h("em", { class: "faint" }, _("empty")) : pretty);
  if (pretty.length <= SHORT) return element;
  const more = h("button", { type: "button", class: "show-all" }, _("Show all %(n)s characters", { n: pretty.length.toLocaleString("en-US") }));
  element.replaceChildren(`${pretty.slice(0, SHORT)}…`, more);
  more.addEventListener("click", () => element.replaceChildren(pretty));
  return element;
}
