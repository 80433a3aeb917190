"""Live views over real sockets: a served backend, a Tempo that gets more, clients that come, go and are shut out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from arcane.model.span import Span
from arcane.model.trace import Trace
from tests.support.canaries import trace_of
from tests.support.postgres import Server
from tests.support.premises import Premises, corpus_below, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.tempo_standin import Tempo
from tests.support.tempo_standin import serving as standing_in

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

OFTEN = {"poll_s": 0.05, "recheck_s": 0.1, "life_s": 60.0, "quiet_s": 1.5}
PATIENCE_S = 20.0


def now_trace(number: int, *, spans: int = 1) -> Trace:
    """Returns a trace that began a moment ago."""
    model = trace_of(number).spans[0]
    began = time.time_ns() - 2_000_000_000
    members = [_moved(model, began, index) for index in range(spans)]
    return Trace(model.trace_id, members)


def _moved(span: Span, began: int, index: int) -> Span:
    span_id = type(span.span_id)(f"{int(span.span_id, 16) + index * 0x1000:016x}")
    return Span(
        span.trace_id,
        span_id,
        span.span_id if index else "",
        f"work {index}",
        span.kind,
        began + index,
        began + 1_000_000,
        attributes=span.attributes,
        resource=span.resource,
    )


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Any
    mark: str


class Listener:
    """A client of an event stream."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        self.lines = answer.iter_lines()
        self.mark = ""

    def __iter__(self) -> Iterator[Event]:
        name, data = "", ""
        for line in self.lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data += value
            elif field == "id":
                self.mark = value
            elif not line and name:
                yield Event(name, json.loads(data), self.mark)
                name, data = "", ""

    def next(self, name: str) -> Event:
        """Returns the next event of that name."""
        give_up = time.monotonic() + PATIENCE_S
        for event in self:
            if event.name == name:
                return event
            assert time.monotonic() < give_up, f"no {name}"
        raise AssertionError(f"it ended without {name}")


@dataclass(frozen=True, slots=True)
class Stage:
    served: Served
    owner: Visitor
    place: Premises
    tempo: Tempo

    @contextmanager
    def listening(self, path: str, key: str | None = None, mark: str = "", **params: str) -> Iterator[Listener]:
        headers = {"authorization": f"Bearer {key or self.place.key}"} | ({"last-event-id": mark} if mark else {})
        address = self.served.address + self.place.in_project + path
        with httpx.stream(
            "GET", address, headers=headers, params=params, timeout=PATIENCE_S, trust_env=False
        ) as answer:
            yield Listener(answer)

    def searches(self) -> int:
        return sum(request.path == "/api/search" for request in self.tempo.requests)


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@pytest.fixture(scope="module")
def stage(
    postgres_server: Server,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    portal: BlockingPortal,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("live")
    with cloned_database(postgres_server, template_database) as stored:
        settings = served_settings(stored, corpus_below(folder), live=OFTEN)
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            place = premises(served, owner)
            assert owner.call("DELETE", f"{place.at}/datasources/{place.datasource_id}").status_code == 204
            tempo = Tempo([])
            with portal.wrap_async_context_manager(standing_in(tempo)):
                owner.made(f"{place.at}/datasources", {"name": "t", "kind": "tempo", "settings": {"url": tempo.url}})
                yield Stage(served, owner, place, tempo)


@pytest.fixture(autouse=True)
def empty(stage: Stage) -> None:
    stage.tempo.traces = []


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_traces_are_told_as_they_appear(stage: Stage) -> None:
    with stage.listening("/tail", query="{ span.number > 0 }") as listener:
        opened = listener.next("open").data
        assert (opened["query"], [source["name"] for source in opened["sources"]]) == ("{ span.number > 0 }", ["t"])
        assert listener.next("poll").data["source"]["status"] == "ok"
        stage.tempo.traces = [now_trace(1)]
        told = listener.next("trace").data
        assert (told["trace"]["trace_id"], told["again"]) == (trace_of(1).trace_id, False)


def test_an_interrupted_tail_goes_on_where_it_was(stage: Stage) -> None:
    with stage.listening("/tail", query="{ span.number > 0 }") as listener:
        listener.next("poll")
        mark = listener.next("poll").mark
    assert int(mark) > 0
    stage.tempo.traces = [now_trace(2)]
    with stage.listening("/tail", mark=mark, query="{ span.number > 0 }") as listener:
        assert listener.next("trace").data["trace"]["trace_id"] == trace_of(2).trace_id


def test_nobody_is_asked_once_the_last_watcher_has_left(stage: Stage) -> None:
    with stage.listening("/tail", query="{}") as one, stage.listening("/tail", query="{ }") as other:
        for listener in (one, other):
            listener.next("poll")
    before = -1

    def settled() -> bool:
        nonlocal before
        before, last = stage.searches(), before
        time.sleep(0.3)
        return before == last == stage.searches()

    until(settled)


def test_a_revoked_key_ends_its_streams(stage: Stage) -> None:
    key = stage.owner.made(f"{stage.place.in_project}/api-keys", {"name": "gone soon", "scope": "read-write"})
    with stage.listening("/tail", key["key"]) as listener:
        listener.next("poll")
        gone = stage.owner.call("DELETE", f"{stage.place.in_project}/api-keys/{key['id']}")
        assert gone.status_code in (200, 204), gone.text
        assert listener.next("end").data["reason"] == "not-signed-in"
        assert list(listener) == []


def test_a_running_trace_is_followed_until_it_is_quiet(stage: Stage) -> None:
    stage.tempo.traces = [now_trace(3)]
    with stage.listening(f"/traces/{trace_of(3).trace_id}/live") as listener:
        assert [span["name"] for span in listener.next("spans").data["spans"]] == ["work 0"]
        stage.tempo.traces = [Trace(trace_of(3).trace_id, [*stage.tempo.traces[0].spans, *now_trace(3, spans=3).spans])]
        grown = listener.next("spans").data
        assert ([span["name"] for span in grown["spans"]], grown["span_count"]) == (["work 1", "work 2"], 3)
        assert listener.next("state").data["state"] == "live"
        assert listener.next("end").data["reason"] == "quiet"


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/tail?query=%7B", 400, "bad-query"),
        ("/tail?datasource=x", 404, "unknown-datasource"),
        ("/traces/xyz/live", 400, "bad-trace-id"),
        ("/tail?spans_per_trace=100000", 400, "limit-too-large"),
    ],
)
def test_what_cannot_be_watched_is_a_problem_and_no_stream(stage: Stage, path: str, status: int, slug: str) -> None:
    answer = stage.owner.get(stage.place.in_project + path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


def test_a_server_that_ends_does_not_wait_for_those_who_watch(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("ending")
    with cloned_database(postgres_server, template_database) as stored:
        settings = served_settings(stored, corpus_below(folder), live=OFTEN)
        with serving(stored, settings, folder / "backend.log") as served:
            place = premises(served, served.owner())
            headers = {"authorization": f"Bearer {place.key}"}
            with httpx.stream(
                "GET", f"{served.address}{place.in_project}/tail", headers=headers, trust_env=False
            ) as answer:
                Listener(answer).next("poll")
                began = time.monotonic()
                served.process.terminate()
                served.process.wait(PATIENCE_S)
                assert time.monotonic() - began < 8, "it waited for the stream"
            assert "Traceback" not in served.log
