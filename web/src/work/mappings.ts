// Where each variable of the chosen scores comes from: a field for each, over the lines of text that are sent.
// Without this script the lines are written by hand.
import { getJson } from "../api";
import { h, one } from "../dom";
import { _ } from "../texts";

interface Score { name: string; reads: string[]; required: string[] }
interface Columns { columns: { name: string }[] }

const OF_TRACES = ["trace:input", "trace:output", "trace:messages", "trace:tool_calls", "trace:contexts", "trace:name", "trace:error", "span:", "resource:"];
const OF_EXPERIMENTS = ["experiment:output", "experiment:structured", "experiment:tool_calls", "experiment:messages"];
const SOURCES: Record<string, string[]> = { dataset: [], experiments: OF_EXPERIMENTS, traces: OF_TRACES, live: OF_TRACES };
// What the server fills in where nobody says anything (arcane/evaluations/service/pinning.py).
const TRACE_USUAL = { user_input: "trace:input", response: "trace:output", retrieved_contexts: "trace:contexts", tool_calls: "trace:tool_calls" };
const USUAL: Record<string, Record<string, string>> = {
  experiments: { response: "experiment:output", tool_calls: "experiment:tool_calls" }, traces: TRACE_USUAL, live: TRACE_USUAL,
};

export function init(element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const lines = one<HTMLTextAreaElement>("textarea[name=mappings]", form);
  const rows = one<HTMLElement>("[data-mappings]", form);
  const sources = h("datalist", { id: "mapping-sources" });
  const said = read(lines.value);
  let columns: string[] = [];
  let asked = "";

  const scope = () => one<HTMLSelectElement>("[name=scope]", form).value;
  const write = () => {
    const names = new Set(chosen(form).flatMap((score) => score.reads.map((variable) => `${score.name}.${variable}`)));
    lines.value = [...said].filter(([name, source]) => source && names.has(name)).map(([name, source]) => `${name} = ${source}`).join("\n");
  };
  const field = (score: Score, variable: string) => {
    const name = `${score.name}.${variable}`;
    const usual = USUAL[scope()]?.[variable] ?? (columns.includes(variable) ? `column:${variable}` : "");
    const input = h("input", {
      class: "input input-data", list: sources.id, value: said.get(name) ?? "", "aria-label": name,
      placeholder: usual || (score.required.includes(variable) ? _("Where does it come from?") : _("nothing")),
    });
    input.addEventListener("input", () => { said.set(name, input.value.trim()); write(); });
    return h("label", { class: "mapping" }, h("span", { class: "data cut", title: variable }, variable), input);
  };
  const draw = () => {
    sources.replaceChildren(...[...columns.map((name) => `column:${name}`), ...(SOURCES[scope()] ?? []), "text:"].map((value) => h("option", { value })));
    const groups = chosen(form).filter((score) => score.reads.length > 0);
    rows.replaceChildren(...groups.map((score) => h("fieldset", { class: "mapping-score" }, h("legend", {}, score.name), ...score.reads.map((variable) => field(score, variable)))));
    if (groups.length === 0) rows.append(h("p", { class: "faint" }, _("Choose scores first: what each of them reads is asked here.")));
    write();
  };
  const update = async () => {
    draw();
    const wanted = scope() === "dataset" ? one<HTMLSelectElement>("[name=dataset_id]", form).value : "";
    if (wanted === asked) return;
    asked = wanted;
    const found = wanted ? await getJson<Columns>(`${form.dataset["api"]}/datasets/${wanted}`).catch(() => null) : null;
    if (wanted !== asked) return;
    columns = found?.columns.map((column) => column.name) ?? [];
    draw();
  };

  lines.hidden = true;
  rows.after(sources);
  form.addEventListener("change", (event) => { if (!rows.contains(event.target as Node)) void update(); });
  narrow(form);
  void update();
}

function chosen(form: HTMLElement): Score[] {
  return [...form.querySelectorAll<HTMLInputElement>("[name=score_ids]:checked")].map((box) => ({
    name: box.dataset["score"] ?? "", reads: words(box.dataset["reads"]), required: words(box.dataset["required"]),
  }));
}

function words(text: string | undefined): string[] {
  return (text ?? "").split(" ").filter(Boolean);
}

/** Returns what lines of `score.variable = source` say. */
export function read(text: string): Map<string, string> {
  const pairs = text.split("\n").map((line) => [line, line.indexOf("=")] as const).filter(([, at]) => at > 0);
  return new Map(pairs.map(([line, at]) => [line.slice(0, at).trim(), line.slice(at + 1).trim()]));
}

/** Shows those scores whose name has what is typed; chosen ones stay in sight. */
function narrow(form: HTMLElement): void {
  const input = form.querySelector<HTMLInputElement>("[data-narrow]");
  input?.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const label of form.querySelectorAll<HTMLElement>(".work-scores .check")) {
      const checked = label.querySelector("input")?.checked ?? false;
      label.hidden = !checked && !(label.textContent ?? "").toLowerCase().includes(wanted);
    }
  });
}
