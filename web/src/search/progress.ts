// Reads the answer to a search while it comes: pieces first, then the whole. For htmx it is a fetch like any other.
import { Arriving } from "./arriving";

const MARK = "<!-- pieces -->";
export const HEADER = "X-Arcane-Pieces";

/** Fetches `url`; pieces are shown in `root`, and what is behind the last of them is the answer. */
export async function fetchArriving(root: HTMLElement, url: RequestInfo | URL, request?: RequestInit): Promise<Response> {
  const response = await fetch(url, request);
  if (!response.ok || !response.body) return response;
  const arriving = new Arriving(root);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    const end = text.lastIndexOf(MARK);
    if (end < 0) continue;
    show(arriving, text.slice(0, end));
    text = text.slice(end + MARK.length);
  }
  return new Response(text, { status: response.status, headers: response.headers });
}

function show(arriving: Arriving, html: string): void {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  for (const piece of holder.content.querySelectorAll<HTMLTemplateElement>("template[data-piece]")) arriving.take(piece);
}
