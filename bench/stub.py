"""A backend that costs nothing: recorded Tempo answers over HTTP/1.1, ready-made bytes, after a fixed delay.

    python -m bench.stub --delay-ms 20

Prints its port. Serves /api/search, /api/metrics/query_range, /api/v2/traces/<id> (the last digits of the id
are the number of spans), /api/status/buildinfo and /api/echo.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import uvloop

from bench.answers import Answer, build_answer, metrics_answer, search_answer, trace_answer


def _response(answer: Answer) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n\r\n"
    return head.encode() + answer.body


class Answers:
    """Response bytes by path."""

    def __init__(self) -> None:
        self.search = _response(search_answer())
        self.metrics = _response(metrics_answer())
        self.trace: Callable[[int], bytes] = lru_cache(maxsize=8)(lambda spans: _response(trace_answer(spans)))
        self.build = _response(build_answer())
        self.echo = _response(Answer("text/plain", b"echo"))

    def to(self, target: bytes) -> bytes:
        """Returns the response to a request for `target`."""
        if target.startswith(b"/api/search"):
            return self.search
        if target.startswith(b"/api/metrics/"):
            return self.metrics
        if target.startswith(b"/api/v2/traces/"):
            return self.trace(int(target[16:47]))
        return self.build if target.startswith(b"/api/status") else self.echo


class Stub(asyncio.Protocol):
    """One connection; requests without bodies, answered in order."""

    def __init__(self, answers: Answers, delay_s: float) -> None:
        self._answers = answers
        self._delay_s = delay_s
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by class

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            target = self._buffer[: self._buffer.find(b"\r\n")].split(b" ", 2)[1]
            self._buffer = self._buffer[end + 4 :]
            response = self._answers.to(target)
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._send, response)
            else:
                self._send(response)

    def _send(self, response: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


async def serve(port: int, delay_s: float) -> None:
    """Serves until the process is told to end; prints the port first."""
    answers = Answers()
    for spans in (11, 1_000):
        answers.trace(spans)
    server = await asyncio.get_running_loop().create_server(lambda: Stub(answers, delay_s), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=20.0)
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.delay_ms / 1000))


if __name__ == "__main__":
    main()
