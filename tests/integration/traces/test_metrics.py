"""Metrics over HTTP: steps, several datasources, scope, what is hidden, what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from arcane.access.scope import TraceFilter
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities
from arcane.spi.errors import Unreachable, Unsupported
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import Asker, asking, numbered, without

pytestmark = pytest.mark.anyio

DOWN = Faults(scan=Unreachable("No connection to the backend."), metrics=Unreachable("No connection to the backend."))
LISTS = without(EVERYTHING, metrics=())
MINUTES = {"start": "2026-08-01T11:56:00Z", "end": "2026-08-01T12:00:00Z", "step": "1m"}


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking(LimitSettings(metrics_settle_s=0)) as made:
        yield made


def values(answer: dict[str, Any]) -> dict[tuple[Any, ...], list[float | None]]:
    return {tuple(label["value"] for label in one["labels"]): one["values"] for one in answer["series"]}


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in answer["sources"]}


@pytest.mark.parametrize("can", [EVERYTHING, LISTS], ids=["measured there", "read"])
async def test_spans_of_all_datasources_are_counted(asker: Asker, can: Capabilities) -> None:
    asker.add("odd", [numbered(number) for number in range(1, 120, 2)], can)
    asker.add("even", [numbered(number) for number in range(0, 120, 2)], can)
    answer = await asker.measure("{ } | count_over_time() by (resource.service.name)", **MINUTES)
    assert answer["steps"] == {"first": "2026-08-01T11:56:00.000000000Z", "width_ns": 60_000_000_000, "count": 5}
    # A span that starts on the minute belongs to the minute that ends with it.
    assert values(answer) == {("service-0",): [0, 0, 0, 60, 60], ("service-1",): [0, 0, 1, 60, 59]}
    assert answer["complete"] is True
    assert answer["unit"] == "spans"
    assert {source["status"] for source in answer["sources"]} == {"ok"}


async def test_an_answer_says_who_measured_and_what_was_read(asker: Asker) -> None:
    asker.add("measures", [numbered(0)])
    asker.add("lists", [numbered(1)], LISTS)
    answer = await asker.measure("{ status = error } | rate()", **MINUTES)
    measures, lists = by_name(answer)["measures"], by_name(answer)["lists"]
    assert (measures["pushed"], measures["residual"]) == ("{ status = error } | rate()", None)
    assert (lists["pushed"], lists["residual"]) == ("{ status = error }", "{ status = error } | rate()")
    assert any("counts once for each of them" in warning for warning in measures["warnings"])
    assert measures["status"] == "ok"


async def test_a_rate_is_per_second_and_a_duration_in_seconds(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(30)])
    rate = await asker.measure("{ } | rate()", **MINUTES)
    assert rate["unit"] == "per_second"
    assert values(rate)["rate",][-1] == pytest.approx(1.0)
    longest = await asker.measure("{ } | max_over_time(duration)", **MINUTES)
    assert longest["unit"] == "seconds"
    assert values(longest)["max_over_time",] == [None, None, None, None, pytest.approx(0.001)]


async def test_a_share_is_made_of_two_measurements(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(30)])
    answer = await asker.measure("({ status = error } | rate()) / ({ } | rate())", **MINUTES)
    assert values(answer)["(rate / rate)",] == [None, None, None, None, 0.5]
    assert answer["unit"] == "none"


async def test_an_instant_is_one_point_of_the_whole_range(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(90)])
    answer = await asker.measure("{ } | count_over_time()", instant=True, **MINUTES)
    assert values(answer) == {("count_over_time",): [180]}
    assert answer["steps"]["count"] == 1


async def test_an_exemplar_names_a_span(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    answer = await asker.measure("{ status = error } | max_over_time(duration)", exemplars=5, **MINUTES)
    (exemplar,) = answer["series"][0]["exemplars"]
    assert exemplar == {
        "time": "2026-08-01T11:59:59.000001000Z",
        "value": 0.001,
        "trace_id": numbered(0).trace_id,
        "span_id": "0000000100000002",
    }
    assert not (await asker.measure("{ } | rate() with(exemplars=false)", exemplars=5, **MINUTES))["series"][0][
        "exemplars"
    ]


async def test_a_step_that_is_left_out_fits_the_range(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    hour = await asker.measure("{ } | rate()")
    assert hour["steps"]["width_ns"] == 30_000_000_000
    month = await asker.measure("{ } | rate()", start="2026-07-01T00:00:00Z")
    assert month["steps"]["count"] <= 122


async def test_a_bucket_that_is_not_over_is_left_out(asker: Asker) -> None:
    asker.add("store", [numbered(0, seconds_ago=-30), numbered(1)])
    answer = await asker.measure("{ } | count_over_time()", **MINUTES | {"end": "2026-08-01T12:05:00Z"})
    assert answer["steps"]["count"] == 5
    assert values(answer)["count_over_time",][-1] == 2


async def test_what_may_still_arrive_is_left_out() -> None:
    async with asking(LimitSettings(metrics_settle_s=90)) as asker:
        asker.add("store", [numbered(number) for number in range(240)])
        answer = await asker.measure("{ } | count_over_time()", **MINUTES)
        assert answer["steps"]["count"] == 3, "the points of 11:59 and 12:00 are not settled"
        instant = await asker.measure("{ } | count_over_time()", instant=True, **MINUTES)
        assert values(instant) == {("count_over_time",): [300]}


async def test_a_project_sees_its_own_spans_only(asker: Asker) -> None:
    asker.add("store", [numbered(0, team="a"), numbered(1, team="b", spans=5)])
    asker.scope.trace_filter = TraceFilter("team", "a")
    for query in ("{ } | count_over_time()", "{ } >> { } | count_over_time()", "{ } | by(name) | count_over_time()"):
        found = await asker.measure(query, instant=True, **MINUTES)
        assert found["series"][0]["values"] == [1 if ">>" in query else 2], query


@pytest.mark.parametrize(
    "query",
    [
        "{ } | rate() by (span.secret)",
        "{ } | sum_over_time(span.secret)",
        '{ span.secret = "x" } | rate()',
        '{ } | compare({ span.secret = "x" })',
        "({ } | rate()) / ({ span.secret > 1 } | rate())",
        "{ } | by(span.secret) | rate()",
    ],
)
async def test_what_is_hidden_cannot_be_asked_about(asker: Asker, query: str) -> None:
    asker.add("store", [numbered(0, secret="canary")])
    asker.scope.hidden = frozenset({"secret"})
    assert (await asker.measure(query, status=403))["type"] == "/problems/hidden-attribute"


async def test_a_comparison_leaves_out_what_is_hidden(asker: Asker) -> None:
    asker.add("store", [numbered(0, secret="canary", open="sesame")])
    asker.scope.hidden = frozenset({"secret"})
    answer = await asker.measure("{ } | compare({ status = error })", **MINUTES)
    assert "canary" not in str(answer)
    assert "secret" not in str(answer)
    assert "sesame" in str(answer)


async def test_a_datasource_that_is_down_costs_its_own_spans(asker: Asker) -> None:
    asker.add("up", [numbered(0)])
    asker.add("down", [numbered(1)], faults=DOWN)
    answer = await asker.measure("{ } | count_over_time()", **MINUTES)
    assert answer["complete"] is False
    assert by_name(answer)["down"]["status"] == "failed"
    assert values(answer)["count_over_time",][-1] == 2


async def test_half_a_share_is_no_share(asker: Asker) -> None:
    """The errors could be counted there, and all spans could not: the datasource takes no part."""
    count_only_errors = without(LISTS, push=EVERYTHING.push)
    asker.shelf.put("breaks", BreaksAtTheSecond([numbered(number) for number in range(9)], count_only_errors))
    asker.add("works", [numbered(number) for number in range(20, 30)], LISTS)
    answer = await asker.measure("({ status = error } | rate()) / ({ } | rate())", **MINUTES)
    assert by_name(answer)["breaks"]["status"] == "failed"
    assert values(answer)["(rate / rate)",][-1] == 0.5


class BreaksAtTheSecond(MemoryAdapter):
    """Answers one scan, and is gone."""

    def scan(self, request: Any, deadline: Any) -> Any:
        if self.asked.scans:
            raise Unreachable("No connection to the backend.")
        return super().scan(request, deadline)


async def test_when_every_datasource_is_down_there_is_no_answer(asker: Asker) -> None:
    asker.add("down", [numbered(0)], faults=DOWN)
    problem = await asker.measure("{ } | rate()", status=502)
    assert problem["type"] == "/problems/all-datasources-failed"
    assert problem["sources"][0]["name"] == "down"


async def test_what_a_datasource_cannot_measure_after_all_is_read(asker: Asker) -> None:
    asker.add("store", [numbered(0)], faults=Faults(metrics=Unsupported()))
    answer = await asker.measure("{ } | count_over_time()", **MINUTES)
    assert values(answer)["count_over_time",][-1] == 2
    assert answer["complete"] is True


async def test_a_bound_is_told_with_the_time_down_to_which_it_counted() -> None:
    async with asking(LimitSettings(metrics_traces_max=200, metrics_settle_s=0)) as asker:
        asker.add("store", [numbered(number) for number in range(500)], LISTS)
        answer = await asker.measure("{ } | count_over_time()", start="2026-08-01T11:00:00Z", step="10m")
    (source,) = answer["sources"]
    assert source["status"] == "approximate"
    assert "Stopped after reading 200 traces: what began before 2026-08-01T11:56:40Z" in source["warnings"][0]
    assert answer["complete"] is False


async def test_more_series_than_fit_are_told() -> None:
    async with asking(LimitSettings(metrics_series_max=3, metrics_settle_s=0)) as asker:
        asker.add("store", [numbered(number) for number in range(9)])
        answer = await asker.measure("{ } | rate() by (span.number)", **MINUTES)
    assert len(answer["series"]) == 3
    assert "group by less" in answer["warnings"][0]
    assert answer["complete"] is False


async def test_a_hint_that_has_no_effect_is_told(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    answer = await asker.measure("{ } | rate() with(sample=0.1)", **MINUTES)
    assert answer["warnings"] == ["with(sample) has no effect: every span is counted."]
    assert answer["complete"] is True


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"query": "{ }"}, 400, "bad-query"),
        ({"query": ""}, 400, "bad-query"),
        ({"query": "{ } | rate() by ("}, 400, "bad-query"),
        ({"query": "{ } | max_over_time(name)"}, 400, "bad-query"),
        ({"query": "{ } | rate()", "step": "1ms"}, 400, "step-too-small"),
        ({"query": "{ } | rate()", "step": "soon"}, 422, "malformed-input"),
        ({"query": "{ } | rate()", "step": "10ns"}, 422, "malformed-input"),
        ({"query": "{ } | rate()", "step": 5}, 422, "malformed-input"),
        ({"query": "{ } | rate()", "exemplars": -1}, 422, "malformed-input"),
        ({"query": "{ } | rate()", "end": "2020-01-01T00:00:00Z", "start": "2021-01-01T00:00:00Z"}, 400, None),
        ({"query": "{ } | rate()", "datasources": ["nonsense"]}, 404, "unknown-datasource"),
    ],
)
async def test_a_question_that_cannot_be_asked_has_its_own_problem(
    asker: Asker, body: Any, status: int, slug: str | None
) -> None:
    asker.add("store", [numbered(0)])
    problem = await asker.post("/metrics", body, status)
    assert problem["type"] == f"/problems/{slug or 'reversed-time-range'}"


async def test_a_step_that_is_too_small_says_which_is_not(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    problem = await asker.measure("{ } | rate()", status=400, start="2026-07-01T00:00:00Z", step="1s")
    again = await asker.measure("{ } | rate()", start="2026-07-01T00:00:00Z", step=problem["minimum_step"])
    assert again["steps"]["count"] <= problem["maximum"]


async def test_more_attributes_than_are_compared_are_told_as_such(asker: Asker) -> None:
    asker.add("store", [numbered(0, **{f"attribute-{number}": 1 for number in range(600)})])
    answer = await asker.measure("{ } | compare({ status = error })", **MINUTES)
    assert answer["warnings"] == ["Spans have more attributes than the 500 that are compared; some are left out."]
    assert answer["complete"] is False
