// The traces of the last result list, so that the trace page can go to the next one. Addresses only, in this tab only.
const KEY = "arcane.results";

interface List {
  links: string[];
  back: string;
  /** The trace that was looked at last. */
  opened?: string;
}

/** Keeps the list that is shown now, and the address that shows it. */
export function remember(links: string[]): void {
  keep({ links, back: location.pathname + location.search });
}

/** Keeps which of them is looked at, so that the list can show where its reader was. */
export function opened(link: string): void {
  keep({ ...recall(), opened: link });
}

function keep(list: List): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(list));
  } catch { /* storage is full or forbidden: the trace page then has no neighbours */ }
}

/** Returns the last list, or an empty one. */
export function recall(): List {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (found && typeof found === "object" && "links" in found && Array.isArray(found.links)) return found as List;
  } catch { /* not ours */ }
  return { links: [], back: "" };
}
