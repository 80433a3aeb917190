"""`arcane tail`: lines as traces appear, over connections that break."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console

from arcane.client.asked import Asked
from arcane.client.errors import ClientError, Exit
from arcane.client.instance import Instance
from arcane.client.tailing import Event, Printer, Stream, print_tail
from arcane.kit.sse import HEARTBEAT, frame, mark

PROJECT = "0198b2c4-2f5e-7c3a-9d51-2f1b1f0a7c11"
OPEN = frame("open", json.dumps({"query": "{}", "sources": [{"id": "a", "name": "tempo", "whole": False}]}))


def hit(number: int, **more: Any) -> bytes:
    item = {
        "trace_id": f"{number:032x}", "start": "2026-08-01T11:59:59.000000001Z", "duration_ns": 2_500_000,
        "root_service": "shop", "root_name": f"order {number}", "span_count": 3, "error_count": 0, "matched": 1,
        "datasources": ["a"], **more,
    }  # fmt: skip
    return frame("trace", json.dumps({"trace": item, "again": False}))


def poll(error: str | None) -> bytes:
    fault = None if error is None else {"kind": "unreachable", "message": error}
    return frame("poll", json.dumps({"at": "", "source": {"name": "tempo", "error": fault}}))


END = frame("end", json.dumps({"reason": "not-signed-in", "message": "sign in first"}))


class Desk:
    """An instance that answers one connection after the other, and what somebody at a shell sees of it."""

    def __init__(self, *answers: bytes | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.out, self.err = StringIO(), StringIO()
        http = httpx.Client(transport=httpx.MockTransport(self.answer), base_url="http://arcane.test")
        self.stream = Stream(Instance(http, PROJECT), Asked("{ status = error }"), self.waits.append)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        return answer(request) if callable(answer) else httpx.Response(200, content=answer)

    def tail(self, limit: int | None = None, *, as_json: bool = False) -> list[str]:
        quiet: dict[str, Any] = {"width": 240, "highlight": False, "markup": False, "emoji": False}
        printer = Printer(Console(file=self.out, **quiet), Console(file=self.err, **quiet), as_json)
        print_tail(self.stream, printer, limit)
        return self.out.getvalue().splitlines()


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("gone", request=request)


def test_a_trace_is_a_line() -> None:
    desk = Desk(OPEN + HEARTBEAT + hit(1) + hit(2, error_count=2, root_name="a\x1b[31mb"))
    first, second = desk.tail(2)
    assert "shop  order 1  2.5ms  3 spans" in first
    assert first.endswith(f"{1:032x}  tempo")
    assert "2 errors" in second
    assert "\x1b" not in second
    assert desk.requests[0].url.path == f"/api/v1/projects/{PROJECT}/tail"
    assert desk.requests[0].url.params["query"] == "{ status = error }"


def test_a_trace_that_grew_is_marked_and_one_that_is_told_twice_is_not_repeated() -> None:
    lines = Desk(OPEN + hit(1) + hit(1) + hit(1, span_count=9) + hit(2)).tail(3)
    assert ["+ shop" in line for line in lines] == [False, True, False]


def test_a_connection_that_breaks_is_made_again_from_where_it_was() -> None:
    desk = Desk(OPEN + hit(1) + mark("17"), broken, OPEN + hit(1) + hit(2))
    assert len(desk.tail(2)) == 2
    assert [request.headers.get("last-event-id") for request in desk.requests] == [None, "17", "17"]
    assert desk.waits == [1.0]


def test_an_instance_that_stays_away_is_given_up() -> None:
    desk = Desk(*[broken] * 5)
    with pytest.raises(ClientError, match="does not answer any more"):
        desk.tail()
    assert desk.waits == [1.0, 2.0, 4.0, 8.0, 15.0]


def test_the_end_of_a_tail_is_told_and_no_reason_to_come_back() -> None:
    with pytest.raises(ClientError, match="sign in first") as refused:
        Desk(OPEN + END).tail()
    assert refused.value.code is Exit.REFUSED


def test_a_change_of_the_project_begins_again() -> None:
    changed = frame("end", json.dumps({"reason": "changed", "message": "x"}))
    assert len(Desk(OPEN + changed, OPEN + hit(1)).tail(1)) == 1


def test_faults_are_told_once_and_that_they_are_over() -> None:
    desk = Desk(OPEN + poll(None) + poll("no connection") * 3 + poll(None) + hit(1))
    desk.tail(1)
    assert desk.err.getvalue().splitlines() == ["arcane: tempo: no connection", "arcane: tempo: answers again"]


def test_what_was_dropped_is_told() -> None:
    desk = Desk(OPEN + frame("dropped", b'{"count": 12}') + hit(1))
    desk.tail(1)
    assert "12 traces came faster" in desk.err.getvalue()


def test_json_is_an_object_a_line() -> None:
    (line,) = Desk(OPEN + hit(1)).tail(1, as_json=True)
    assert json.loads(line)["root_name"] == "order 1"


def test_a_query_that_is_refused_shows_where() -> None:
    problem = {"detail": "this is not TraceQL", "position": {"line": 1, "column": 3, "length": 6}}
    desk = Desk(lambda _: httpx.Response(400, json=problem))
    with pytest.raises(ClientError, match=r"this is not TraceQL\n  \{ status"):
        desk.tail()


def test_an_event_of_several_lines_is_one() -> None:
    stream = Desk(b"event: x\ndata: {\ndata: }\n\n").stream
    assert next(stream.events()) == Event("x", {})
