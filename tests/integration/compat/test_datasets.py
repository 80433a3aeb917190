"""Datasets through the published client, sync and async."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanApiError, ArcanNotFoundError

from tests.support.premises import Premises
from tests.support.served import Visitor

pytestmark = pytest.mark.postgres

COLUMNS = [{"name": "question", "type": "text"}, {"name": "points", "type": "number"}, {"name": "tags", "type": "json"}]
ROWS = [["what?", "3", '["a", "b"]'], ["why?", "20", ""], ["", "-1.5", "{}"]]


@pytest.fixture
def dataset(owner: Visitor, place: Premises) -> dict[str, Any]:
    body = {"name": f"Questions {uuid4().hex}", "description": "of people", "columns": COLUMNS}
    return owner.made(f"{place.in_project}/datasets", body)


def test_rows_are_added_and_read_as_texts(sdk: ArcaneClient, dataset: dict[str, Any]) -> None:
    added = [sdk.datasets.add_row(dataset["id"], values) for values in ROWS]
    assert [row["values"] for row in added] == ROWS
    found = sdk.datasets.get(dataset["id"], {"sortOrder": "asc"})
    assert found["header"] == ["question", "points", "tags"]
    assert found["data"] == added
    assert found["pagination"] == {
        "page": 1, "limit": 20, "total": 3, "totalPages": 1, "hasNextPage": False, "hasPreviousPage": False,
    }  # fmt: skip
    listed = {one["id"]: one for one in sdk.datasets.list()}
    assert listed[dataset["id"]]["description"] == "of people"


def test_all_rows_come_page_by_page(sdk: ArcaneClient, dataset: dict[str, Any]) -> None:
    added = [sdk.datasets.add_row(dataset["id"], [f"question {number}", str(number), ""]) for number in range(5)]
    assert list(sdk.datasets.list_rows_paginated(dataset["id"], page_size=2)) == added[::-1]
    by_points = sdk.datasets.get(dataset["id"], {"sortBy": "1", "sortOrder": "desc", "limit": 2, "page": 2})
    assert [row["values"][1] for row in by_points["data"]] == ["2", "1"]
    found = sdk.datasets.get(dataset["id"], {"search": "question 3"})
    assert [row["id"] for row in found["data"]] == [added[3]["id"]]


def test_what_does_not_fit_is_refused_with_a_sentence(sdk: ArcaneClient, dataset: dict[str, Any]) -> None:
    for values, sentence in ((["one"], "3 values"), (["a", "many", ""], "points"), (["a", "1", "{"], "tags")):
        with pytest.raises(ArcanApiError, match=sentence) as refused:
            sdk.datasets.add_row(dataset["id"], values)
        assert refused.value.status_code == 422 or refused.value.status_code == 400
    with pytest.raises(ArcanNotFoundError):
        sdk.datasets.get("nothing")
    with pytest.raises(ArcanNotFoundError):
        sdk.datasets.get(str(uuid4()))
    with pytest.raises(ArcanApiError, match="sortBy"):
        sdk.datasets.get(dataset["id"], {"sortBy": "9"})
    assert sdk.datasets.get(dataset["id"])["pagination"]["total"] == 0


def test_a_key_that_reads_adds_nothing(reader: ArcaneClient, dataset: dict[str, Any]) -> None:
    assert reader.datasets.get(dataset["id"])["data"] == []
    with pytest.raises(ArcanApiError, match="permission") as refused:
        reader.datasets.add_row(dataset["id"], ROWS[0])
    assert refused.value.status_code == 403


@pytest.mark.anyio
async def test_the_async_client_says_the_same(
    sdk: ArcaneClient, asking: ArcaneClientAsync, dataset: dict[str, Any]
) -> None:
    added = await asking.datasets.add_row(dataset["id"], ROWS[0])
    assert await asking.datasets.get(dataset["id"]) == sdk.datasets.get(dataset["id"])
    assert await asking.datasets.list() == sdk.datasets.list()
    assert [row async for row in asking.datasets.list_rows_paginated(dataset["id"], page_size=1)] == [added]
