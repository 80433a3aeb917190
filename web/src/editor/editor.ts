// The query editor: CodeMirror in front of the form's textarea, which keeps the value. Also what the search form does
// around a run: skeleton rows and "asking" while the answer is on its way.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { h, icon, meta, one } from "../dom";
import { onKey } from "../keys";
import { _ } from "../texts";
import { AttributeCatalog } from "./catalog";
import { traceqlCompletion } from "./completion";
import { traceql } from "./language";
import { problems } from "./problems";
import { fetchArriving, HEADER } from "../search/progress";

export function init(element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const textarea = one<HTMLTextAreaElement>("textarea[name=q]", form);
  const problem = one<HTMLElement>("#query-problem", form);
  const api = form.dataset["api"] ?? "";
  const catalog = new AttributeCatalog(api, () => chosen(form));
  const run = () => { one<HTMLButtonElement>("[data-run]", form).click(); return true; };
  const tell = (text: string) => { problem.textContent = problem.title = text; problem.hidden = text === ""; };
  const hadFocus = document.activeElement === textarea;

  const view = new EditorView({
    parent: one(".ask-query", form),
    state: EditorState.create({
      doc: textarea.value,
      extensions: [
        EditorView.cspNonce.of(meta("csp-nonce")),
        Prec.highest(keymap.of([
          { key: "Mod-Enter", run },
          { key: "Enter", run: (editor) => completionStatus(editor.state) === "active" ? acceptCompletion(editor) : run() },
          { key: "Shift-Enter", run: insertNewline },
          { key: "Tab", run: (editor) => completionStatus(editor.state) === "active" && acceptCompletion(editor) },
          { key: "Escape", run: (editor) => { if (completionStatus(editor.state)) return false; editor.contentDOM.blur(); return true; } },
        ])),
        history(),
        closeBrackets(),
        autocompletion({ override: [traceqlCompletion(catalog)], icons: false, maxRenderedOptions: 80, activateOnTypingDelay: 60 }),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
        traceql(),
        problems(api, tell),
        placeholder(textarea.placeholder),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": textarea.getAttribute("aria-label") ?? "" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) textarea.value = update.state.doc.toString(); }),
      ],
    }),
  });
  textarea.hidden = true;
  if (hadFocus) view.focus();
  view.contentDOM.addEventListener("focus", () => setTimeout(() => { if (view.hasFocus && view.state.doc.length === 0) startCompletion(view); }));
  onKey("/", () => { view.focus(); view.dispatch({ selection: { anchor: view.state.doc.length } }); });
  watchForm(form);
}

/** Which datasources and which time range are chosen, as the API's parameters. */
function chosen(form: HTMLFormElement): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (name === "source" && typeof value === "string") parameters.append("datasource", value);
  }
  const { from, to } = document.querySelector<HTMLElement>("#results")?.dataset ?? {};
  if (Number(to) > Number(from)) {
    parameters.set("start", new Date(Number(from)).toISOString());
    parameters.set("end", new Date(Number(to)).toISOString());
  }
  return parameters;
}

function watchForm(form: HTMLFormElement): void {
  for (const mark of form.querySelectorAll("[data-run] kbd")) {
    mark.textContent = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘⏎" : "Ctrl ⏎";
  }
  form.querySelector("[data-all-sources]")?.addEventListener("click", () => {
    const boxes = [...form.querySelectorAll<HTMLInputElement>("input[name=source]")];
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
  });
  form.addEventListener("click", (event) => {
    const chip = (event.target as Element).closest("label[data-source]");
    if (!event.altKey || !chip) return;
    event.preventDefault();
    for (const box of form.querySelectorAll<HTMLInputElement>("input[name=source]")) box.checked = chip.contains(box);
  });
  form.addEventListener("htmx:config:request", (event) => tidy(form, event as CustomEvent));
  form.addEventListener("htmx:before:request", (event) => { if (event.target === form) ask(form, event as CustomEvent); });
  form.addEventListener("htmx:error", (event) => { if (event.target === form) showLost(form); });
  document.addEventListener("click", (event) => {
    const close = (event.target as Element).closest("[data-close-explain]");
    if (!close || close.closest(".explain-page")) return; // there is nothing else on its own page
    event.preventDefault();
    document.querySelector("#explain")?.replaceChildren();
  });
}

/** Leaves out what says nothing, so that addresses stay short: empty fields, and sources when all are chosen. */
function tidy(form: HTMLFormElement, event: CustomEvent): void {
  const body: unknown = event.detail?.ctx?.request?.body;
  if (!(body instanceof FormData)) return;
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
  if (body.get("range") !== "custom") { body.delete("from"); body.delete("to"); }
  const boxes = [...form.querySelectorAll<HTMLInputElement>("input[name=source]")];
  if (boxes.every((box) => box.checked) || boxes.every((box) => !box.checked)) body.delete("source");
}

/** Shows who is asked, and rows as they come. */
function ask(form: HTMLFormElement, event: CustomEvent): void {
  const results = document.querySelector<HTMLElement>("#results");
  if (!results) return;
  showAsking(form, results);
  const { ctx } = event.detail;
  ctx.request.headers[HEADER] = "1";
  ctx.fetch = (url: RequestInfo | URL, request?: RequestInit) => fetchArriving(results, url, request);
}

function showAsking(form: HTMLFormElement, results: HTMLElement): void {
  const template = document.querySelector<HTMLTemplateElement>("#asking");
  if (!template) return;
  const asking = template.content.cloneNode(true) as DocumentFragment;
  const wanted = new Set([...form.querySelectorAll<HTMLInputElement>("input[name=source]:checked")].map((box) => box.value));
  for (const source of asking.querySelectorAll<HTMLElement>("[data-asking]")) {
    if (wanted.size && !wanted.has(source.dataset["asking"] ?? "")) source.remove();
  }
  // The element itself stays: it is what the answer will replace.
  results.replaceChildren(...(asking.firstElementChild?.childNodes ?? []));
}

/** The answer did not arrive: says so in its place, and offers to ask again. */
function showLost(form: HTMLFormElement): void {
  const again = h("button", { type: "button", class: "button button-primary" }, icon("refresh-cw"), _("Try again"));
  again.addEventListener("click", () => form.requestSubmit());
  document.querySelector("#results")?.replaceChildren(h("div", { class: "state", role: "alert" },
    icon("unplug", false), h("h2", {}, _("No answer arrived")), h("p", {}, _("Arcane cannot be reached, or it took too long.")), h("p", { class: "button-row" }, again)));
}
