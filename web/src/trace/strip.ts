// The source strip of the trace page, in the markup of components/strip.html.
import { h, icon } from "../dom";
import { countText, durationText } from "../format";
import { _, told } from "../texts";
import type { SourceAnswer } from "./answer";

const TONES: Record<string, string> = { ok: "ok", partial: "warn", approximate: "warn", failed: "error", skipped: "plain" };

/** Fills `place` with who was asked for the trace, those that need attention first. */
export function drawStrip(place: HTMLElement, sources: readonly SourceAnswer[]): void {
  const order = ["error", "warn", "ok", "plain"];
  const sorted = [...sources].sort((a, b) => order.indexOf(tone(a)) - order.indexOf(tone(b)));
  place.replaceChildren(
    h("div", { class: "strip", role: "group", "aria-label": _("Datasources that were asked") },
      ...sorted.map((source) => h("button", { type: "button", class: "strip-source", "data-tone": tone(source), popovertarget: `source-${source.datasource_id}` },
        h("span", { class: "dot" }), h("b", {}, source.name), h("span", { class: "data num" }, source.rows ? _("%(n)s spans", { n: countText(source.rows) }) : "–"),
        h("span", { class: "data num faint" }, durationText(source.elapsed_ms * 1e6)), h("span", { class: "strip-note" }, note(source))))),
    ...sorted.map((source) => h("div", { class: "menu menu-up source-card", id: `source-${source.datasource_id}`, popover: "" },
      h("h3", {}, h("span", { class: "dot", "data-tone": tone(source) }), source.name, " ", h("span", { class: "faint" }, source.kind)),
      h("dl", {}, h("dt", {}, _("Spans")), h("dd", { class: "num" }, countText(source.rows)), h("dt", {}, _("Time")), h("dd", { class: "num" }, durationText(source.elapsed_ms * 1e6))),
      ...[source.error?.message, ...source.warnings].filter((text): text is string => Boolean(text)).map((text) =>
        h("div", { class: "notice", "data-tone": source.error ? "error" : "warn" }, icon("circle-alert"), h("div", {}, h("p", {}, told(text))))))));
}

function tone(source: SourceAnswer): string {
  return TONES[source.status] ?? "plain";
}

function note(source: SourceAnswer): string {
  const said = source.error?.message ?? source.warnings[0];
  return said !== undefined ? told(said) : (source.status === "ok" && source.rows === 0 ? _("has nothing of it") : "");
}
