"""How a metrics query would be asked: who measures, of whom the spans are read, and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from arcane.access.scope import TraceFilter
from arcane.settings import LimitSettings
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Asker, asking, numbered, without

pytestmark = pytest.mark.anyio

LISTS = without(EVERYTHING, metrics=())
MINUTES = {"start": "2026-08-01T11:56:00Z", "end": "2026-08-01T12:00:00Z", "step": "1m"}


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking(LimitSettings(metrics_settle_s=0)) as made:
        yield made


async def plan_of(asker: Asker, query: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await asker.post("/metrics/explain", {"query": query, **MINUTES, **more})
    return found


def held(asker: Asker) -> list[MemoryAdapter]:
    found = [one.adapter for one in asker.shelf.held.values()]
    assert all(isinstance(one, MemoryAdapter) for one in found)
    return found  # type: ignore[return-value]


async def test_a_plan_says_what_is_measured_there_and_what_here(asker: Asker) -> None:
    asker.add("measures", [numbered(0)])
    asker.add("lists", [numbered(1)], LISTS)
    plan = await plan_of(asker, "{ status = error } | rate() by (name) | topk(2)")
    assert plan["canonical"] == "{ status = error } | rate() by(name) | topk(2)"
    assert plan["steps"] == ["Add up what was measured in all datasources.", "Of the series, keep topk(2)."]
    (there,), (here,) = (source["measurements"] for source in plan["sources"])
    assert (there["query"], there["hindrance"], there["why"]) == ("{ status = error } | rate() by(name)", None, None)
    assert there["steps"] == ["Ask it to measure { status = error } | rate() by(name), in 5 points of 1m each."]
    assert here["hindrance"] == "unsupported"
    assert here["pushed"] == "{ status = error }"
    assert here["steps"][0] == "Ask for the traces that match { status = error }, newest first, page by page."
    assert here["steps"][-1].startswith("Measure their spans here: { status = error } | rate() by(name), in 5 points")
    assert [one.asked.scans or one.asked.metrics for one in held(asker)] == [[], []], "explaining asks nobody"


@pytest.mark.parametrize(
    ("query", "hindrance"),
    [
        ("{ .a } >> { .b } | rate()", "several_spans"),
        ("{ } | compare({ status = error })", "comparison"),
        ('{ rootName = "x" } | rate()', "whole_trace"),
        ("{ } | rate() by (rootServiceName)", "whole_trace"),
        ("{ 1 + span.a > 2 } | rate()", "condition"),
    ],
)
async def test_a_plan_says_why_spans_are_read(asker: Asker, query: str, hindrance: str) -> None:
    asker.add("one", [])
    asker.add("two", [])
    for source in (await plan_of(asker, query))["sources"]:
        assert [one["hindrance"] for one in source["measurements"]] == [hindrance]


@pytest.mark.parametrize(
    "query", ["{ span.number > 2 } | avg_over_time(duration) by (name)", "{ name = .a } | rate()", "{ } | rate()"]
)
async def test_a_plan_shows_the_requests_that_will_be_sent(asker: Asker, query: str) -> None:
    asker.add("measures", [numbered(number) for number in range(5)])
    asker.add("lists", [numbered(number) for number in range(5, 9)], LISTS)
    plan = await plan_of(asker, query, exemplars=3)
    shown = [source["measurements"][0]["requests"] for source in plan["sources"]]
    await asker.measure(query, **MINUTES, exemplars=3)
    for adapter, (request,) in zip(held(asker), shown, strict=True):
        if adapter.asked.metrics:
            (sent,) = adapter.describe_metrics(adapter.asked.metrics[0]) or ()
        else:
            (sent,) = adapter.describe(adapter.asked.scans[0], whole=True)
        assert [(one["name"], one["value"]) for one in request["parameters"]] == list(sent.parameters)


async def test_each_function_of_a_ratio_has_its_own_plan(asker: Asker) -> None:
    asker.add("one", [])
    plan = await plan_of(asker, "({ status = error } | rate()) / ({ } | rate())")
    (source,) = plan["sources"]
    assert [one["query"] for one in source["measurements"]] == ["{ status = error } | rate()", "{} | rate()"]
    assert plan["steps"][1] == "Reckon ({ status = error } | rate()) / ({} | rate()) point by point."


async def test_what_no_span_can_match_is_asked_of_nobody(asker: Asker) -> None:
    asker.add("one", [])
    assert (await plan_of(asker, "{ false } | rate()"))["sources"][0]["measurements"] == []


async def test_the_filter_of_the_project_is_in_the_plan(asker: Asker) -> None:
    asker.add("one", [])
    asker.scope.trace_filter = TraceFilter("team", "red")
    plan = await plan_of(asker, "{ } | rate()")
    assert plan["scope"] == 'resource.team = "red" || span.team = "red"'
    assert 'team = "red"' in plan["sources"][0]["measurements"][0]["query"]


async def test_a_plan_says_what_hints_do(asker: Asker) -> None:
    hints = "with(exemplars=7, sample=0.1, most_recent=true, job_size=3)"
    measured = {one["hint"]: one["effect"] for one in (await plan_of(asker, f"{{ }} | rate() {hints}"))["hints"]}
    assert measured["exemplars=7"] == "At most 7 spans are shown as examples."
    assert measured["sample=0.1"] == "Without effect: nothing is sampled, every span is looked at."
    assert measured["most_recent=true"] == "Without effect: every span of the time range is measured."
    assert measured["job_size=3"].startswith("Without effect: this hint means nothing")
    none = await plan_of(asker, "{ } | rate() with(exemplars=false)")
    assert none["hints"][0]["effect"] == "No span is shown as an example."
    search = await asker.post("/search/explain", {"query": f"{{ }} {hints}"})
    found = {one["hint"]: one["effect"] for one in search["hints"]}
    assert found["most_recent=true"] == "Without effect: the newest traces come first in any case."
    assert found["exemplars=7"].startswith("Without effect")


async def test_a_query_that_finds_traces_is_no_metrics_query(asker: Asker) -> None:
    assert (await asker.post("/metrics/explain", {"query": "{ }", **MINUTES}, status=400))["title"]
