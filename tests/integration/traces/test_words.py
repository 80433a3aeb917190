"""What helps to ask: checking a query, explaining a plan, names and values of attributes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from arcane.access.scope import TraceFilter
from arcane.spi.capabilities import Capabilities, Order
from arcane.spi.errors import Unreachable
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Asker, asking, numbered, without

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


async def test_a_good_query_has_one_spelling(asker: Asker) -> None:
    answer = await asker.post("/query/check", {"query": "{span:status=error&&.a>1}"})
    assert answer == {"valid": True, "errors": [], "canonical": "{ status = error && .a > 1 }"}


async def test_a_broken_query_is_shown_its_place(asker: Asker) -> None:
    answer = await asker.post("/query/check", {"query": "{ status = eror }"})
    assert (answer["valid"], answer["canonical"]) == (False, None)
    (error,) = answer["errors"]
    assert (error["line"], error["column"], error["length"]) == (1, 12, 4)
    assert "error" in error["hint"]
    measured = await asker.post("/query/check", {"query": "{} | rate()"})
    assert (measured["valid"], measured["errors"]) == (True, [])


async def test_a_plan_says_what_goes_where_and_why(asker: Asker) -> None:
    asker.add("able", [])
    asker.add("plain", [], Capabilities(order=Order.FIRST_FOUND))
    plan = await asker.post("/search/explain", {"query": '{ 1 = span.a && (.b = 2 || .c) && rootName = "x" }'})
    assert plan["canonical"] == '{ 1 = span.a && (.b = 2 || .c) && rootName = "x" }'
    able, plain = plan["sources"]
    assert able["pushed"] == "{ span.a = 1 }"
    assert [(one["reason"], one["sent"]) for one in able["kept"]] == [("alternative", None), ("whole_trace", None)]
    assert able["steps"][0] == "Ask for the traces that match { span.a = 1 }, newest first, page by page."
    assert able["steps"][1] == "Put each trace together from all datasources."
    assert plain["pushed"] is None
    assert "windows of time that go backwards" in plain["steps"][0]


async def test_a_plan_for_one_datasource_leaves_the_whole_trace_to_it(asker: Asker) -> None:
    asker.add("able", [])
    asker.scope.trace_filter = TraceFilter("team", "red")
    plan = await asker.post("/search/explain", {"query": '{ rootName = "x" }'})
    (able,) = plan["sources"]
    assert plan["scope"] == '(resource.team = "red" || span.team = "red")'.strip("()")
    assert able["pushed"] == '{ rootName = "x" && (resource.team = "red" || span.team = "red") }'
    assert able["steps"][-1] == "Take the answer as it is."


@pytest.mark.parametrize("order", list(Order))
async def test_a_plan_shows_the_requests_that_will_be_sent(asker: Asker, order: Order) -> None:
    query = {"query": "{ span.number > 2 }", "start": "2026-08-01T10:00:00Z", "end": "2026-08-01T12:00:00Z"}
    asker.add("able", [numbered(number) for number in range(5)], without(EVERYTHING, order=order))
    adapter = next(iter(asker.shelf.held.values())).adapter
    assert isinstance(adapter, MemoryAdapter)
    ((shown,),) = [source["requests"] for source in (await asker.post("/search/explain", query))["sources"]]
    assert adapter.asked.scans == [], "explaining asks nobody"
    await asker.search(**query)
    (sent,) = adapter.describe(adapter.asked.scans[0], whole=False)
    assert (shown["method"], shown["target"]) == (sent.method, sent.target)
    assert [(one["name"], one["value"]) for one in shown["parameters"]] == list(sent.parameters)


async def test_a_query_that_nothing_can_match_is_sent_nowhere(asker: Asker) -> None:
    asker.add("able", [])
    plan = await asker.post("/search/explain", {"query": "{ false }"})
    assert plan["sources"][0]["requests"] == []


async def test_names_of_all_datasources_are_offered_once(asker: Asker) -> None:
    asker.add("a", [numbered(0, alpha=1)])
    asker.add("b", [numbered(1, beta=1)], without(EVERYTHING, native_attributes=False))
    answer = await asker.get("/attributes")
    assert [item["field"] for item in answer["items"]] == [
        "span.alpha",
        "span.beta",
        "span.number",
        "resource.service.name",
    ]
    assert answer["complete"] is True
    assert [item["name"] for item in (await asker.get("/attributes", prefix="n"))["items"]] == ["number"]
    assert [item["name"] for item in (await asker.get("/attributes", scope="resource"))["items"]] == ["service.name"]
    few = await asker.get("/attributes", limit=2)
    assert (len(few["items"]), few["complete"]) == (2, False)


async def test_values_of_all_datasources_are_counted_together(asker: Asker) -> None:
    asker.add("a", [numbered(0, flavour="mild"), numbered(1, flavour="hot")])
    asker.add("b", [numbered(2, flavour="hot")])
    answer = await asker.get("/attributes/span.flavour/values")
    assert [(item["value"], item["literal"], item["count"]) for item in answer["items"]] == [
        ("hot", '"hot"', 4),
        ("mild", '"mild"', 2),
    ]
    assert (await asker.get("/attributes/status/values"))["items"][0]["literal"] in ("error", "unset")
    assert (await asker.get("/attributes/span.%22a%2Fb%22/values"))["items"] == []


async def test_completion_goes_on_without_a_datasource_that_is_down(asker: Asker) -> None:
    asker.add("up", [numbered(0)])
    down = Faults(scan=Unreachable("No connection."), latency_s=0)
    asker.add("down", [], without(EVERYTHING, native_attributes=False), down)
    answer = await asker.get("/attributes")
    assert answer["complete"] is False
    assert answer["sources"][1]["status"] == "failed"
    assert answer["items"]


@pytest.mark.parametrize("can", [EVERYTHING, Capabilities(native_attributes=True)])
async def test_completion_knows_only_what_the_project_may_see(asker: Asker, can: Capabilities) -> None:
    asker.add("store", [numbered(0, team="red", mine=1), numbered(1, team="blue", theirs=1)], can)
    asker.scope.trace_filter = TraceFilter("team", "red")
    names = [item["name"] for item in (await asker.get("/attributes", scope="span"))["items"]]
    assert names == ["mine", "number", "team"]
    assert [item["value"] for item in (await asker.get("/attributes/.team/values"))["items"]] == ["red"]


async def test_values_of_a_hidden_attribute_are_not_listed(asker: Asker) -> None:
    asker.add("store", [numbered(0, secret="s3cret")])
    asker.scope.hidden = frozenset({"secret"})
    problem = await asker.get("/attributes/span.secret/values", 403)
    assert problem["type"] == "/problems/hidden-attribute"
    (item,) = (await asker.get("/attributes", prefix="secret"))["items"]
    assert item["hidden"] is True


@pytest.mark.parametrize("name", ["1", "span.a = 1", "x", "} && {", "%00", "status }"])
async def test_what_is_not_an_attribute_has_its_own_problem(asker: Asker, name: str) -> None:
    answer = await asker.client.get(f"{asker.root}/attributes/{name}/values")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-field")
