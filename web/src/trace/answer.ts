// GET /api/v1/projects/{id}/traces/{trace_id}, as it comes over the wire.
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Attributes = Record<string, Value>;

export interface EventAnswer { name: string; time: string; offset_ns: number; attributes: Attributes }
export interface LinkAnswer { trace_id: string; span_id: string; attributes: Attributes }
export interface TokensAnswer { input: number; output: number; total: number; cached_input?: number; cache_creation?: number; reasoning?: number }
export interface LlmAnswer {
  kind: string; dialect: string; operation?: string; request_model?: string; response_model?: string; provider?: string;
  agent?: string; tool?: string; conversation_id?: string; user_id?: string; tokens?: TokensAnswer;
  cost?: { usd: number; source: string }; time_to_first_token?: number; finish_reasons?: string[];
}
export type PartAnswer =
  | { type: "text"; text: string } | { type: "reasoning"; text: string }
  | { type: "tool_call"; name: string; arguments: Value; id: string } | { type: "tool_result"; result: Value; id: string; name: string }
  | { type: "blob"; content: string; mime_type: string } | { type: "uri"; uri: string; mime_type: string }
  | { type: "document"; content: string; id: string; score: number | null } | { type: "other"; value: Value };
export interface MessageAnswer { role: string; parts: PartAnswer[]; name?: string }
export interface ExchangeAnswer {
  input: MessageAnswer[]; output: MessageAnswer[];
  parameters: Record<string, unknown>; tools: { name: string; description: string; parameters: unknown }[];
}

export interface SpanAnswer {
  span_id: string; parent_span_id: string | null; name: string; kind: string; start: string; offset_ns: number; duration_ns: number;
  status: string; status_message: string; attributes: Attributes; events: EventAnswer[]; links: LinkAnswer[];
  resource: number; scope: number; sources: number[]; llm: LlmAnswer | null;
}
export interface SourceAnswer {
  datasource_id: string; name: string; kind: string; status: string; rows: number; elapsed_ms: number;
  warnings: string[]; error: { kind: string; message: string } | null;
}
export interface TotalsAnswer { model_calls?: number; tokens?: TokensAnswer; cost_usd?: number; unpriced_calls?: number; conversation_ids?: string[]; user_ids?: string[] }
export interface TraceAnswer {
  trace_id: string; start: string; end?: string; duration_ns: number; spans: SpanAnswer[]; resources: { attributes: Attributes }[];
  scopes: { name: string; version: string; attributes: Attributes }[]; sources: SourceAnswer[]; llm: TotalsAnswer; warnings: string[];
}
