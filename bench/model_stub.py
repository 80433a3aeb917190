"""A model that costs its machine next to nothing: OpenAI's chat API over HTTP/1.1, one answer, after a fixed time.

    python -m bench.model_stub --latency-s 1

Prints its address. A real one runs elsewhere; beside the worker, on the same cores, tests.support.model_stub takes half
the CPU that the worker does. It reads each request whole, refuses what is none, and says "Yes." to the rest.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import cast

import msgspec
import uvloop

_LENGTH = b"\r\ncontent-length:"
_DOCUMENT = {
    "id": "chatcmpl-bench",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "stub",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Yes."},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 1,
        "total_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 0},
    },
}
_REFUSAL = {"error": {"message": "this is no chat", "type": "bench", "code": None, "param": None}}


class Message(msgspec.Struct):
    """What somebody said."""

    role: str
    content: str


class Chat(msgspec.Struct):
    """As much as is read of a request."""

    model: str
    messages: list[Message]


def _response(status: str, document: object) -> bytes:
    body = msgspec.json.encode(document)
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


ANSWER = _response("200 OK", _DOCUMENT)
REFUSAL = _response("400 Bad Request", _REFUSAL)


class Model(asyncio.Protocol):
    """One connection, whose requests are answered in order."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._chats = msgspec.json.Decoder(Chat)
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(_LENGTH)[2].partition(b"\r\n")[0] or 0)
            whole = end + 4 + length
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            answer = ANSWER if self._is_chat(head, body) else REFUSAL
            asyncio.get_running_loop().call_later(self._latency_s, self._send, answer)

    def _is_chat(self, head: bytes, body: bytes) -> bool:
        try:
            chat = self._chats.decode(body)
        except msgspec.MsgspecError:
            return False
        return head.startswith(b"post /v1/chat/completions ") and bool(chat.messages)

    def _send(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(latency_s: float) -> None:
    """Serves until the process is told to end; prints the address first."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Model(latency_s), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-s", type=float, default=1.0)
    uvloop.run(serve(parser.parse_args().latency_s))


if __name__ == "__main__":
    main()
