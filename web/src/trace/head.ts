// The head of the page: what the trace is called, what it came to, what is odd about it.
import { h, icon, one } from "../dom";
import { costText, countText, durationText } from "../format";
import { _, told } from "../texts";
import type { TraceAnswer } from "./answer";
import type { Tree } from "./tree";

/** Fills name, status, facts and remarks of `page`. */
export function drawHead(page: HTMLElement, trace: TraceAnswer, tree: Tree): void {
  const root = tree.nodes.find((node) => !node.span.parent_span_id);
  const name = root?.span.name || tree.nodes[0]?.span.name || _("(no name)");
  const title = one<HTMLElement>("[data-name]", page);
  title.textContent = name;
  title.title = name;
  document.title = `${name} · Arcane`;
  one("[data-status]", page).replaceChildren(tree.failed
    ? h("span", { class: "tag", "data-kind": "error" }, _("error")) : h("span", { class: "tag", "data-tone": "ok" }, _("no error")));
  one("[data-facts]", page).replaceChildren(...facts(trace, tree).map(([label, value, tone]) =>
    h("div", { class: "fact", "data-tone": tone === "long" ? null : tone, "data-long": tone === "long" }, h("dt", {}, label), h("dd", { title: value }, value))));
  drawRemarks(one("[data-remarks]", page), remarks(trace, tree, root !== undefined));
}

/** One chip in the bar, so that nothing below moves; it opens what is to be said. */
function drawRemarks(place: HTMLElement, texts: readonly string[]): void {
  if (texts.length === 0) { place.replaceChildren(); return; }
  const label = texts.length === 1 ? texts[0]! : _("%(n)s remarks on this trace", { n: texts.length });
  place.replaceChildren(
    h("button", { type: "button", class: "chip", "data-tone": "warn", popovertarget: "remarks", title: texts.join("\n") }, icon("triangle-alert"), h("span", { class: "cut" }, label)),
    h("ul", { class: "menu remarks", id: "remarks", popover: "" }, ...texts.map((text) => h("li", {}, text))));
}

type Fact = readonly [label: string, value: string, tone?: string];

function facts(trace: TraceAnswer, tree: Tree): Fact[] {
  const { llm } = trace;
  const started = new Date(trace.start);
  const two = (value: number) => String(value).padStart(2, "0");
  const found: Fact[] = [
    [_("Duration"), durationText(tree.length)],
    [_("Started"), `${two(started.getMonth() + 1)}-${two(started.getDate())} ${two(started.getHours())}:${two(started.getMinutes())}:${two(started.getSeconds())}`],
    [_("Spans"), countText(tree.nodes.length)],
    tree.failed ? [_("Errors"), countText(tree.failed), "error"] : [_("Errors"), "0"],
  ];
  if (llm.model_calls) found.push([_("Model calls"), countText(llm.model_calls)]);
  if (llm.tokens?.total) found.push([_("Tokens"), countText(llm.tokens.total)]);
  if (llm.cost_usd) found.push([_("Cost"), llm.unpriced_calls ? `≥ ${costText(llm.cost_usd)}` : costText(llm.cost_usd)]);
  if (llm.conversation_ids?.length) found.push([_("Conversation"), llm.conversation_ids.join(", "), "long"]);
  if (llm.user_ids?.length) found.push([_("User"), llm.user_ids.join(", "), "long"]);
  found.push([_("Services"), tree.services.length > 3 ? String(tree.services.length) : tree.services.join(", ") || "–", "long"]);
  const holders = trace.sources.filter((source) => source.rows > 0);
  found.push([_("Sources"), holders.map((source) => `${source.name} ${countText(source.rows)}`).join(" · ") || "–", "long"]);
  return found;
}

function remarks(trace: TraceAnswer, tree: Tree, rooted: boolean): string[] {
  const found: string[] = [];
  const failed = trace.sources.filter((source) => source.status === "failed").map((source) => source.name);
  if (failed.length) found.push(_("%(names)s did not answer: spans may be missing.", { names: failed.join(", ") }));
  if (!rooted) found.push(_("The root span was not received; the trace begins with what is there."));
  else if (tree.orphans) found.push(_("Parents that were not received: %(n)s of the spans hang at the top as orphans.", { n: tree.orphans }));
  return [...found, ...trace.warnings.map((warning) => told(warning))];
}
