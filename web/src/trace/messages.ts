// What went into a model and what came out, as the conventions read it.
import { h, icon } from "../dom";
import { costText, countText, durationText } from "../format";
import { _ } from "../texts";
import type { ExchangeAnswer, LlmAnswer, MessageAnswer, PartAnswer, TokensAnswer } from "./answer";
import { valueElement, valueText } from "./values";

const MOST = 9;
const HEAD = 2;
const TAIL = 5;

/** Returns the usage of a model call: a bar of its tokens, the numbers, and the cost. */
export function usage(llm: LlmAnswer): HTMLElement | null {
  const { tokens, cost } = llm;
  if (!tokens) return null;
  const parts = usageParts(tokens);
  const bar = h("div", { class: "usage", "aria-hidden": "true" }, ...parts.map(([part, count]) => {
    const piece = h("i", { "data-part": part });
    piece.style.flexGrow = String(count);
    return piece;
  }));
  const price = cost ? `${costText(cost.usd)} ${cost.source === "priced" ? _("at list price") : _("reported")}` : "";
  return h("section", { class: "panel-part" },
    h("header", { class: "part-head" }, h("span", {}, _("Tokens %(n)s", { n: countText(tokens.total) })), h("span", { class: "num" }, price)),
    bar,
    h("p", { class: "usage-legend num" }, ...parts.map(([part, count]) => h("span", {}, h("i", { class: "dot", "data-part": part }), `${countText(count)} ${partName(part)}`))));
}

function usageParts(tokens: TokensAnswer): [string, number][] {
  const cached = tokens.cached_input ?? 0;
  const reasoning = tokens.reasoning ?? 0;
  const parts: [string, number][] = [
    ["input", Math.max(0, tokens.input - cached)], ["cached", cached], ["output", Math.max(0, tokens.output - reasoning)], ["reasoning", reasoning],
  ];
  return parts.filter(([, count]) => count > 0);
}

function partName(part: string): string {
  return { input: _("input"), cached: _("cached"), output: _("output"), reasoning: _("reasoning") }[part] ?? part;
}

/** Returns the facts of an LLM span in a line: model, provider, agent, tool, finish reason. */
export function llmLine(llm: LlmAnswer): string {
  const model = llm.response_model ?? llm.request_model;
  const asked = llm.request_model && llm.response_model && llm.request_model !== llm.response_model ? _("asked for %(model)s", { model: llm.request_model }) : undefined;
  const first = llm.time_to_first_token === undefined ? undefined : _("first token after %(time)s", { time: durationText(llm.time_to_first_token) });
  const finish = llm.finish_reasons?.length ? _("finished: %(why)s", { why: llm.finish_reasons.join(", ") }) : undefined;
  return [model, asked, llm.provider, llm.agent, llm.tool, first, finish].filter(Boolean).join(" · ");
}

/** Returns the conversation in order: what went in, then what came out. */
export function conversation(exchange: ExchangeAnswer): HTMLElement | null {
  const all = [...exchange.input.map((message) => messageCard(message, false)), ...exchange.output.map((message) => messageCard(message, true))];
  if (all.length === 0) return null;
  return h("section", { class: "panel-part" }, h("header", { class: "part-head" }, h("span", {}, _("Messages")), h("span", {}, String(all.length))), ...shortened(all));
}

/** A long conversation shows how it begins and how it ends; the rest is one click away. */
function shortened(all: HTMLElement[]): HTMLElement[] {
  if (all.length <= MOST) return all;
  const hidden = all.slice(HEAD, -TAIL);
  const more = h("button", { type: "button", class: "show-all between" }, _("Show %(n)s messages in between", { n: hidden.length }));
  more.addEventListener("click", () => more.replaceWith(...hidden));
  return [...all.slice(0, HEAD), more, ...all.slice(-TAIL)];
}

function messageCard(message: MessageAnswer, output: boolean): HTMLElement {
  const call = message.parts.find((part) => part.type === "tool_call");
  const title = call ? `${message.role} → ` : message.name ? `${message.role} · ${message.name}` : message.role;
  const text = message.parts.map(partText).join("\n\n");
  return h("article", { class: output ? "message-card output" : "message-card" },
    h("header", {}, h("span", {}, title, call && h("b", { class: "tool-name" }, call.name)),
      h("button", { type: "button", class: "copy-message", "data-copy": text, "aria-label": _("Copy this message"), title: _("Copy") }, icon("copy"))),
    ...message.parts.map(partElement));
}

function partText(part: PartAnswer): string {
  switch (part.type) {
    case "text": case "reasoning": return part.text;
    case "tool_call": return valueText(part.arguments);
    case "tool_result": return valueText(part.result);
    case "uri": return part.uri;
    case "blob": return `${part.mime_type} (base64)`;
    case "document": return part.content;
    default: return valueText(part.value);
  }
}

function partElement(part: PartAnswer): HTMLElement {
  switch (part.type) {
    case "text": return h("p", { class: "message-text" }, valueElement(part.text));
    case "reasoning": return h("details", { class: "reasoning" }, h("summary", {}, _("Reasoning")), h("p", { class: "message-text" }, valueElement(part.text)));
    case "uri": return h("p", { class: "message-text" }, part.uri);
    case "blob": return h("p", { class: "message-text faint" }, _("%(type)s, %(n)s characters of base64", { type: part.mime_type || "binary", n: part.content.length }));
    case "document": return h("div", { class: "document" }, h("header", {}, part.id || _("document"), part.score === null ? null : h("span", { class: "num" }, part.score.toFixed(3))), h("p", { class: "message-text" }, valueElement(part.content)));
    default: return h("pre", { class: "message-data" }, valueElement(partText(part)));
  }
}
