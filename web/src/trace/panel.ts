// Everything about the selected span.
import { postJson, Refused } from "../api";
import { h, icon } from "../dom";
import { durationText, shortId } from "../format";
import { _ } from "../texts";
import type { ExchangeAnswer, SpanAnswer, TraceAnswer } from "./answer";
import { conversation, llmLine, usage } from "./messages";
import { captureLink, playgroundButton } from "./replay";
import type { Node, Tree } from "./tree";
import { skewText } from "./rows";
import { attributeList, valueElement, type Place } from "./values";

type Tab = readonly [key: string, label: string, count: number | null, body: () => HTMLElement | null];

export class Panel {
  private tab = "span";
  private asked: AbortController | undefined;
  private readonly exchanges = new Map<string, Promise<ExchangeAnswer>>();

  constructor(
    private readonly element: HTMLElement, private trace: TraceAnswer, private tree: Tree,
    private readonly place: Place, private readonly select: (node: Node) => void,
  ) {}

  /** The trace has grown. What is open is drawn again only where the span itself has changed. */
  grow(trace: TraceAnswer, tree: Tree, selected: Node | null): void {
    const before = selected ? this.tree.byId.get(selected.span.span_id) : undefined;
    const changed = JSON.stringify(before?.span) !== JSON.stringify(selected?.span) && before?.span.offset_ns === selected?.span.offset_ns;
    this.trace = trace;
    this.tree = tree;
    if (!changed || !selected) return;
    this.exchanges.delete(selected.span.span_id);
    this.show(selected);
  }

  show(node: Node | null): void {
    if (!node) {
      this.element.replaceChildren(h("p", { class: "faint none" }, _("No span is selected.")));
      return;
    }
    const tabs = this.tabs(node);
    if (!tabs.some(([key]) => key === this.tab)) this.tab = "span";
    const body = h("div", { class: "panel-body", role: "tabpanel", id: "panel-body", tabindex: 0 });
    const list = h("div", { class: "tabs", role: "tablist", "aria-label": _("About this span") });
    const draw = () => {
      body.setAttribute("aria-labelledby", `panel-tab-${this.tab}`);
      body.replaceChildren(tabs.find(([key]) => key === this.tab)?.[3]() ?? "");
      body.scrollTop = 0;
      for (const tab of list.children) {
        const on = tab.id === `panel-tab-${this.tab}`;
        tab.setAttribute("aria-selected", String(on));
        (tab as HTMLElement).tabIndex = on ? 0 : -1;
      }
    };
    list.append(...tabs.map(([key, label, count]) => {
      const tab = h("button", { type: "button", class: "tab", role: "tab", id: `panel-tab-${key}`, "aria-controls": "panel-body" }, label, count !== null && h("span", { class: "faint num" }, ` ${count}`));
      tab.addEventListener("click", () => { this.tab = key; draw(); });
      return tab;
    }));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.stopPropagation();
      const at = tabs.findIndex(([key]) => key === this.tab);
      this.tab = tabs[(at + step + tabs.length) % tabs.length]![0];
      draw();
      list.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    });
    this.element.replaceChildren(this.head(node), list, body);
    draw();
  }

  private tabs(node: Node): Tab[] {
    const { span } = node;
    const resource = this.trace.resources[span.resource]?.attributes ?? {};
    const tabs: Tab[] = [["span", _("Span"), null, () => this.overview(node)]];
    if (span.events.length) tabs.push(["events", _("Events"), span.events.length, () => this.events(node)]);
    if (span.links.length) tabs.push(["links", _("Links"), span.links.length, () => this.links(span)]);
    tabs.push(["resource", _("Resource"), Object.keys(resource).length, () => this.resource(span)]);
    tabs.push(["raw", _("Raw"), null, () => this.raw(span)]);
    return tabs;
  }

  private head(node: Node): HTMLElement {
    const { span } = node;
    const from = span.sources.map((at) => this.trace.sources[at]?.name).filter(Boolean).join(" + ");
    const status = node.failed ? h("span", { class: "tag", "data-kind": "error" }, errorName(span)) : null;
    return h("header", { class: "panel-head" },
      h("h2", {}, h("span", { class: "panel-name" }, span.name || _("(no name)")), " ", status),
      h("p", { class: "quiet" }, h("span", { class: "tag", "data-kind": node.kind }, node.kind === "plain" ? "span" : node.kind), ` ${[
        node.service, span.kind === "unspecified" ? "" : span.kind, durationText(node.duration), node.start > 0 && `+${durationText(node.start)}`, from && _("from %(source)s", { source: from }),
      ].filter(Boolean).join(" · ")}`),
      ...this.remarks(node),
      h("p", { class: "panel-ids" },
        copyable(span.span_id, _("Copy the span id")),
        node.parent && this.jump(node.parent, _("parent")),
        captureLink(this.trace.trace_id, span)));
  }

  private remarks(node: Node): HTMLElement[] {
    const { span } = node;
    const remarks: HTMLElement[] = [];
    if (span.status_message) remarks.push(h("p", { class: "status-message", "data-tone": node.failed ? "error" : "plain" }, valueElement(span.status_message)));
    if (node.orphan) remarks.push(h("p", { class: "remark" }, _("Its parent %(id)s was not received: not sampled, in another store, or still on its way.", { id: shortId(span.parent_span_id ?? "") })));
    if (node.early || node.late) remarks.push(h("p", { class: "remark" }, skewText(node)));
    return remarks;
  }

  private overview(node: Node): HTMLElement {
    const { span } = node;
    const line = span.llm ? llmLine(span.llm) : "";
    const count = Object.keys(span.attributes).length;
    return h("div", {},
      line && h("p", { class: "llm-line" }, line),
      span.llm && usage(span.llm),
      span.llm && this.messages(span),
      h("section", { class: "panel-part" },
        h("header", { class: "part-head" }, h("span", {}, _("Attributes")), h("span", { class: "num" }, String(count))),
        attributeList(span.attributes, "span", this.place)));
  }

  /** The server reads the messages out of the span's attributes: it knows every dialect, and fetches nothing again. */
  private messages(span: SpanAnswer): HTMLElement {
    const place = h("div", { class: "messages" });
    this.asked?.abort();
    this.asked = new AbortController();
    const known = this.exchanges.get(span.span_id);
    const waiting = setTimeout(() => place.append(h("p", { class: "waiting", role: "status" }, h("span", { class: "said" }, _("Loading messages")), h("span", { class: "skeleton skeleton-w4" }))), 150);
    const answer = known ?? postJson<ExchangeAnswer>(
      `${this.place.page}/${this.trace.trace_id}/messages`,
      { name: span.name, kind: span.kind, attributes: span.attributes, events: span.events }, this.asked.signal);
    answer.then((exchange) => {
      this.exchanges.set(span.span_id, Promise.resolve(exchange));
      place.replaceChildren(conversation(exchange) ?? "", playgroundButton(this.trace.trace_id, span, exchange) ?? "");
    }).catch((error: unknown) => {
      if (error instanceof Refused) place.replaceChildren(h("p", { class: "faint none" }, error.detail || error.title));
    }).finally(() => clearTimeout(waiting));
    return place;
  }

  private events(node: Node): HTMLElement {
    return h("div", {}, ...node.span.events.map((event) => h("section", { class: "panel-part event" },
      h("header", { class: "part-head" }, h("b", {}, event.name), h("span", { class: "num" }, `+${durationText(event.offset_ns - node.start)}`)),
      attributeList(event.attributes, "event", this.place))));
  }

  private links(span: SpanAnswer): HTMLElement {
    return h("div", {}, ...span.links.map((link) => {
      const here = link.trace_id === this.trace.trace_id ? this.tree.byId.get(link.span_id) : undefined;
      const target = here ? this.jump(here, _("in this trace"))
        : h("a", { href: `${this.place.page}/${link.trace_id}?span=${link.span_id}` }, _("Trace %(id)s", { id: shortId(link.trace_id) }), " ", icon("arrow-up-right"));
      return h("section", { class: "panel-part" },
        h("header", { class: "part-head" }, target, h("code", {}, link.span_id)),
        attributeList(link.attributes, "link", this.place));
    }));
  }

  private resource(span: SpanAnswer): HTMLElement {
    const resource = this.trace.resources[span.resource]?.attributes ?? {};
    const scope = this.trace.scopes[span.scope];
    return h("div", {},
      h("section", { class: "panel-part" }, h("header", { class: "part-head" }, h("span", {}, _("Resource"))), attributeList(resource, "resource", this.place)),
      scope && h("section", { class: "panel-part" },
        h("header", { class: "part-head" }, h("span", {}, _("Scope")), h("span", {}, [scope.name, scope.version].filter(Boolean).join(" "))),
        attributeList(scope.attributes, "instrumentation", this.place)));
  }

  private raw(span: SpanAnswer): HTMLElement {
    const whole = {
      ...span, resource: this.trace.resources[span.resource], scope: this.trace.scopes[span.scope],
      sources: span.sources.map((at) => this.trace.sources[at]?.name),
    };
    const text = JSON.stringify(whole, null, 2);
    return h("figure", { class: "code raw" },
      h("header", {}, "JSON", h("button", { type: "button", class: "button button-ghost button-small", "data-copy": text }, icon("copy"), _("Copy"))),
      h("pre", { tabindex: 0 }, text));
  }

  private jump(node: Node, what: string): HTMLElement {
    const button = h("button", { type: "button", class: "jump" }, `${what}: ${node.span.name}`);
    button.addEventListener("click", () => this.select(node));
    return button;
  }
}

/** Returns what the failure is called, where the span says. */
function errorName(span: SpanAnswer): string {
  const named = span.attributes["error.type"] ?? span.events.find((event) => event.name === "exception")?.attributes["exception.type"];
  return typeof named === "string" && named ? named : _("error");
}

function copyable(text: string, label: string): HTMLElement {
  return h("button", { type: "button", class: "copyable", "data-copy": text, "aria-label": label, title: label }, text, icon("copy"));
}
