// Colours a line of TraceQL.
import { h } from "../dom";
import { tokens } from "../traceql/tokens";

export function init(element: HTMLElement): void {
  const text = element.textContent ?? "";
  element.replaceChildren(...tokens(text).map((token) =>
    token.kind === "space" || token.kind === "text" ? token.text : h("span", { class: `tok-${token.kind}` }, token.text)));
}
