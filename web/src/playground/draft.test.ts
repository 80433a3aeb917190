import assert from "node:assert/strict";
import { test } from "node:test";
import { events, fingerprint, inputOf, messagesOf, NotJson, typed, versionBody, type Draft } from "./draft";

const draft: Draft = {
  kind: "chat", messages: [{ role: "user", text: "Hi" }], format: "mustache", tools: [], tool_choice: "auto",
  response_schema: null, parameters: { temperature: 1, top_p: 0.5 },
};

test("drafts that say the same have one fingerprint", () => {
  const same = { ...draft, messages: [{ role: "user", text: "Hi", tool_calls: [], tool_call_id: "" }], parameters: { top_p: 0.5, temperature: 1 } };
  assert.equal(fingerprint(draft, "m"), fingerprint(same, "m"));
  assert.notEqual(fingerprint(draft, "m"), fingerprint(draft, "n"));
  assert.notEqual(fingerprint(draft, "m"), fingerprint({ ...draft, messages: [{ role: "user", text: "Ho" }] }, "m"));
});

test("lists and objects are read as JSON, everything else is text", () => {
  assert.deepEqual(["12", "true", "[1]", '{"a": 1}', "[oops", " x "].map(inputOf), ["12", "true", [1], { a: 1 }, "[oops", " x "]);
});

test("what is no JSON says which field it stands in", () => {
  assert.equal(typed("tools", "  ", null), null);
  assert.throws(() => typed("tools", "{", null), (error) => error instanceof NotJson && error.field === "tools");
});

test("a text that became a conversation is one", () => {
  assert.equal(versionBody({ ...draft, kind: "text" }, "m")["kind"], "text");
  assert.equal(versionBody({ ...draft, kind: "text", messages: [...draft.messages, ...draft.messages] }, "m")["kind"], "chat");
});

test("the conversation of a span becomes messages", () => {
  const messages = messagesOf([
    { role: "developer", parts: [{ type: "text", text: "Be kind." }] },
    { role: "human", parts: [{ type: "text", text: "Hi" }, { type: "blob" }] },
    { role: "assistant", parts: [{ type: "tool_call", name: "look", id: "7", arguments: { q: 1 } }] },
    { role: "tool", parts: [{ type: "tool_result", id: "7", name: "look", result: [1] }] },
    { role: "user", parts: [{ type: "blob" }] },
  ]);
  assert.deepEqual(messages, [
    { role: "system", text: "Be kind." },
    { role: "user", text: "Hi" },
    { role: "assistant", text: "", tool_calls: [{ id: "7", name: "look", arguments: '{"q":1}' }] },
    { role: "tool", text: "[1]", tool_call_id: "7", tool_name: "look" },
  ]);
});

test("events are read as they come, wherever the pieces break", async () => {
  const bytes = new TextEncoder().encode('event: text\ndata: {"text": "ä"}\n\n: \n\nevent: done\ndata: {}\n\n');
  const body = new ReadableStream<Uint8Array>({ start(stream) { for (const byte of bytes) stream.enqueue(new Uint8Array([byte])); stream.close(); } });
  const found: unknown[] = [];
  for await (const event of events(body)) found.push(event);
  assert.deepEqual(found, [["text", { text: "ä" }], ["done", {}]]);
});
