// A trace that grows: what a live event brings is put into the trace that is shown.
import type { SpanAnswer, TraceAnswer } from "./answer";

/** Returns nanoseconds since the epoch for RFC 3339 with up to nine digits behind the point, in UTC. */
export function nanosOf(time: string): bigint {
  const [, seconds, fraction] = /^(.*?)(?:\.(\d{1,9}))?Z$/.exec(time) ?? [];
  return BigInt(Date.parse(`${seconds ?? time}Z`)) * 1_000_000n + BigInt((fraction ?? "").padEnd(9, "0"));
}

/** Returns `trace` with the spans of `grown` in it: new ones added, known ones replaced. Neither is changed. */
export function grown(trace: TraceAnswer, grown: TraceAnswer): TraceAnswer {
  const later = Number(nanosOf(trace.start) - nanosOf(grown.start));
  const resources = new Numbered(trace.resources);
  const scopes = new Numbered(trace.scopes);
  const fresh = grown.spans.map((span): SpanAnswer => ({
    ...span,
    resource: resources.number(grown.resources[span.resource]!),
    scope: scopes.number(grown.scopes[span.scope]!),
  }));
  const spans = new Map(trace.spans.map((span) => [span.span_id, later === 0 ? span : moved(span, later)]));
  for (const span of fresh) spans.set(span.span_id, span);
  return { ...grown, spans: [...spans.values()], resources: resources.all, scopes: scopes.all };
}

/** An earlier span was received: everything else begins that much later. */
function moved(span: SpanAnswer, by: number): SpanAnswer {
  return { ...span, offset_ns: span.offset_ns + by, events: span.events.map((event) => ({ ...event, offset_ns: event.offset_ns + by })) };
}

/** A table that spans point into by number; what is the same has one number. */
class Numbered<T> {
  readonly all: T[];
  private readonly numbers: Map<string, number>;

  constructor(known: readonly T[]) {
    this.all = [...known];
    this.numbers = new Map(known.map((one, at) => [JSON.stringify(one), at]));
  }

  number(one: T): number {
    const key = JSON.stringify(one);
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.all.length);
    return this.all.push(one) - 1;
  }
}
