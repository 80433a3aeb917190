// The query is checked by the server while it is written: what is wrong is underlined where it stands and said below.
import { StateEffect, StateField, type Extension, type Text } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, hoverTooltip, type DecorationSet } from "@codemirror/view";
import { postJson } from "../api";
import { h } from "../dom";
import { told } from "../texts";
import { units } from "./place";

interface Problem { message: string; hint: string | null; line: number; column: number; length: number }
interface Verdict { valid: boolean; errors: Problem[] }
interface Placed { from: number; to: number; text: string }

const PAUSE_MS = 450;
const setProblems = StateEffect.define<Placed[]>();

const marks = StateField.define<{ placed: Placed[]; shown: DecorationSet }>({
  create: () => ({ placed: [], shown: Decoration.none }),
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setProblems)) {
        const shown = Decoration.set(effect.value.map((one) => Decoration.mark({ class: "cm-problem" }).range(one.from, one.to)), true);
        return { placed: effect.value, shown };
      }
    }
    return transaction.docChanged ? { placed: [], shown: Decoration.none } : value;
  },
  provide: (field) => EditorView.decorations.from(field, (value) => value.shown),
});

/** Returns the extension; `tell` is given the first problem in words, "" when there is none. */
export function problems(api: string, tell: (text: string) => void): Extension {
  let pause: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;
  const check = async (view: EditorView) => {
    asked?.abort();
    const query = view.state.doc.toString();
    if (query.trim() === "") { tell(""); return; }
    asked = new AbortController();
    try {
      const verdict = await postJson<Verdict>(`${api}/query/check`, { query }, asked.signal);
      if (view.state.doc.toString() !== query) return;
      view.dispatch({ effects: setProblems.of(verdict.errors.map((error) => placed(view.state.doc, error))) });
      const first = verdict.errors[0];
      tell(first ? sentence(first) : "");
    } catch { /* aborted by newer text, or not reachable: running the query will tell */ }
  };
  const hover = hoverTooltip((view, at) => {
    const found = view.state.field(marks).placed.find((one) => at >= one.from && at <= one.to);
    if (!found) return null;
    return { pos: found.from, end: found.to, above: false, create: () => ({ dom: h("div", { class: "cm-diagnostic" }, found.text) }) };
  });
  const first = ViewPlugin.define((view) => { void Promise.resolve().then(() => check(view)); return {}; });
  const listen = EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    clearTimeout(pause);
    tell("");
    pause = setTimeout(() => void check(update.view), PAUSE_MS);
  });
  return [marks, hover, first, listen];
}

function sentence(problem: Problem): string {
  const said = problem.hint ? `${told(problem.message)} – ${told(problem.hint)}` : told(problem.message);
  return said.replace(/`([^`]+)`/g, "“$1”");
}

/** Lines and columns count from 1; a problem at the end of the text is shown on the last character. */
function placed(doc: Text, problem: Problem): Placed {
  const line = doc.line(Math.max(1, Math.min(doc.lines, problem.line)));
  let from = line.from + units(line.text, problem.column - 1);
  let to = from + units(doc.sliceString(from), Math.max(1, problem.length));
  if (to <= from) { from = Math.max(0, doc.length - 1); to = doc.length; }
  return { from, to, text: sentence(problem) };
}
