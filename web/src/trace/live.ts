// Following a trace that is still running: spans come in as they are recorded, until none do for a while.
import { h, icon, one } from "../dom";
import { _ } from "../texts";
import type { SourceAnswer, TraceAnswer } from "./answer";

interface State { state: "live" | "quiet"; at: string; since: string; sources: SourceAnswer[] }

export interface Follower { shown: () => TraceAnswer; grow: (grown: TraceAnswer) => void; sources: (sources: SourceAnswer[]) => void }

/** Shows the button, and follows at once when the last span ended a moment ago. */
export function follow(page: HTMLElement, trace: TraceAnswer, follower: Follower): void {
  const button = one<HTMLButtonElement>("[data-follow]", page);
  const live = new Live(page.dataset["live"] ?? "", () => signature(follower.shown()), button, one("[data-live-state]", page), follower);
  button.hidden = false;
  button.addEventListener("click", () => live.toggle());
  const ended = Date.parse(trace.end ?? trace.start);
  if (Date.now() - ended < Number(page.dataset["fresh"]) * 1000) live.start();
  else live.show(false);
}

/** What tells the server which spans are here already: it sends only what is not. */
function signature(trace: TraceAnswer): string {
  const turn = 2 ** 32;
  return `${trace.spans.length}.${trace.spans.reduce((sum, span) => (sum + span.duration_ns % turn) % turn, 0)}`;
}

class Live {
  private source: EventSource | null = null;

  constructor(private readonly url: string, private readonly seen: () => string, private readonly button: HTMLButtonElement, private readonly place: HTMLElement, private readonly follower: Follower) {}

  toggle(): void {
    if (this.source) this.stop("");
    else this.start();
  }

  start(): void {
    this.source?.close();
    this.source = new EventSource(`${this.url}?seen=${this.seen()}`);
    this.source.addEventListener("spans", (event) => this.follower.grow(JSON.parse(event.data as string) as TraceAnswer));
    this.source.addEventListener("state", (event) => this.looked(JSON.parse(event.data as string) as State));
    this.source.addEventListener("end", (event) => this.ended(JSON.parse(event.data as string) as { reason: string; message: string }));
    this.source.addEventListener("error", () => { if (this.source?.readyState === EventSource.CLOSED) this.stop(_("It cannot be followed now")); });
    this.show(true);
    this.say("live", _("live"));
  }

  show(on: boolean): void {
    this.button.setAttribute("aria-pressed", String(on));
    this.button.replaceChildren(icon(on ? "pause" : "play", false), on ? _("Stop following") : _("Follow"));
  }

  private stop(text: string): void {
    this.source?.close();
    this.source = null;
    this.show(false);
    this.say("", text);
  }

  private looked(state: State): void {
    const silent = Date.parse(state.at) - Date.parse(state.since);
    this.say("live", silent < 5000 ? _("live") : _("live, nothing new since %(time)s", { time: clock(state.since) }));
    this.follower.sources(state.sources);
    this.place.dataset["since"] = state.since;
  }

  private ended(why: { reason: string; message: string }): void {
    if (why.reason === "changed") { this.start(); return; }
    const since = this.place.dataset["since"];
    this.stop(why.reason === "quiet" && since ? _("quiet since %(time)s", { time: clock(since) }) : why.message);
  }

  private say(state: string, text: string): void {
    this.place.dataset["state"] = state;
    if (this.place.textContent !== text) this.place.replaceChildren(...(text ? [h("span", { class: "dot" }), text] : []));
  }
}

function clock(time: string): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
