"""A datasource that misbehaves on the wire costs its own rows and nothing else, in time, and is named.

All of it is real: a served backend, the Tempo adapter, egress, and servers that do what servers do.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.support.backends import Answer, Seen, always, backend, never, redirect, reply
from tests.support.canaries import AROUND, trace_of
from tests.support.postgres import Server
from tests.support.premises import Premises, corpus_below, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.tempo_standin import Tempo
from tests.support.tempo_standin import serving as standing_in

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

WAIT_S = 1.0
"""The longest wait for one datasource."""
ALLOWED_S = 0.25
"""How much later than that an answer may come."""
MOST_BYTES = 100_000
TRIES = 3


async def _resets(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _half(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(reply(b'{"traces": [' + b" " * 500)[:-400])
    await writer.drain()
    writer.transport.abort()


async def _drips(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _redirects_to_itself(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(reply(b"", status="302 Found", headers={"Location": seen.target}))


@dataclass(frozen=True, slots=True)
class Wrong:
    """What a server does, and what it is called."""

    name: str
    does: Answer
    kind: str

    def __str__(self) -> str:
        return self.name


WRONGS = [
    Wrong("hangs", never, "timed_out"),
    Wrong("drips", _drips, "timed_out"),
    Wrong("resets", _resets, "unreachable"),
    Wrong("half a body", _half, "bad_response"),
    Wrong("garbage", always(b"\x16\x03\x01 this is not HTTP\r\n\r\n"), "bad_response"),
    Wrong("another JSON", always(reply(b"[7]")), "bad_response"),
    Wrong("no JSON", always(reply(b"<html>please sign in</html>")), "bad_response"),
    Wrong("slow down", always(reply(b"", status="429 Busy", headers={"Retry-After": "7"})), "rate_limited"),
    Wrong("fails", always(reply(b"panic", status="500 Oops")), "backend_failed"),
    Wrong("forgets", always(reply(b"404 page not found\n", status="404 Not Found")), "misconfigured"),
    Wrong("locks out", always(reply(b"", status="401 No")), "unauthorized"),
    Wrong("redirects inside", redirect("http://169.254.169.254/latest/meta-data"), "forbidden"),
    Wrong("redirects in circles", _redirects_to_itself, "bad_response"),
    Wrong("floods", always(reply(b" " * (MOST_BYTES + 1))), "too_large"),
    Wrong("lies about its encoding", always(reply(b"plain", headers={"Content-Encoding": "gzip"})), "bad_response"),
]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@pytest.fixture(scope="module")
def patient(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A backend that waits a second for a datasource."""
    folder = tmp_path_factory.mktemp("faults")
    with cloned_database(postgres_server, template_database) as stored:
        settings = served_settings(
            stored,
            corpus_below(folder),
            limits={"source_timeout_s": WAIT_S, "connection_test_s": WAIT_S},
            egress={"max_response_bytes": MOST_BYTES},
            resilience={"breaker_faults": 1_000},  # each fault is to be seen, however often a busy machine asks
        )
        with serving(stored, settings, folder / "backend.log") as served:
            yield served


@dataclass(frozen=True, slots=True)
class Store:
    """A project over a good Tempo; a test adds another source."""

    served: Served
    owner: Visitor
    place: Premises
    portal: BlockingPortal
    good: Tempo

    def add(self, name: str, url: str) -> str:
        source = {"name": name, "kind": "tempo", "settings": {"url": url}}
        found: str = self.owner.made(f"{self.place.at}/datasources", source)["id"]
        return found

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        return self.owner.call(method, self.place.in_project + path, body, params=params)

    def search(self, **more: Any) -> httpx.Response:
        return self.ask("POST", "/search", {"query": "{ span.number > 0 }", **AROUND, **more})


@pytest.fixture(scope="module")
def store(patient: Served, portal: BlockingPortal) -> Iterator[Store]:
    owner = patient.owner()
    place = premises(patient, owner)
    assert owner.call("DELETE", f"{place.at}/datasources/{place.datasource_id}").status_code == 204
    good = Tempo([trace_of(number) for number in range(1, 6)])
    with portal.wrap_async_context_manager(standing_in(good)):
        made = Store(patient, owner, place, portal, good)
        made.add("good", good.url)
        yield made


def _fastest(ask: Callable[[], httpx.Response]) -> tuple[float, httpx.Response]:
    """Of some tries: the machine that runs the tests may be busy, the backend may not be late each time."""
    best = float("inf")
    for _ in range(TRIES):
        begun = time.monotonic()
        answer = ask()
        best = min(best, time.monotonic() - begun)
        if best < WAIT_S + ALLOWED_S:
            break
    return best, answer


@pytest.mark.parametrize("wrong", WRONGS, ids=str)
def test_the_others_answer_in_time_and_the_fault_is_named(store: Store, wrong: Wrong) -> None:
    with store.portal.wrap_async_context_manager(backend(wrong.does)) as server:
        added = store.add(wrong.name, server.url)
        try:
            _check_search(store, wrong)
            _check_trace(store, wrong)
            _check_completion(store, wrong)
        finally:
            assert store.owner.call("DELETE", f"{store.place.at}/datasources/{added}").status_code == 204


def _check_search(store: Store, wrong: Wrong) -> None:
    took, answer = _fastest(store.search)
    assert answer.status_code == 200, answer.text
    assert took < WAIT_S + ALLOWED_S
    body = answer.json()
    assert [item["trace_id"] for item in body["items"]] == [trace_of(number).trace_id for number in (5, 4, 3, 2, 1)]
    assert body["complete"] is False
    sources = {source["name"]: source for source in body["sources"]}
    assert (sources["good"]["status"], sources["good"]["rows"]) == ("ok", 5)
    assert sources[wrong.name]["status"] == "failed"
    assert sources[wrong.name]["error"]["kind"] == wrong.kind, sources[wrong.name]["error"]
    assert sources[wrong.name]["error"]["retry_after_s"] == (7.0 if wrong.kind == "rate_limited" else None)


def _check_trace(store: Store, wrong: Wrong) -> None:
    took, answer = _fastest(lambda: store.ask("GET", f"/traces/{trace_of(1).trace_id}"))
    assert answer.status_code == 200, answer.text
    assert took < WAIT_S + ALLOWED_S
    sources = {source["name"]: source for source in answer.json()["sources"]}
    assert sources["good"]["status"] == "ok"
    if wrong.name == "forgets":  # a gateway that has no such route may be a Tempo that has no such trace
        return
    assert sources[wrong.name]["status"] == "failed"
    absent = store.ask("GET", f"/traces/{'e' * 32}")
    assert (absent.status_code, absent.json()["type"]) == (502, "/problems/trace-uncertain")


def _check_completion(store: Store, wrong: Wrong) -> None:
    took, answer = _fastest(lambda: store.ask("GET", "/attributes/span.number/values", **AROUND))
    assert answer.status_code == 200, answer.text
    assert took < WAIT_S + ALLOWED_S
    body = answer.json()
    assert len(body["items"]) == 5
    assert {source["name"]: source["status"] for source in body["sources"]}["good"] == "ok"
    assert any(source["name"] == wrong.name and source["error"] for source in body["sources"])


@pytest.mark.parametrize(("path", "body"), [("/search", b'{"query": "{}"}'), (f"/traces/{'a' * 32}", b"")])
def test_a_client_that_hangs_up_ends_every_upstream_request(
    served: Served, owner: Visitor, portal: BlockingPortal, path: str, body: bytes
) -> None:
    """Here a datasource may take twenty seconds: nothing else ends these requests so soon."""
    place = premises(served, owner)
    slow = Tempo([trace_of(9)], delay_s=30)
    with portal.wrap_async_context_manager(standing_in(slow)):
        for number in range(3):
            source = {"name": f"slow {number}", "kind": "tempo", "settings": {"url": slow.url}}
            owner.made(f"{place.at}/datasources", source)
        with closing(_sent(served, place, path, body)):
            _until(lambda: len(slow.requests) == 3)
        _until(lambda: slow.abandoned == 3)
        assert len(slow.requests) == 3


def _sent(served: Served, place: Premises, path: str, body: bytes) -> socket.socket:
    parts = urlsplit(served.address)
    connection = socket.create_connection((str(parts.hostname), int(parts.port or 0)), 10)
    method = "POST" if body else "GET"
    connection.sendall(
        f"{method} {place.in_project}{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {place.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    return connection


def _until(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    give_up = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.005)
