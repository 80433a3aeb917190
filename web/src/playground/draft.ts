// What stands in the editor of the playground, and how the API takes it. No document is needed here.
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export interface ToolCall { id: string; name: string; arguments: string }
export interface Message { role: string; text: string; tool_calls?: ToolCall[]; tool_call_id?: string; tool_name?: string }
export interface Draft {
  kind: string; messages: Message[]; format: string; tools: Json[]; tool_choice: string;
  response_schema: Json | null; parameters: Record<string, Json>;
}
export interface Start {
  prompt: { id: string; name: string } | null; version: string | null; model: string; models: [string, string][]; draft: Draft;
}

/** Text that should be JSON and is not: `field` says where it stands. */
export class NotJson extends Error {
  constructor(readonly field: string) { super(field); }
}

/** Returns the JSON that somebody typed, `otherwise` when they typed nothing. */
export function typed(field: string, text: string, otherwise: Json): Json {
  if (!text.trim()) return otherwise;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new NotJson(field);
  }
}

/** Returns what somebody typed for a variable: JSON for lists and objects, text for everything else. */
export function inputOf(text: string): Json {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return text;
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    return text;
  }
}

/** Returns the draft as the API takes it as a version: a text that became a conversation is one. */
export function versionBody(draft: Draft, model: string, description = ""): Record<string, unknown> {
  const one = draft.messages.length === 1 && draft.messages[0]!.role === "user";
  return { ...draft, kind: draft.kind === "text" && one ? "text" : "chat", model_configuration_id: model, description };
}

/** Returns a text that is the same for drafts that say the same. */
export function fingerprint(draft: Draft, model: string): string {
  const messages = draft.messages.map((one) => [one.role, one.text, one.tool_calls ?? [], one.tool_call_id ?? "", one.tool_name ?? ""]);
  return JSON.stringify([messages, draft.format, draft.tools, draft.tool_choice || "auto", draft.response_schema ?? null, sorted(draft.parameters), model]);
}

function sorted(value: Record<string, Json>): [string, Json][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Part { type: string; text?: string; name?: string; id?: string; arguments?: unknown; result?: unknown }

/** Returns the conversation that went into a model call, as messages of a draft; what prompts cannot hold is left out. */
export function messagesOf(input: { role: string; parts: Part[] }[]): Message[] {
  return input.flatMap((message): Message[] => {
    const text = message.parts.filter((part) => part.type === "text").map((part) => part.text ?? "").join("\n\n");
    const calls = message.parts.filter((part) => part.type === "tool_call")
      .map((part, at) => ({ id: part.id || `call_${at}`, name: part.name ?? "", arguments: said(part.arguments) }));
    const results = message.parts.filter((part) => part.type === "tool_result")
      .map((part) => ({ role: "tool", text: said(part.result), tool_call_id: part.id || "call_0", tool_name: part.name ?? "" }));
    if (results.length) return results;
    if (!text && !calls.length) return [];
    const role = roleOf(message.role);
    return [{ role, text, ...(calls.length && role === "assistant" ? { tool_calls: calls } : {}) }];
  });
}

function roleOf(role: string): string {
  if (role === "system" || role === "developer") return "system";
  return role === "assistant" || role === "model" || role === "ai" ? "assistant" : "user";
}

function said(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? {});
}

/** Reads server-sent events out of a body as it comes. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<[name: string, data: Record<string, Json>]> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop() ?? "";
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (name) yield [name, JSON.parse(data) as Record<string, Json>];
    }
  }
}
