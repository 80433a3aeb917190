// Names and values that exist in the chosen datasources, as the API tells them; kept while the page lives.
import { getJson } from "../api";
import { SCOPES } from "../traceql/tokens";

export interface Known { field: string; scope: string; hidden: boolean }
/** What exists, as far as one answer can say; not `complete` when a longer beginning may find more. */
export interface Offer<T> { items: T[]; complete: boolean }
export interface KnownValue { type: string; value: string | number | boolean; literal: string }

export class AttributeCatalog {
  private readonly kept = new Map<string, Promise<unknown>>();

  /** `api` is /api/v1/projects/…; `parameters` says which datasources and which time range are chosen now. */
  constructor(private readonly api: string, private readonly parameters: () => URLSearchParams) {}

  /** Returns attributes whose spelling begins with what is typed (`span.http.`, `.http`, `http`). */
  async names(typed: string): Promise<Offer<Known>> {
    const { scope, prefix } = scopeOf(typed);
    const answer = await this.ask<Offer<Known>>("/attributes", { scope, prefix });
    const items = (answer?.items ?? []).filter((item) => !item.hidden && item.scope !== "intrinsic");
    return { items, complete: answer?.complete ?? false };
  }

  /** Returns values of `field` that begin with `prefix`, the most frequent first where the datasources know. */
  async values(field: string, prefix: string): Promise<Offer<KnownValue>> {
    const answer = await this.ask<Offer<KnownValue>>(`/attributes/${encodeURIComponent(field)}/values`, { prefix });
    return { items: answer?.items ?? [], complete: answer?.complete ?? false };
  }

  private ask<T>(path: string, extra: Record<string, string>): Promise<T | undefined> {
    const parameters = this.parameters();
    for (const [name, value] of Object.entries(extra)) if (value) parameters.set(name, value);
    const url = `${this.api}${path}?${parameters}`;
    let answer = this.kept.get(url) as Promise<T | undefined> | undefined;
    if (!answer) {
      // Completion is an offer: when a datasource does not answer there is nothing to complete, and nothing to report.
      answer = getJson<T>(url).catch(() => { this.kept.delete(url); return undefined; });
      this.kept.set(url, answer);
    }
    return answer;
  }
}

function scopeOf(typed: string): { scope: string; prefix: string } {
  const dot = typed.indexOf(".");
  const scope = dot > 0 ? typed.slice(0, dot) : "";
  if (SCOPES.includes(scope)) return { scope, prefix: typed.slice(dot + 1) };
  return { scope: "", prefix: typed.replace(/^\./, "") };
}
