// Runs while the search page is still arriving (app.ts waits for its end): rows and datasources take their places as
// they come. The results that follow are the whole answer; when they are there, this has nothing left to do.
import { Arriving } from "./search/arriving";

let arriving: Arriving | null = null;

function take(): void {
  const loading = document.querySelector<HTMLElement>("#loading");
  if (!loading) return;
  arriving ??= new Arriving(loading);
  for (const piece of loading.querySelectorAll<HTMLTemplateElement>(":scope > template[data-piece]")) {
    if (!piece.nextSibling) return;  // the parser is still in it
    arriving.take(piece);
    piece.remove();
  }
}

const observer = new MutationObserver(() => {
  take();
  if (document.querySelector("#results")) observer.disconnect();
});
if (document.readyState === "loading") observer.observe(document, { childList: true, subtree: true });
take();
