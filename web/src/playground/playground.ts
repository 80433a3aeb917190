// The playground: a draft in an editor, run on several models side by side, and saved as a version.
import { postJson, Refused } from "../api";
import { h, icon, one } from "../dom";
import { _, told } from "../texts";
import { Column, problemText } from "./column";
import { fingerprint, inputOf, messagesOf, NotJson, typed, versionBody, type Draft, type Json, type Start } from "./draft";
import { Messages } from "./messages";

const MOST_COLUMNS = 4;
const FIELDS = ["temperature", "max_tokens", "top_p"];
const CHECK_AFTER_MS = 250;

interface Checked { variables: string[]; required: string[]; fault: { message: number; line: number; column: number; detail: string } | null }
interface Span { trace_id: string; span_id: string }
/** What the window of a trace hands over: a model call as it was asked. */
interface Handed { span?: string; input?: Parameters<typeof messagesOf>[0]; parameters?: Record<string, Json>; tools?: Json[]; model?: string }

class Playground {
  private readonly start: Start;
  private readonly api: string;
  private readonly messages: Messages;
  private readonly columns: Column[] = [];
  private readonly inputs = new Map<string, HTMLTextAreaElement>();
  private saved = "";
  private span: Span | null = null;
  private waiting = 0;
  private checks = 0;

  constructor(private readonly element: HTMLElement) {
    this.start = JSON.parse(one("[data-start]", element).textContent ?? "{}") as Start;
    this.api = element.dataset["api"] ?? "";
    this.messages = new Messages(this.part("messages"), () => this.changed());
    this.fill(this.start.draft);
    this.addColumn(this.start.model);
    this.saved = this.start.version ? this.print() : "";
    this.listen();
    this.receive();
    this.changed();
  }

  private part<T extends HTMLElement>(name: string): T { return one<T>(`[data-${name}]`, this.element); }

  private fill(draft: Draft): void {
    this.messages.show(draft.messages);
    this.part<HTMLSelectElement>("format").value = draft.format;
    this.part<HTMLInputElement>("choice").value = draft.tool_choice === "auto" ? "" : draft.tool_choice;
    const rest = Object.entries(draft.parameters).filter(([name]) => !FIELDS.includes(name));
    for (const name of FIELDS) this.parameter(name).value = String(draft.parameters[name] ?? "");
    this.text("parameters", rest.length ? Object.fromEntries(rest) : null);
    this.text("tools", draft.tools.length ? draft.tools : null);
    this.text("schema", draft.response_schema);
  }

  private text(name: string, value: Json): void {
    const area = this.part<HTMLTextAreaElement>(name);
    area.value = value === null ? "" : JSON.stringify(value, null, 2);
    const around = area.closest("details");
    if (around && area.value) around.open = true;
  }

  private parameter(name: string): HTMLInputElement { return one<HTMLInputElement>(`[data-parameter="${name}"]`, this.element); }

  /** Returns what stands in the editor; raises NotJson. */
  private draft(): Draft {
    const parameters = typed(_("More parameters"), this.part<HTMLTextAreaElement>("parameters").value, {}) as Record<string, Json>;
    for (const name of FIELDS) if (this.parameter(name).value) parameters[name] = Number(this.parameter(name).value);
    return {
      kind: this.start.draft.kind, messages: this.messages.all, format: this.part<HTMLSelectElement>("format").value, parameters,
      tools: typed(_("Tools"), this.part<HTMLTextAreaElement>("tools").value, []) as Json[],
      tool_choice: this.part<HTMLInputElement>("choice").value.trim() || "auto",
      response_schema: typed(_("Form of the answer"), this.part<HTMLTextAreaElement>("schema").value, null),
    };
  }

  private print(): string {
    try {
      return fingerprint(this.draft(), this.columns[0]!.model);
    } catch {
      return "";
    }
  }

  private listen(): void {
    this.element.addEventListener("input", () => this.changed());
    this.part("add-message").addEventListener("click", () => { this.messages.add().focus(); this.changed(); });
    one("[data-run]").addEventListener("click", () => this.run());
    one("[data-add-column]").addEventListener("click", () => this.addColumn());
    document.querySelector("[data-save-form]")?.addEventListener("submit", (event) => { event.preventDefault(); void this.save(event.target as HTMLFormElement); });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeunload", (event) => { if (this.saved && this.print() !== this.saved) event.preventDefault(); });
  }

  private key(event: KeyboardEvent): void {
    const held = event.ctrlKey || event.metaKey;
    if (held && event.key === "Enter") { event.preventDefault(); this.run(); }
    else if (held && event.key === "s") { event.preventDefault(); document.querySelector<HTMLElement>("[data-save]")?.click(); }
    else if (event.key === "Escape" && !document.querySelector("dialog[open]")) this.columns.forEach((column) => column.cancel());
  }

  private addColumn(model?: string): void {
    if (this.columns.length >= MOST_COLUMNS) return;
    const { models } = this.start;
    const taken = this.columns.map((column) => column.model);
    const next = model ?? models.find(([id]) => !taken.includes(id))?.[0] ?? models[0]?.[0] ?? "";
    const close = this.columns.length === 0 ? null : (column: Column) => {
      this.columns.splice(this.columns.indexOf(column), 1);
      column.element.remove();
      this.arrange();
    };
    const column = new Column(models, next, () => this.changed(), close);
    this.columns.push(column);
    this.part("columns").append(column.element);
    this.arrange();
  }

  private arrange(): void {
    this.part("columns").dataset["count"] = String(this.columns.length);
    one<HTMLButtonElement>("[data-add-column]").disabled = this.columns.length >= MOST_COLUMNS;
  }

  private run(): void {
    const body = this.body();
    if (!body) return;
    for (const column of this.columns) void column.run(`${this.api}/prompts/run/stream`, body);
  }

  private body(): Record<string, unknown> | null {
    try {
      const inputs = Object.fromEntries([...this.inputs].map(([name, area]) => [name, inputOf(area.value)]));
      const draft = versionBody(this.draft(), this.columns[0]!.model);
      this.say("");
      const { prompt, version } = this.start;
      if (prompt && version && this.print() === this.saved) return { prompt: prompt.id, version, inputs };
      return { draft, inputs, ...(prompt ? { prompt: prompt.id } : {}), ...(this.span ? { span: this.span } : {}) };
    } catch (error: unknown) {
      if (!(error instanceof NotJson)) throw error;
      this.say(_("%(field)s: this is not JSON.", { field: error.field }));
      return null;
    }
  }

  private say(sentence: string, tone = "error"): void {
    this.part("notice").replaceChildren(...(sentence ? [h("div", { class: "notice notice-slim", "data-tone": tone, role: "alert" }, icon(tone === "error" ? "circle-alert" : "info", false), h("div", {}, h("b", {}, sentence)))] : []));
  }

  private changed(): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.check(), CHECK_AFTER_MS);
    const state = one("[data-changed]");
    state.textContent = !this.saved ? "" : this.print() === this.saved ? _("as saved") : _("changed, not saved");
  }

  /** The server reads the templates: it knows every format, and says where one is wrong. */
  private async check(): Promise<void> {
    const turn = ++this.checks;
    const format = this.part<HTMLSelectElement>("format").value;
    try {
      const checked = await postJson<Checked>(`${this.api}/prompts/check`, { messages: this.messages.all, format });
      if (turn !== this.checks) return;
      const { fault } = checked;
      this.messages.blame(fault ? fault.message : -1, fault ? `${fault.line ? _("Line %(line)s: ", { line: fault.line }) : ""}${told(fault.detail)}` : "");
      if (!fault) this.ask(checked);
    } catch (error: unknown) {
      if (!(error instanceof Refused)) throw error;
    }
  }

  private ask(checked: Checked): void {
    const place = this.part("variables");
    const boxes = checked.variables.map((name) => {
      const known = this.inputs.get(name);
      const area = known ?? h("textarea", { class: "textarea", rows: 1, id: `variable-${name}`, spellcheck: "false" });
      if (!known) area.addEventListener("input", () => { area.rows = Math.min(10, area.value.split("\n").length); });
      return [name, area] as const;
    });
    this.part("variables-part").hidden = boxes.length === 0;
    const now = boxes.map(([name]) => name).join("\n");
    if (now === [...this.inputs.keys()].join("\n")) return;
    this.inputs.clear();
    boxes.forEach(([name, area]) => this.inputs.set(name, area));
    place.replaceChildren(...boxes.map(([name, area]) => h("div", { class: "play-variable" },
      h("label", { for: area.id }, h("code", {}, name), !checked.required.includes(name) && h("span", { class: "faint" }, " ", _("optional"))), area)));
  }

  private async save(form: HTMLFormElement): Promise<void> {
    const fault = one<HTMLElement>("[data-save-error]", form);
    const value = (name: string) => form.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value.trim() ?? "";
    try {
      const version = versionBody(this.draft(), this.columns[0]!.model, value("description"));
      const { prompt } = this.start;
      const made = prompt
        ? await postJson<{ name: string; prompt_id: string }>(`${this.api}/prompts/${prompt.id}/versions`, version)
        : (await postJson<{ version: { name: string; prompt_id: string } }>(`${this.api}/prompts`, { name: value("name"), version })).version;
      this.saved = "";
      location.assign(`${this.element.dataset["base"]}/${made.prompt_id}?version=${made.name}`);
    } catch (error: unknown) {
      fault.hidden = false;
      if (error instanceof NotJson) fault.textContent = _("%(field)s: this is not JSON.", { field: error.field });
      else if (error instanceof Refused) fault.textContent = problemText({ title: error.title, detail: error.detail, ...error.members });
      else throw error;
    }
  }

  /** A conversation of a span comes from the window of its trace, which is asked until it answers, and is kept by nobody. */
  private receive(): void {
    const wanted = new URLSearchParams(location.search).get("span");
    if (!wanted) return;
    const [trace_id = "", span_id = ""] = wanted.split("/");
    const ask = () => { (window.opener as Window | null)?.postMessage({ wants: wanted }, location.origin); };
    const asking = setInterval(ask, 500);
    const patience = setTimeout(() => this.say(_("The conversation of a span is not kept. Open it from its trace again."), "accent"), 2_000);
    addEventListener("message", (event: MessageEvent<Handed>) => {
      if (event.origin !== location.origin || event.data?.span !== wanted || !event.data.input) return;
      clearTimeout(patience);
      clearInterval(asking);
      if (this.span) return; // it answered twice, and somebody may have written since
      this.span = { trace_id, span_id };
      const { input, parameters = {}, tools = [] } = event.data;
      this.fill({ ...this.start.draft, format: "none", messages: messagesOf(input), parameters, tools });
      const asked = event.data.model ? _("The span asked %(model)s.", { model: event.data.model }) : "";
      this.say([_("This conversation comes from a trace: runs keep what they took, and none of its text."), asked].filter(Boolean).join(" "), "accent");
      this.changed();
    });
    ask();
  }
}

export function init(element: HTMLElement): void {
  new Playground(element);
}
