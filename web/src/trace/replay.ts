// What can be made of a span: a row of a dataset; and of a model call, another try in the playground. Its conversation
// goes from this window to the other one and nowhere else.
import { h, icon } from "../dom";
import { _ } from "../texts";
import type { ExchangeAnswer, SpanAnswer } from "./answer";

/** Returns the link to where the span becomes a row of a dataset; null for whoever may not. */
export function captureLink(traceId: string, span: SpanAnswer): HTMLElement | null {
  const captures = document.querySelector<HTMLElement>("[data-captures]")?.dataset["captures"];
  if (!captures) return null;
  return h("a", { class: "jump", href: `${captures}?trace=${traceId}&span=${span.span_id}` }, icon("table"), " ", _("Add to a dataset"));
}

/** Returns the button that opens the span's conversation in the playground; null where there is nothing to run, or nobody may. */
export function playgroundButton(traceId: string, span: SpanAnswer, exchange: ExchangeAnswer): HTMLElement | null {
  const playground = document.querySelector<HTMLElement>("[data-playground]")?.dataset["playground"];
  if (!playground || span.llm?.kind !== "llm" || exchange.input.length === 0) return null;
  const button = h("button", { type: "button", class: "button replay" }, icon("play"), _("Open in playground"));
  button.addEventListener("click", () => hand(playground, `${traceId}/${span.span_id}`, exchange, span.llm?.request_model ?? span.llm?.response_model));
  return button;
}

/** The new window asks for the conversation once it can take it, and again after it was loaded again. */
function hand(playground: string, name: string, exchange: ExchangeAnswer, model: string | undefined): void {
  const opened = window.open(`${playground}?span=${encodeURIComponent(name)}`, "_blank");
  const answer = (event: MessageEvent<{ wants?: string }>) => {
    if (event.origin !== location.origin || event.source !== opened || event.data?.wants !== name) return;
    const { input, parameters, tools } = exchange;
    opened?.postMessage({ span: name, input, parameters, tools, model }, location.origin);
  };
  addEventListener("message", answer);
}
