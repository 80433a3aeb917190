"""Egress over real sockets: what an honest backend, a broken one and a hostile one can do."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from pathlib import Path

import anyio
import pytest
import zstandard

from arcane.kit.egress import Egress, EgressSession
from arcane.model.deadline import Deadline
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.errors import (
    BadResponse,
    Misconfigured,
    TimedOut,
    TooLarge,
    Unreachable,
)
from arcane.spi.http import HttpRequest
from tests.support.backends import Answer, Seen, always, backend, never, reply
from tests.support.certificates import self_signed
from tests.support.egress import ASK, LOOPBACK, session

pytestmark = pytest.mark.anyio


async def test_an_answer_comes_back_whole_with_lower_case_headers() -> None:
    ask = HttpRequest("/api", params=(("q", "{ }"),), headers={"X-Extra": "2"})
    given = {"Authorization": "Bearer a"}
    answers = always(reply(b"abc", headers={"X-Thing": "1"}))
    async with backend(answers) as server, session(f"{server.url}/base", headers=given) as http:
        answer = await http.send(ask, Deadline.after(5))
    assert (answer.status, answer.body, answer.content_type) == (200, b"abc", "application/json")
    assert answer.headers["x-thing"] == "1"
    seen = server.seen[0]
    assert seen.target == "/base/api?q=%7B+%7D"
    assert (seen.headers["authorization"], seen.headers["x-extra"]) == ("Bearer a", "2")
    assert "cookie" not in seen.headers


async def test_any_status_comes_back() -> None:
    async with backend(always(reply(b"no", status="503 Busy"))) as server, session(server.url) as http:
        assert (await http.send(ASK, Deadline.after(5))).status == 503


async def test_a_post_sends_its_body() -> None:
    async with backend(always(reply())) as server, session(server.url) as http:
        await http.send(HttpRequest("/q", "POST", body=b"SELECT 1"), Deadline.after(5))
    assert (server.seen[0].method, server.seen[0].body) == ("POST", b"SELECT 1")


async def test_connections_are_kept_and_cookies_are_not() -> None:
    async with backend(always(reply(headers={"Set-Cookie": "a=b"}))) as server, session(server.url) as http:
        for _ in range(3):
            await http.send(ASK, Deadline.after(5))
    assert server.connections == 1
    assert all("cookie" not in seen.headers for seen in server.seen)


def bombs() -> list[tuple[str, bytes]]:
    zeros = b"\0" * (64 * 1024 * 1024)
    pieces = gzip.compress(b"\0" * 1024 * 1024) * 64
    return [
        ("gzip", gzip.compress(zeros)),
        ("gzip", pieces),
        ("deflate", zlib.compress(zeros)),
        ("zstd", zstandard.compress(zeros)),
    ]


@pytest.mark.parametrize(("encoding", "body"), bombs(), ids=["gzip", "gzip in pieces", "deflate", "zstd"])
async def test_a_bomb_is_defused_after_decompression(encoding: str, body: bytes) -> None:
    answer = always(reply(body, headers={"Content-Encoding": encoding}))
    async with backend(answer) as server, session(server.url, max_response_bytes=1024 * 1024) as http:
        with pytest.raises(TooLarge, match="1048576 bytes"):
            await http.send(ASK, Deadline.after(10))


async def test_a_compressed_answer_within_the_limit_is_decompressed() -> None:
    answer = always(reply(gzip.compress(b"abc" * 1000), headers={"Content-Encoding": "gzip"}))
    async with backend(answer) as server, session(server.url) as http:
        assert (await http.send(ASK, Deadline.after(5))).body == b"abc" * 1000


async def test_a_declared_length_over_the_limit_is_not_read() -> None:
    answer = always(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
    async with backend(answer) as server, session(server.url, max_response_bytes=1000) as http:
        with pytest.raises(TooLarge):
            await http.send(ASK, Deadline.after(5))


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"a" * 40_000,
        b"\r\n".join(b"X-%d: a" % number for number in range(500)),
    ],
    ids=["one long", "many"],
)
async def test_headers_are_bounded(head: bytes) -> None:
    answer = always(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + head + b"\r\n\r\n")
    async with backend(answer) as server, session(server.url) as http:
        with pytest.raises(TooLarge, match="headers"):
            await http.send(ASK, Deadline.after(5))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", BadResponse),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", BadResponse),
        (reply(b"not gzip", headers={"Content-Encoding": "gzip"}), BadResponse),
        (reply(b"x", headers={"Content-Encoding": "br"}), BadResponse),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", BadResponse),
    ],
)
async def test_what_is_not_http_is_a_bad_response(raw: bytes, kind: type[Exception]) -> None:
    async with backend(always(raw)) as server, session(server.url) as http:
        with pytest.raises(kind):
            await http.send(ASK, Deadline.after(5))


async def test_an_answer_that_is_cut_off_is_a_bad_response() -> None:
    async def half(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async with backend(half) as server, session(server.url) as http:
        with pytest.raises(BadResponse, match="cut off"):
            await http.send(ASK, Deadline.after(5))


def drip(pause_s: float) -> Answer:
    """A body that comes a byte at a time and never ends."""

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100_000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


@pytest.mark.parametrize("answer", [never, drip(0.01), drip(0)], ids=["silent", "slow body", "endless body"])
async def test_the_deadline_ends_every_wait(answer: Answer) -> None:
    async with backend(answer) as server, session(server.url) as http:
        with anyio.fail_after(3), pytest.raises((TimedOut, TooLarge)):
            await http.send(ASK, Deadline.after(0.25))
        with anyio.fail_after(3):
            await server.gone.wait()


async def test_no_request_leaves_after_the_deadline() -> None:
    async with backend(always(reply())) as server, session(server.url) as http:
        with pytest.raises(TimedOut):
            await http.send(ASK, Deadline.after(-1))
    assert not server.seen


async def test_a_host_thatnever_accepts_is_unreachable_after_the_connect_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = []
        for _ in range(4):  # the accept queue of a listener nobody serves
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        async with session(url, connect_timeout_s=0.2) as http:
            with anyio.fail_after(5), pytest.raises(Unreachable, match="no connection to"):
                await http.send(ASK, Deadline.after(10))
        for filler in fillers:
            filler.close()


async def test_a_closed_port_says_that_nothing_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with session(f"http://127.0.0.1:{port}") as http:
        with pytest.raises(Unreachable, match="nothing listens"):
            await http.send(ASK, Deadline.after(5))


async def test_a_name_that_is_not_there_is_unreachable() -> None:
    async with session("http://nobody.invalid") as http:
        with pytest.raises(Unreachable, match=r"nobody\.invalid was not found"):
            await http.send(ASK, Deadline.after(10))


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server, session(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        with pytest.raises(Unreachable, match=r"the certificate of .* is not trusted: self-signed certificate"):
            await http.send(ASK, Deadline.after(5))


async def test_https_to_an_http_port_says_so() -> None:
    async def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(status="400 Bad Request"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, session(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as http:
        with pytest.raises(Unreachable, match=r"no TLS connection to .* wrong version number"):
            await http.send(ASK, Deadline.after(5))


def reset_first(times: int) -> tuple[Answer, list[int]]:
    """Ends the first `times` connections without a byte of an answer."""
    count = [0]

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        count[0] += 1
        if count[0] <= times:
            writer.transport.abort()
        else:
            writer.write(reply(b"second"))

    return answer, count


async def test_a_read_is_sent_again_once_after_a_reset() -> None:
    answer, _ = reset_first(1)
    async with backend(answer) as server, session(server.url) as http:
        assert (await http.send(ASK, Deadline.after(5))).body == b"second"


async def test_a_second_reset_is_unreachable() -> None:
    answer, count = reset_first(9)
    async with backend(answer) as server, session(server.url) as http:
        with pytest.raises(Unreachable, match="closed the connection"):
            await http.send(ASK, Deadline.after(5))
    assert count == [2]


async def test_a_post_is_not_sent_again() -> None:
    answer, count = reset_first(1)
    async with backend(answer) as server, session(server.url) as http:
        with pytest.raises(Unreachable):
            await http.send(HttpRequest("/q", "POST", body=b"x"), Deadline.after(5))
    assert count == [1]


async def test_a_stream_is_read_as_it_is_asked_for() -> None:
    sent = 0

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with backend(answer) as server, session(server.url) as http:
        async with http.stream(ASK, Deadline.after(10)) as stream:
            first = await anext(stream.chunks())
            await anyio.sleep(0.2)
            assert stream.status == 200
            assert first.startswith(b"x")
            assert sent < 20_000_000  # the kernel's buffers and ours, not the answer
        with anyio.fail_after(3):
            await server.gone.wait()


async def test_cancelling_the_caller_ends_the_upstream_request() -> None:
    async with backend(never) as server, session(server.url) as http:
        with anyio.move_on_after(0.1):
            await http.send(ASK, Deadline.after(30))
        with anyio.fail_after(3):
            await server.gone.wait()


async def test_a_datasource_is_asked_politely() -> None:
    now, most = 0, 0

    async def answer(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        writer.write(reply())

    async with backend(answer) as server, session(server.url) as http:
        wanted = 2
        http.limit_by(lambda: wanted)
        for expected in (2, 5, 1):
            wanted, most = expected, 0
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(http.send, ASK, Deadline.after(5))
            assert most == expected
    assert len(server.seen) == 24


async def test_the_process_has_a_bound_over_all_datasources_and_waiting_ends_with_the_deadline() -> None:
    egress = Egress(EgressSettings(allow_networks=LOOPBACK), LimitSettings(concurrent_requests=1))
    async with backend(never) as slow, backend(always(reply())) as quick:
        first, second = egress.session(slow.url, {}), egress.session(quick.url, {})
        async with anyio.create_task_group() as group:
            group.start_soon(_expect_timeout, first)
            await anyio.sleep(0.05)
            with pytest.raises(TimedOut, match="no place was free"):
                await second.send(ASK, Deadline.after(0.1))
        assert (await second.send(ASK, Deadline.after(5))).status == 200
        await first.aclose()
        await second.aclose()


async def _expect_timeout(http: EgressSession) -> None:
    with pytest.raises(TimedOut):
        await http.send(ASK, Deadline.after(0.5))


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b"])
async def test_a_value_cannot_add_a_header(value: str) -> None:
    async with backend(always(reply())) as server, session(server.url) as http:
        with pytest.raises(Misconfigured):
            await http.send(HttpRequest("/api", headers={"X-Scope-OrgID": value}), Deadline.after(5))
    assert not server.seen


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with backend(always(reply(b"direct"))) as server, session(server.url) as http:
        assert (await http.send(ASK, Deadline.after(5))).body == b"direct"
