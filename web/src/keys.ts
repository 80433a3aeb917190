// Keyboard: modules register what a key does; keys typed into a field stay there. Sequences ("g t") wait a second.
type Action = (event: KeyboardEvent) => void;

const actions = new Map<string, Action>();
const SEQUENCE_MS = 1000;

/** Makes `keys` ("j", "?", "g t", "Mod+Enter") run `action` until the page is left. */
export function onKey(keys: string | string[], action: Action): void {
  for (const key of typeof keys === "string" ? [keys] : keys) actions.set(key, action);
}

/** Returns how a key event is written in a registration. */
export function spell(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey" | "shiftKey">): string {
  const modifier = event.metaKey || event.ctrlKey ? "Mod+" : "";
  const alt = event.altKey ? "Alt+" : "";
  const shift = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return modifier + alt + shift + event.key;
}

/** True where typing means text. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement
    && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}

/** Listens on the page; `?` opens the help, `g` begins a jump. */
export function installShortcuts(): void {
  let prefix = "";
  let since = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") && event.key !== "Escape") return;
    const now = performance.now();
    const spelled = spell(event);
    const sequence = prefix && now - since < SEQUENCE_MS ? `${prefix} ${spelled}` : spelled;
    const action = actions.get(sequence) ?? actions.get(spelled);
    prefix = spelled === "g" ? "g" : "";
    since = now;
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  onKey("?", () => document.querySelector<HTMLDialogElement>("#help")?.showModal());
  for (const [key, place] of [["t", "traces"], ["d", "datasources"], ["s", "settings"]] as const) {
    onKey(`g ${key}`, () => document.querySelector<HTMLAnchorElement>(`.rail-link[href$="/${place}"]`)?.click());
  }
}
