// Calls of /api/v1 with this browser's session.
import { meta } from "./dom";
import { told } from "./texts";

/** A request that was answered with something else than success; `detail` may be shown. */
export class Refused extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string, readonly members: Record<string, unknown>) {
    super(detail || title);
  }
}

/** Returns the JSON at `url`; raises Refused. */
export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await fetch(url, { headers: { accept: "application/json" }, signal: signal ?? null }));
}

/** Posts `body` as JSON and returns the JSON that comes back; raises Refused. */
export async function postJson<T>(url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": meta("csrf-token") };
  return read<T>(await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal: signal ?? null }));
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (!response.ok) {
    const problem: Record<string, unknown> & { title?: string; detail?: string } = await response.json().catch(() => ({}));
    throw new Refused(response.status, problem.title ?? response.statusText, told(problem.detail ?? ""), problem);
  }
  return await response.json() as T;
}
