"""What a list says of a trace that several datasources may hold: of all of it, or of a part, and then it says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from arcane.spi.errors import Unreachable
from datasources.memory.adapter import Faults
from tests.support.asking import Asker, asking, numbered, part_of

pytestmark = pytest.mark.anyio

TRACE = numbered(1, spans=4)
ROOT_ONLY, CHILD_ONLY = '{ name = "GET /" }', '{ name = "step 1" }'


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


def split(asker: Asker, **faults: Faults) -> None:
    for name, root in (("front", True), ("back", False)):
        asker.add(name, [part_of(TRACE, root=root)], faults=faults.get(name, Faults()))


async def counts(asker: Asker, query: str) -> tuple[int, bool]:
    (item,) = (await asker.search(query))["items"]
    return item["span_count"], item["whole"]


async def test_of_one_datasource_it_is_the_whole_trace(asker: Asker) -> None:
    asker.add("one", [TRACE])
    assert await counts(asker, "{ }") == (4, True)


async def test_where_all_have_found_it_counts_are_of_the_whole_trace(asker: Asker) -> None:
    split(asker)
    assert await counts(asker, "{ }") == (4, True)


async def test_where_one_has_found_it_counts_are_of_its_part_and_that_is_said(asker: Asker) -> None:
    split(asker)
    assert await counts(asker, ROOT_ONLY) == (1, False)


async def test_a_trace_without_its_root_is_looked_up_everywhere(asker: Asker) -> None:
    split(asker)
    assert await counts(asker, CHILD_ONLY) == (4, True)


async def test_where_it_could_not_be_looked_up_it_is_not_said_to_be_whole(asker: Asker) -> None:
    split(asker, front=Faults(get_trace=Unreachable("No connection to the backend.")))
    assert await counts(asker, CHILD_ONLY) == (3, False)


async def test_a_query_about_whole_traces_is_answered_of_whole_traces(asker: Asker) -> None:
    split(asker)
    assert await counts(asker, "{ traceDuration > 0 }") == (4, True)


@pytest.mark.parametrize("order", ["arrival", "newest"])
async def test_a_stream_says_it_as_well(asker: Asker, order: str) -> None:
    split(asker)
    answer = await asker.client.post(f"{asker.root}/search/stream", json={"query": ROOT_ONLY, "order": order})
    hits = [event["hit"] for event in map(json.loads, answer.text.splitlines()) if event["event"] == "hit"]
    assert [(one["span_count"], one["whole"]) for one in hits] == [(1, False)]
