"""The JSON of OpenAI's chat and embeddings API, for the stub; vectors and filled schemas are made, always the same."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import struct
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.model_stub import Answer

Json = dict[str, Any]
_CREATED = 1_760_000_000
_CHARACTERS_PER_TOKEN = 4


def chat_completion(answer: Answer, body: Mapping[str, Any]) -> Json:
    """Returns the whole answer as one document."""
    message: Json = {"role": "assistant", "content": answer.text or None}
    if answer.calls:
        message["tool_calls"] = [_call(answer, number) for number in range(len(answer.calls))]
    choice = {"index": 0, "message": message, "finish_reason": _finish(answer), "logprobs": None}
    return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(answer, body)}


def chat_chunks(answer: Answer, body: Mapping[str, Any]) -> Iterator[Json]:
    """Yields the answer in chunks: a word each, calls in two, then the reason it ended, then the usage if asked for."""
    head = _head(body, "chat.completion.chunk")
    yield {**head, "choices": [_delta({"role": "assistant", "content": ""})]}
    for word in re.findall(r"\s*\S+\s*$|\s*\S+", answer.text):
        yield {**head, "choices": [_delta({"content": word})]}
    for number in range(len(answer.calls)):
        call = {**_call(answer, number), "index": number}
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        first = {**call, "function": {**call["function"], "arguments": arguments[:half]}}
        yield {**head, "choices": [_delta({"tool_calls": [first]})]}
        rest = {"index": number, "function": {"arguments": arguments[half:]}}
        yield {**head, "choices": [_delta({"tool_calls": [rest]})]}
    yield {**head, "choices": [{**_delta({}), "finish_reason": _finish(answer)}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(answer, body)}


def embeddings(body: Mapping[str, Any], dimensions: int) -> Json:
    """Returns a vector a text: texts that share words are near each other."""
    given = body.get("input", [])
    texts = [given] if isinstance(given, str) else list(given)
    data = []
    for number, text in enumerate(texts):
        vector: Any = vector_of(text, int(body.get("dimensions") or dimensions))
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        data.append({"object": "embedding", "index": number, "embedding": vector})
    tokens = sum(_tokens(text) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage}


def vector_of(text: str, dimensions: int = 32) -> list[float]:
    """Returns a vector of length one: the sum of one made of each word."""
    total = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()) or [""]:
        stream = hashlib.shake_128(word.encode()).digest(dimensions)
        total = [sum_ + byte - 127.5 for sum_, byte in zip(total, stream, strict=True)]
    length = math.sqrt(sum(value * value for value in total)) or 1.0
    return [value / length for value in total]


def wanted_schema(body: Mapping[str, Any]) -> Json | None:
    """Returns the JSON schema that an answer has to fit: of the format, or of a tool that has to be called."""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        schema: Json = form["json_schema"].get("schema", {})
        return schema
    if body.get("tools") and body.get("tool_choice") not in (None, "auto", "none"):
        tool: Json = body["tools"][-1]["function"].get("parameters", {})
        return tool
    return None


def filled(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Returns the smallest value that fits `schema`, as far as such a schema says."""
    root = root or schema
    if "$ref" in schema:
        return filled(root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {}), root)
    for options in ("enum", "examples"):
        if schema.get(options):
            return schema[options][0]
    if "const" in schema:
        return schema["const"]
    for options in ("anyOf", "oneOf"):
        if schema.get(options):
            return filled(schema[options][0], root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: filled(part, root) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema.get("items", {}), root) for _ in range(int(schema.get("minItems", 1)))]
    lowest = schema.get("minimum", 0)
    return {"string": "text", "integer": lowest, "number": float(lowest), "boolean": True}.get(kind)


def _head(body: Mapping[str, Any], kind: str) -> Json:
    return {"id": "chatcmpl-stub", "object": kind, "created": _CREATED, "model": body.get("model", "stub")}


def _delta(delta: Json) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": None}


def _call(answer: Answer, number: int) -> Json:
    call = answer.calls[number]
    ident = call.id if len(answer.calls) == 1 else f"call_{number + 1}"
    return {"id": ident, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}


def _finish(answer: Answer) -> str:
    return answer.finish_reason or ("tool_calls" if answer.calls else "stop")


def _usage(answer: Answer, body: Mapping[str, Any]) -> Json:
    said = answer.text + "".join(json.dumps(call.arguments) for call in answer.calls)
    asked = json.dumps(body.get("messages", []))
    prompt = answer.input_tokens if answer.input_tokens is not None else _tokens(asked)
    completion = answer.output_tokens if answer.output_tokens is not None else _tokens(said)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }


def _tokens(text: str) -> int:
    return max(1, -(-len(text) // _CHARACTERS_PER_TOKEN))
