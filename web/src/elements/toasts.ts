// Messages that pass: those the server sent with the page, and those modules show.
import { h, icon } from "../dom";
import { _ } from "../texts";

type Tone = "ok" | "warn" | "error";
const SHOWN_MS = 5000;

/** Shows `text` for a few seconds; an error stays until it is closed. */
export function toast(text: string, tone: Tone = "ok"): void {
  const element = h("p", { class: "toast", "data-tone": tone }, text);
  document.querySelector(".toasts")?.append(element);
  settle(element);
}

function settle(element: HTMLElement): void {
  if (element.dataset["tone"] === "error") {
    const close = h("button", { type: "button", "aria-label": _("Close") }, icon("x"));
    close.addEventListener("click", () => element.remove());
    element.append(close);
    return;
  }
  setTimeout(() => element.remove(), SHOWN_MS);
}

export function init(region: HTMLElement): void {
  for (const element of region.querySelectorAll<HTMLElement>(".toast")) settle(element);
}
