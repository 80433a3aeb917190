// The messages of a draft: their texts, who says them, and in which order.
import { h, icon } from "../dom";
import { _ } from "../texts";
import type { Message } from "./draft";

const ROLES = ["system", "user", "assistant", "tool"];

export class Messages {
  private readonly cards: { message: Message; card: HTMLElement; area: HTMLTextAreaElement; fault: HTMLElement }[] = [];

  constructor(private readonly place: HTMLElement, private readonly changed: () => void) {}

  get all(): Message[] { return this.cards.map((one) => one.message); }

  /** Shows `messages` and nothing else. */
  show(messages: Message[]): void {
    this.cards.length = 0;
    this.place.replaceChildren();
    for (const message of messages) this.add({ ...message });
    requestAnimationFrame(() => this.cards.forEach((one) => grow(one.area)));
  }

  /** Adds a message at the end; by itself an answer follows a question. */
  add(message: Message = { role: this.all.at(-1)?.role === "user" ? "assistant" : "user", text: "" }): HTMLTextAreaElement {
    const role = h("select", { class: "select select-small", "aria-label": _("Who says it") }, ...ROLES.map((name) => h("option", { value: name, selected: name === message.role }, name)));
    const area = h("textarea", { class: "textarea play-text", rows: 2, spellcheck: "false", "aria-label": _("Text of the message") });
    area.value = message.text;
    const call = h("input", { class: "input input-data select-small", "aria-label": _("Which call this answers"), placeholder: "call_0", value: message.tool_call_id ?? "", hidden: message.role !== "tool" });
    const fault = h("p", { class: "field-error", role: "status", hidden: true });
    const card = h("article", { class: "play-message", "data-role": message.role },
      h("header", {}, role, call, h("span", { class: "spacer" }),
        tool("chevron-up", _("Move up"), () => this.move(card, -1)), tool("chevron-down", _("Move down"), () => this.move(card, 1)),
        tool("trash-2", _("Remove this message"), () => this.remove(card))),
      area, ...(message.tool_calls ?? []).map((one) => h("pre", { class: "play-call" }, `${one.name}(${one.arguments})`)), fault);
    role.addEventListener("change", () => { message.role = card.dataset["role"] = role.value; call.hidden = role.value !== "tool"; this.changed(); });
    call.addEventListener("input", () => { message.tool_call_id = call.value; this.changed(); });
    area.addEventListener("input", () => { message.text = area.value; grow(area); this.changed(); });
    area.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!event.altKey || !step) return;
      event.preventDefault();
      this.move(card, step);
      area.focus();
    });
    this.cards.push({ message, card, area, fault });
    this.place.append(card);
    return area;
  }

  /** Says what is wrong at the message it is wrong in; no fault says that nothing is. */
  blame(at: number, sentence: string): void {
    this.cards.forEach((one, index) => {
      one.fault.hidden = index !== at;
      one.fault.textContent = index === at ? sentence : "";
      one.area.toggleAttribute("aria-invalid", index === at);
    });
  }

  private move(card: HTMLElement, step: number): void {
    const from = this.cards.findIndex((one) => one.card === card);
    const to = from + step;
    if (to < 0 || to >= this.cards.length) return;
    this.cards.splice(to, 0, ...this.cards.splice(from, 1));
    if (step < 0) card.previousElementSibling?.before(card);
    else card.nextElementSibling?.after(card);
    this.changed();
  }

  private remove(card: HTMLElement): void {
    if (this.cards.length === 1) return;
    const at = this.cards.findIndex((one) => one.card === card);
    this.cards.splice(at, 1);
    card.remove();
    this.cards[Math.min(at, this.cards.length - 1)]?.area.focus();
    this.changed();
  }
}

function tool(name: string, label: string, act: () => void): HTMLElement {
  const button = h("button", { type: "button", class: "button button-ghost button-icon button-small", "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", act);
  return button;
}

/** A text is as high as it is long, up to what a screen can show. */
function grow(area: HTMLTextAreaElement): void {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight + 2, 480)}px`;
}
