"""Searching over HTTP: pages, partial answers, scope, redaction, hanging up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from arcane.access.scope import TraceFilter
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import RateLimited, Unreachable
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Asker, asking, numbered, part_of, without

pytestmark = pytest.mark.anyio

DOWN = Faults(scan=Unreachable("No connection to the backend."), get_trace=Unreachable())


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["trace_id"] for item in answer["items"]]


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in answer["sources"]}


async def test_the_newest_traces_of_all_datasources_come_first(asker: Asker) -> None:
    asker.add("odd", [numbered(number) for number in range(1, 10, 2)])
    asker.add("even", [numbered(number) for number in range(0, 10, 2)])
    answer = await asker.search(limit=4)
    assert ids(answer) == [numbered(number).trace_id for number in range(4)]
    assert answer["complete"] is True
    assert {name: source["rows"] for name, source in by_name(answer).items()} == {"odd": 2, "even": 2}


async def test_a_hit_says_what_a_list_shows(asker: Asker) -> None:
    source = asker.add("store", [numbered(0, spans=3)])
    (item,) = (await asker.search("{ status = error && span.number >= 0 }"))["items"]
    assert item == {
        "trace_id": numbered(0).trace_id,
        "start": "2026-08-01T11:59:59.000000000Z",
        "duration_ns": 1_002_000,
        "root_service": "service-0",
        "root_name": "GET /",
        "span_count": 3,
        "error_count": 1,
        "services": {"service-0": {"span_count": 3, "error_count": 1}},
        "matched": 1,
        "spans": [
            {
                "span_id": "0000000100000003",
                "name": "step 2",
                "service": "service-0",
                "status": "error",
                "start": "2026-08-01T11:59:59.000002000Z",
                "duration_ns": 1_000_000,
                "attributes": {"status": "error", "number": 0},
            }
        ],
        "span_sets": [],
        "span_set_count": 0,
        "datasources": [source],
        "whole": True,
    }


async def test_pages_follow_each_other_to_the_end(asker: Asker) -> None:
    asker.add("a", [numbered(number) for number in range(0, 12, 2)])
    asker.add("b", [numbered(number) for number in range(1, 12, 2)], without(EVERYTHING, order=Order.FIRST_FOUND))
    found, cursor = [], None
    for _ in range(3):
        answer = await asker.search(limit=5, cursor=cursor)
        found += ids(answer)
        cursor = answer["next"]
    assert found == [numbered(number).trace_id for number in range(12)]
    assert cursor is None


async def test_a_datasource_that_is_down_costs_its_own_rows_and_is_named(asker: Asker) -> None:
    asker.add("up", [numbered(0)])
    asker.add("down", [numbered(1)], faults=DOWN)
    answer = await asker.search()
    assert ids(answer) == [numbered(0).trace_id]
    assert answer["complete"] is False
    assert by_name(answer)["up"]["status"] == "ok"
    assert by_name(answer)["down"]["status"] == "failed"
    assert by_name(answer)["down"]["error"] == {
        "kind": "unreachable",
        "message": "No connection to the backend.",
        "retry_after_s": None,
    }


async def test_rows_of_a_datasource_that_was_down_come_with_the_next_page(asker: Asker) -> None:
    asker.add("up", [numbered(0)])
    asker.add("down", [numbered(1)], faults=DOWN)
    first = await asker.search()
    source = list(asker.shelf.held.values())[1]
    asker.shelf.held[next(key for key, one in asker.shelf.held.items() if one is source)] = type(source)(
        source.id, source.name, source.kind, MemoryAdapter([numbered(1)], EVERYTHING)
    )
    second = await asker.search(cursor=first["next"])
    assert ids(second) == [numbered(1).trace_id]
    assert second["next"] is None


async def test_when_all_that_is_left_is_down_the_next_page_says_so(asker: Asker) -> None:
    asker.add("up", [numbered(0)])
    asker.add("down", [numbered(1)], faults=DOWN)
    first = await asker.search()
    problem = await asker.search(cursor=first["next"], status=502)
    assert problem["type"] == "/problems/all-datasources-failed"


async def test_a_search_of_which_every_datasource_fails_is_a_problem_that_names_them(asker: Asker) -> None:
    asker.add("down", [], faults=DOWN)
    asker.add("busy", [], faults=Faults(scan=RateLimited(retry_after_s=3.0)))
    problem = await asker.search(status=502)
    assert problem["type"] == "/problems/all-datasources-failed"
    assert {one["name"]: one["error"]["kind"] for one in problem["sources"]} == {
        "down": "unreachable",
        "busy": "rate_limited",
    }
    assert problem["sources"][1]["error"]["retry_after_s"] == 3.0


async def test_all_or_nothing_fails_with_the_first_datasource_that_does(asker: Asker) -> None:
    asker.add("slow", [numbered(0)], faults=Faults(latency_s=5))
    asker.add("down", [], faults=DOWN)
    with anyio.fail_after(2):
        problem = await asker.search(on_failure="abort", status=502)
    assert problem["type"] == "/problems/datasource-failed"
    assert {one["name"]: one["status"] for one in problem["sources"]} == {"slow": "skipped", "down": "failed"}


async def test_a_slow_datasource_is_waited_for_no_longer_than_its_share() -> None:
    async with asking(LimitSettings(source_timeout_s=0.1)) as asker:
        asker.add("up", [numbered(0)])
        asker.add("slow", [numbered(1)], faults=Faults(latency_s=30))
        with anyio.fail_after(2):
            answer = await asker.search()
        assert ids(answer) == [numbered(0).trace_id]
        assert by_name(answer)["slow"]["error"]["kind"] == "timed_out"


async def test_a_bound_is_told_and_the_next_page_goes_on() -> None:
    async with asking(LimitSettings(candidates_max=10)) as asker:
        asker.add("plain", [numbered(number) for number in range(30)], Capabilities(order=Order.NEWEST_FIRST))
        answer = await asker.search("{ span.number = 25 }", limit=5)
        assert answer["sources"][0]["status"] == "approximate"
        assert "goes on" in answer["sources"][0]["warnings"][0]
        found: list[str] = []
        for _ in range(10):
            found += ids(answer)
            if answer["next"] is None:
                break
            answer = await asker.search("{ span.number = 25 }", limit=5, cursor=answer["next"])
        assert found == [numbered(25).trace_id]


async def test_what_was_pushed_and_what_was_evaluated_here_is_told(asker: Asker) -> None:
    asker.add("able", [numbered(0)])
    asker.add("plain", [numbered(1)], Capabilities())
    answer = await asker.search("{ span.number >= 0 }")
    assert by_name(answer)["able"]["pushed"] == "{ span.number >= 0 }"
    assert by_name(answer)["able"]["residual"] is None
    assert by_name(answer)["plain"]["pushed"] is None
    assert by_name(answer)["plain"]["residual"] == "{ span.number >= 0 }"
    assert len(answer["items"]) == 2


async def test_a_split_trace_is_one_hit_with_its_root(asker: Asker) -> None:
    trace = numbered(0, spans=4)
    front, back = asker.add("front", [part_of(trace, root=True)]), asker.add("back", [part_of(trace, root=False)])
    (item,) = (await asker.search("{ status = error }"))["items"]
    assert item["root_name"] == "GET /"
    assert item["span_count"] == 4
    assert item["start"] == "2026-08-01T11:59:59.000000000Z"
    assert set(item["datasources"]) == {front, back}


async def test_a_condition_on_the_whole_trace_sees_all_of_its_parts(asker: Asker) -> None:
    trace = numbered(0, spans=4)
    asker.add("front", [part_of(trace, root=True)])
    asker.add("back", [part_of(trace, root=False)])
    answer = await asker.search('{ rootName = "GET /" && status = error }')
    assert ids(answer) == [trace.trace_id]
    assert by_name(answer)["back"]["residual"] == '{ rootName = "GET /" }'


async def test_conditions_that_are_always_or_never_true_cost_nothing(asker: Asker) -> None:
    asker.add("plain", [numbered(0)], Capabilities())
    always = await asker.search("{ true && 1 < 2 }")
    assert (len(always["items"]), always["sources"][0]["residual"]) == (1, None)
    never = await asker.search("{ span.number = 0 && 1 > 2 }")
    assert (never["items"], never["next"], never["complete"]) == ([], None, True)


async def test_chosen_datasources_are_asked_and_no_other(asker: Asker) -> None:
    asker.add("a", [numbered(0)])
    chosen = asker.add("b", [numbered(1)])
    answer = await asker.search(datasources=[chosen])
    assert ids(answer) == [numbered(1).trace_id]
    assert list(by_name(answer)) == ["b"]


async def test_an_organisation_without_datasources_has_no_traces(asker: Asker) -> None:
    assert await asker.search() == {"items": [], "next": None, "complete": True, "sources": [], "cached_age_s": None}


async def test_datasources_over_the_bound_are_named_as_not_asked() -> None:
    async with asking(LimitSettings(datasources_per_search=2)) as asker:
        for number in range(3):
            asker.add(f"store {number}", [numbered(number)])
        answer = await asker.search()
        assert len(answer["items"]) == 2
        assert by_name(answer)["store 2"]["status"] == "skipped"
        assert answer["complete"] is False
        problem = await asker.search(datasources=[str(one) for one in asker.shelf.held], status=400)
        assert (problem["type"], problem["maximum"]) == ("/problems/too-many-datasources", 2)


async def test_without_a_range_it_is_the_last_hour(asker: Asker) -> None:
    asker.add("store", [numbered(0), numbered(1, seconds_ago=3_700)])
    assert ids(await asker.search()) == [numbered(0).trace_id]
    two_hours = {"start": "2026-08-01T12:00:00+02:00", "end": "2026-08-01T12:00:00.000000001Z"}
    assert len(ids(await asker.search(**two_hours))) == 2


async def test_the_project_sees_only_what_its_filter_lets_through(asker: Asker) -> None:
    asker.add("able", [numbered(0, team="red"), numbered(1, team="blue")])
    asker.add("plain", [numbered(2, team="red"), numbered(3, team="blue")], Capabilities())
    asker.scope.trace_filter = TraceFilter("team", "red")
    assert ids(await asker.search()) == [numbered(0).trace_id, numbered(2).trace_id]
    assert ids(await asker.search('{ span.team = "blue" || true }')) == [numbered(0).trace_id, numbered(2).trace_id]
    assert ids(await asker.search('{ span.team = "blue" }')) == []


async def test_a_service_is_the_projects_by_its_resource(asker: Asker) -> None:
    asker.add("store", [numbered(0), numbered(1)])
    asker.scope.trace_filter = TraceFilter("service.name", "service-1")
    assert ids(await asker.search()) == [numbered(1).trace_id]


async def test_hidden_values_are_replaced_and_cannot_be_asked_for(asker: Asker) -> None:
    asker.add("store", [numbered(0, secret="s3cret")])
    asker.scope.hidden = frozenset({"number"})
    (item,) = (await asker.search("{ .secret != nil }"))["items"]
    assert item["spans"][0]["attributes"] == {"secret": "s3cret"}
    for query in ("{ span.number = 0 }", "{ .number > 0 || status = ok }", '{ event.number = "x" }'):
        problem = await asker.search(query, status=403)
        assert problem["type"] == "/problems/hidden-attribute"


async def test_hiding_the_service_hides_it_everywhere(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    asker.scope.hidden = frozenset({"service.name"})
    text = (await asker.client.post(asker.root + "/search", json={"query": "{}"})).text
    assert "service-0" not in text
    assert "[REDACTED]" in text
    await asker.search('{ rootServiceName = "service-0" }', status=403)


async def test_a_datasource_added_meanwhile_is_named_and_not_mixed_in(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(5)])
    cursor = (await asker.search(limit=2))["next"]
    asker.add("late", [numbered(0)])
    answer = await asker.search(limit=2, cursor=cursor)
    assert ids(answer) == [numbered(2).trace_id, numbered(3).trace_id]
    assert by_name(answer)["late"]["status"] == "skipped"


async def test_a_client_that_hangs_up_ends_the_upstream_work(asker: Asker) -> None:
    asker.add("slow", [numbered(0)], faults=Faults(latency_s=60))
    asker.add("slower", [numbered(1)], faults=Faults(latency_s=60))
    adapters = [source.adapter for source in asker.shelf.held.values()]
    assert all(isinstance(adapter, MemoryAdapter) for adapter in adapters)
    body, sent = b'{"query": "{}"}', []
    begun, gone = anyio.Event(), anyio.Event()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": f"{asker.root}/search",
        "raw_path": f"{asker.root}/search".encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(asker.app, scope, receive, send)  # type: ignore[arg-type]
            while not all(adapter.asked.open_scans for adapter in adapters):  # type: ignore[attr-defined]
                await checkpoint()
            begun.set()
            gone.set()
    assert not any(adapter.asked.open_scans for adapter in adapters)  # type: ignore[attr-defined]
    assert sent[0]["status"] == 499
