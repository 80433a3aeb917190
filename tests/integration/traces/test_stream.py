"""A streamed search over HTTP: its events, its two spellings, who may see what, and what ends it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import anyio
import pytest

from arcane.access.scope import TraceFilter
from arcane.model.deadline import Deadline
from arcane.settings import LimitSettings
from arcane.spi.errors import Unreachable
from arcane.spi.scan import ScanPage, ScanRequest
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Asker, asking, numbered, part_of

pytestmark = pytest.mark.anyio

ORDERS = pytest.mark.parametrize("order", ["arrival", "newest"])


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


def hits_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {event["hit"]["trace_id"]: event["hit"] for event in events if event["event"] == "hit"}


@ORDERS
async def test_it_says_what_a_search_says(asker: Asker, order: str) -> None:
    asker.add("one", [numbered(number) for number in range(0, 40, 2)])
    asker.add("two", [numbered(number) for number in range(1, 40, 2)])
    page = await asker.search("{ status = error }", limit=30)
    events = await asker.stream("{ status = error }", limit=30, order=order)
    begin, end = events[0], events[-1]
    assert [one["name"] for one in begin["sources"]] == ["one", "two"]
    assert (end["event"], end["ending"], end["complete"]) == ("end", "limit", True)
    hits = hits_of(events)
    shown = end["order"] or list(hits)
    assert [hits[trace_id] for trace_id in shown] == page["items"]
    assert {event["source"]["name"] for event in events if event["event"] == "source"} == {"one", "two"}
    following = await asker.search("{ status = error }", cursor=end["next"])
    assert [item["trace_id"] for item in following["items"]] == [numbered(number).trace_id for number in range(30, 40)]


@ORDERS
async def test_without_a_limit_it_goes_to_the_end_of_the_range(order: str) -> None:
    async with asking(LimitSettings(search_limit_max=5, stream_batch=7)) as asker:
        asker.add("store", [numbered(number) for number in range(60)])
        events = await asker.stream(order=order)
        assert len(hits_of(events)) == 60
        assert events[-1]["ending"] == "range"
        assert events[-1]["next"] is None
        assert events[-1]["order"] is None


async def test_server_sent_events_say_the_same(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    answer = await asker.client.post(
        f"{asker.root}/search/stream", json={"query": "{}"}, headers={"accept": "text/event-stream"}
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [piece.split("\n") for piece in answer.text.strip().split("\n\n")]
    assert (events[0][0], events[-1][0]) == ("event: begin", "event: end")
    for name, data in events:
        assert json.loads(data.removeprefix("data: "))["event"] == name.removeprefix("event: ")


async def test_what_no_client_reads_is_refused(asker: Asker) -> None:
    answer = await asker.client.post(f"{asker.root}/search/stream", json={}, headers={"accept": "text/html"})
    assert answer.status_code == 406
    assert answer.json()["type"] == "/problems/not-acceptable"


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"query": "{"}, 400, "bad-query"),
        ({"query": "{} | rate()"}, 400, "metrics-query"),
        ({"limit": 100_000}, 400, "limit-too-large"),
        ({"cursor": "nonsense"}, 400, "bad-cursor"),
        ({"order": "oldest"}, 422, "malformed-input"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_a_problem_and_no_stream(
    asker: Asker, body: Any, status: int, slug: str
) -> None:
    asker.add("store", [numbered(0)])
    problem = await asker.post("/search/stream", body, status)
    assert problem["type"] == f"/problems/{slug}"


@ORDERS
async def test_scope_and_redaction_are_those_of_a_search(asker: Asker, order: str) -> None:
    asker.add("store", [numbered(0, team="red", secret="s3cret"), numbered(1, team="blue", secret="s3cret")])
    asker.scope.trace_filter = TraceFilter("team", "red")
    asker.scope.hidden = frozenset({"service.name"})
    events = await asker.stream("{ status = error }", order=order)
    assert list(hits_of(events)) == [numbered(0).trace_id]
    assert "service-0" not in json.dumps(events)
    asker.scope.hidden = frozenset({"secret"})
    await asker.post("/search/stream", {"query": "{ span.secret = `x` }"}, 403)


async def test_a_datasource_that_fails_is_named_and_costs_its_own_rows(asker: Asker) -> None:
    asker.add("good", [numbered(0)])
    asker.add("down", [], faults=Faults(scan=Unreachable("No connection.")))
    events = await asker.stream()
    settled = {event["source"]["name"]: event["source"] for event in events if event["event"] == "source"}
    assert settled["down"]["error"]["kind"] == "unreachable"
    assert settled["good"]["status"] == "ok"
    assert (events[-1]["ending"], events[-1]["complete"]) == ("fault", False)
    assert events[-1]["next"] is not None
    aborted = await asker.stream(on_failure="abort")
    assert aborted[-1]["event"] == "problem"
    assert aborted[-1]["problem"]["type"] == "/problems/datasource-failed"


async def test_an_answer_that_nobody_gave_ends_in_the_problem_of_a_search(asker: Asker) -> None:
    asker.add("down", [], faults=Faults(scan=Unreachable("No connection.")))
    (*_, last) = await asker.stream()
    assert last["event"] == "problem"
    assert last["problem"]["status"] == 502
    assert last["problem"]["sources"][0]["name"] == "down"


async def test_a_trace_that_another_datasource_adds_to_comes_again(asker: Asker) -> None:
    asker.add("back", [part_of(numbered(0), root=False)])
    asker.add("front", [part_of(numbered(0), root=True)], faults=Faults(latency_s=0.05))
    events = await asker.stream(limit=10)
    shown = [event for event in events if event["event"] == "hit"]
    assert [event["again"] for event in shown] == [False, True]
    assert len(shown[-1]["hit"]["datasources"]) == 2


class Hangs(MemoryAdapter):
    """Gives a page and then nothing any more."""

    under_way: anyio.Event

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        self.asked.open_scans += 1
        self.under_way.set()
        try:
            yield ScanPage(tuple(self._candidates(request)))
            await anyio.sleep_forever()
        finally:
            self.asked.open_scans -= 1


@ORDERS
async def test_a_client_that_hangs_up_ends_what_the_datasources_do(asker: Asker, order: str) -> None:
    adapter = Hangs([numbered(0)], EVERYTHING)
    adapter.under_way = anyio.Event()
    asker.shelf.put("hangs", adapter)
    gone = anyio.Event()
    body = json.dumps({"order": order}).encode()
    sent: list[bytes] = []
    requests = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for one in requests:
            return one
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "POST",
        "path": f"{asker.root}/search/stream",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("arcane.test", 80),
    }
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(asker.app, scope, receive, send)
            await adapter.under_way.wait()
            gone.set()
    assert adapter.asked.open_scans == 0
    assert sent[1].startswith(b'{"event":"begin"')
