// What a person reads goes through gettext here too: the page carries the translations of its language.
const texts: Record<string, string> = JSON.parse(
  (typeof document === "undefined" ? null : document.querySelector("script[data-texts]")?.textContent) ?? "{}",
);
const HOLE = /%\((\w+)\)[\d.]*[sdfg]/g;

/** Returns the sentence in the page's language; `%(name)s` is replaced by `values.name`. */
export function _(message: string, values: Record<string, string | number> = {}): string {
  return filled(texts[message] ?? message, values);
}

/** Returns what the engine or a datasource says, which comes in English with its values filled in, in `language`. */
export function told(sentence: string, language: Record<string, string> = texts): string {
  const known = language[sentence];
  if (known !== undefined) return known;
  for (const [template, translation] of Object.entries(language)) {
    const values = template.includes("%(") ? valuesIn(sentence, template) : null;
    if (values) return filled(translation, Object.fromEntries(values.map(([name, value]) => [name, told(value, language)])));
  }
  return sentence;
}

function filled(template: string, values: Record<string, string | number>): string {
  return template.replace(HOLE, (whole, name: string) => String(values[name] ?? whole));
}

/** What stands in the holes of `template`, when `sentence` was made of it. One that is nothing but holes fits anything. */
function valuesIn(sentence: string, template: string): [string, string][] | null {
  if (!/[a-z]/i.test(template.replace(HOLE, ""))) return null;
  const names = [...template.matchAll(HOLE)].map((hole) => hole[1]!);
  const words = template.split(/%\(\w+\)[\d.]*[sdfg]/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const found = new RegExp(`^${words.join("(.+?)")}$`, "s").exec(sentence);
  return found && names.map((name, at) => [name, found[at + 1]!]);
}
