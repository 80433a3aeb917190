// The server counts a query in characters, the editor in UTF-16 units: an emoji is one of the former, two of the latter.

/** Returns how many units the first `characters` of `text` have; of a shorter text, how many it has. */
export function units(text: string, characters: number): number {
  return Array.from(text).slice(0, Math.max(0, characters)).join("").length;
}
