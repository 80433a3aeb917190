// One model of the playground: which, what it answers while it answers, and what that took.
import { h, icon, meta } from "../dom";
import { costText, countText, durationText } from "../format";
import { _, told } from "../texts";
import { events, type Json } from "./draft";

interface Usage { input_tokens: number; output_tokens: number; cost_usd: number | null }
interface Answer { text: string; tool_calls: { name: string; arguments: string }[]; structured: Json; finish_reason: string; model: string; usage: Usage }

export class Column {
  readonly element: HTMLElement;
  private readonly select: HTMLSelectElement;
  private readonly output = h("div", { class: "play-output", tabindex: 0, "aria-live": "off" });
  private readonly status = h("p", { class: "play-took faint num", role: "status" }, _("Not run yet."));
  private readonly stop = h("button", { type: "button", class: "button button-small", hidden: true }, icon("x"), _("Cancel"));
  private running: AbortController | undefined;

  constructor(models: [string, string][], model: string, changed: () => void, closed: ((column: Column) => void) | null) {
    this.select = h("select", { class: "select", "aria-label": _("Model") }, ...models.map(([id, name]) => h("option", { value: id, selected: id === model }, name)));
    this.select.addEventListener("change", changed);
    this.stop.addEventListener("click", () => this.cancel());
    const close = closed && h("button", { type: "button", class: "button button-ghost button-icon", "aria-label": _("Close this column"), title: _("Close this column") }, icon("x"));
    close?.addEventListener("click", () => { this.cancel(); closed!(this); });
    this.element = h("article", { class: "play-column" }, h("header", {}, this.select, this.stop, close), this.output, this.status);
  }

  get model(): string { return this.select.value; }

  get busy(): boolean { return this.running !== undefined; }

  cancel(): void { this.running?.abort(); }

  /** Runs `body` with this column's model; what goes wrong is said where the answer would stand. */
  async run(url: string, body: Record<string, unknown>): Promise<void> {
    this.cancel();
    const running = this.running = new AbortController();
    const begun = performance.now();
    this.output.replaceChildren();
    this.element.dataset["state"] = "running";
    this.stop.hidden = false;
    this.status.textContent = _("Asking the model…");
    try {
      await this.read(await this.ask(url, body, running.signal), begun);
    } catch (error: unknown) {
      if (running.signal.aborted) this.end("cancelled", _("Cancelled after %(time)s.", { time: durationText((performance.now() - begun) * 1e6) }));
      else this.fail(error instanceof Told ? error.message : _("The connection broke off. Try again."));
    } finally {
      if (this.running === running) {
        this.running = undefined;
        this.stop.hidden = true;
      }
    }
  }

  private async ask(url: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { accept: "text/event-stream", "content-type": "application/json", "x-csrf-token": meta("csrf-token") };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ ...body, model_configuration_id: this.model }), signal });
    if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (!answer.ok || !answer.body) throw new Told(problemText(await answer.json().catch(() => ({})) as Problem));
    return answer.body;
  }

  private async read(body: ReadableStream<Uint8Array>, begun: number): Promise<void> {
    const text = document.createTextNode("");
    let first = 0;
    this.output.replaceChildren(h("div", { class: "prompt-text" }, text));
    for await (const [name, data] of events(body)) {
      if (name === "text") {
        first ||= performance.now() - begun;
        const follows = this.output.scrollTop + this.output.clientHeight >= this.output.scrollHeight - 24;
        text.appendData(String(data["text"]));
        if (follows) this.output.scrollTop = this.output.scrollHeight;
      } else if (name === "problem") {
        throw new Told(problemText(data as Problem));
      } else if (name === "done") {
        this.done(data as unknown as Answer, first, performance.now() - begun);
        return;
      }
    }
    throw new Told(_("The connection broke off. Try again."));
  }

  /** `first` and `whole` are of one clock, the person's: what the model says of itself leaves out the way to it. */
  private done(answer: Answer, first: number, whole: number): void {
    const calls = answer.tool_calls.map((call) => h("section", { class: "play-call" }, h("b", { class: "tool-name" }, call.name), h("pre", {}, pretty(call.arguments))));
    const said = answer.structured === null ? answer.text : JSON.stringify(answer.structured, null, 2);
    const copy = h("button", { type: "button", class: "button button-ghost button-icon button-small play-copy", "data-copy": said, "aria-label": _("Copy the answer"), title: _("Copy the answer") }, icon("copy"));
    this.output.replaceChildren(copy, said ? h("div", { class: answer.structured === null ? "prompt-text" : "prompt-text data" }, said) : "", ...calls);
    const { usage } = answer;
    this.end("done", [
      durationText(whole * 1e6), first > 0 && _("first text after %(time)s", { time: durationText(first * 1e6) }),
      _("%(input)s + %(output)s tokens", { input: countText(usage.input_tokens), output: countText(usage.output_tokens) }),
      usage.cost_usd !== null && costText(usage.cost_usd), answer.finish_reason !== "stop" && answer.finish_reason,
    ].filter(Boolean).join(" · "));
  }

  private fail(sentence: string): void {
    if (!this.output.textContent) this.output.replaceChildren();
    this.output.append(h("div", { class: "notice notice-slim", "data-tone": "error", role: "alert" }, icon("circle-alert", false), h("div", {}, h("b", {}, sentence))));
    this.end("failed", "");
  }

  private end(state: string, status: string): void {
    this.element.dataset["state"] = state;
    this.status.textContent = status;
  }
}

class Told extends Error {}

export interface Problem { title?: string; detail?: string; errors?: { pointer: string; detail: string }[] }

/** Returns what a problem says to a person: each of its faults, or its sentence. */
export function problemText(problem: Problem): string {
  const faults = problem.errors?.map((fault) => `${fault.pointer.replace(/^#\/(draft\/|version\/)?/, "")}: ${told(fault.detail)}`) ?? [];
  return faults.join("\n") || told(problem.detail ?? "") || problem.title || _("That did not work.");
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
