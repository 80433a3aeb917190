// What a person reads goes through gettext here too: the page carries the translations of its language.
const texts: Record<string, string> = JSON.parse(
  (typeof document === "undefined" ? null : document.getElementById("texts")?.textContent) ?? "{}",
);

/** Returns the sentence in the page's language; `%(name)s` is replaced by `values.name`. */
export function _(message: string, values: Record<string, string | number> = {}): string {
  return (texts[message] ?? message).replace(/%\((\w+)\)[sd]/g, (whole, name: string) => String(values[name] ?? whole));
}
