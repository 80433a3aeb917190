"""Experiments through the published client, sync and async."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanApiError, ArcanNotFoundError, ArcanUnauthorizedError

from tests.support.premises import Premises
from tests.support.served import Visitor

pytestmark = pytest.mark.postgres

COLUMNS = [{"name": "question", "type": "text"}, {"name": "points", "type": "number"}]
ROWS = [["1+1", "1"], ["2+2", "2"], ["3+3", "3"]]
EXPERIMENT = {
    "id", "projectId", "name", "description", "promptVersionId", "datasetId", "promptInputMappings", "createdAt",
    "updatedAt",
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(owner: Visitor, place: Premises, sdk: ArcaneClient) -> str:
    made: str = owner.made(f"{place.in_project}/datasets", {"name": "Sums", "columns": COLUMNS})["id"]
    for row in ROWS:
        sdk.datasets.add_row(made, row)
    return made


@pytest.fixture(scope="module")
def version(owner: Visitor, place: Premises) -> str:
    said = {
        "messages": [{"role": "user", "text": "{{sum}} for {{points}}?"}],
        "model_configuration_id": place.configuration_id,
    }
    made = owner.made(f"{place.in_project}/prompts", {"name": f"Sum {uuid4().hex}", "version": said})
    found: str = made["version"]["id"]
    return found


def _own(dataset: str, **more: Any) -> dict[str, Any]:
    return {"name": "By hand", "datasetId": dataset, **more}


def test_an_experiment_goes_its_whole_way(sdk: ArcaneClient, place: Premises, dataset: str, version: str) -> None:
    body = {"promptVersionId": version, "description": "v1", "promptInputMappings": {"question": "sum"}}
    made = sdk.experiments.create(_own(dataset, **body))
    assert set(made) == EXPERIMENT
    assert made["promptInputMappings"] == {"question": "sum", "points": "points"}
    assert (made["projectId"], made["promptVersionId"], made["description"]) == (place.project_id, version, "v1")
    results = sdk.experiments.get(made["id"])["results"]
    assert [(one["result"], one["status"]) for one in results] == [(None, "PENDING")] * 3
    told = [
        sdk.experiments.create_result(made["id"], {"datasetRowId": one["datasetRowId"], "result": f"It is {number}"})
        for number, one in enumerate(results)
    ]
    assert told == sdk.experiments.get(made["id"])["results"]
    assert {one["status"] for one in told} == {"DONE"}
    (ended,) = (one for one in sdk.experiments.list() if one["id"] == made["id"])
    assert ended == {**made, "updatedAt": ended["updatedAt"]}
    assert ended["updatedAt"] > made["updatedAt"], "with its last row it is done, though no worker came"


def test_results_come_in_pages_with_their_rows(sdk: ArcaneClient, dataset: str) -> None:
    made = sdk.experiments.create(_own(dataset))
    rows = [one["datasetRowId"] for one in sdk.experiments.get(made["id"])["results"]]
    for row, answer in zip(rows, ("b", "c", "a"), strict=True):
        sdk.experiments.create_result(made["id"], {"datasetRowId": row, "result": answer})
    found = sdk.experiments.list_results(made["id"], {"page": 2, "limit": 2, "sortOrder": "asc"})
    assert found["pagination"] == {
        "page": 2, "limit": 2, "total": 3, "totalPages": 2, "hasNextPage": False, "hasPreviousPage": True,
    }  # fmt: skip
    (last,) = found["data"]
    assert last["datasetRow"] == {"id": rows[2], "values": ["3+3", "3"]}
    assert {"experimentResult", "experimentResultId", "createdAt"} < set(last)
    by_answer = sdk.experiments.list_results(made["id"], {"sortBy": "result", "sortOrder": "asc"})["data"]
    assert [one["experimentResult"] for one in by_answer] == ["a", "b", "c"]
    (one,) = sdk.experiments.list_results(made["id"], {"search": "C"})["data"]
    assert one["datasetRow"]["values"] == ["2+2", "2"]
    all_of_them = list(sdk.experiments.list_results_paginated(made["id"], page_size=2))
    assert [one["experimentResult"] for one in all_of_them] == ["a", "c", "b"]


def test_what_does_not_fit_is_refused_with_a_sentence(sdk: ArcaneClient, dataset: str, version: str) -> None:
    twice = {"question": "sum", "points": "sum"}
    for body, sentence in (
        ({"name": "x"}, "declared shape"),
        (_own(dataset, unknown=1), "declared shape"),
        (_own(dataset, promptVersionId=version, promptInputMappings={"question": "total"}), "no variable total"),
        (_own(dataset, promptVersionId=version, promptInputMappings=twice), "two columns"),
    ):
        with pytest.raises(ArcanApiError, match=sentence) as refused:
            sdk.experiments.create(body)
        assert refused.value.status_code == 422
    made = sdk.experiments.create(_own(dataset))
    with pytest.raises(ArcanApiError, match="sortBy"):
        sdk.experiments.list_results(made["id"], {"sortBy": "colour"})
    with pytest.raises(ArcanNotFoundError, match="row"):
        sdk.experiments.create_result(made["id"], {"datasetRowId": str(uuid4()), "result": "x"})


def test_nobody_sees_what_is_anothers(
    sdk: ArcaneClient, reader: ArcaneClient, nobody: ArcaneClient, strangers: Premises, dataset: str, version: str
) -> None:
    result = {"datasetRowId": strangers.row_id, "result": "x"}
    for theirs in (strangers.experiment_id, str(uuid4()), "nothing"):
        for ask in (sdk.experiments.get, sdk.experiments.list_results):
            with pytest.raises(ArcanNotFoundError, match="no such experiment"):
                ask(theirs)
        with pytest.raises(ArcanNotFoundError, match="no such experiment"):
            sdk.experiments.create_result(theirs, result)
    assert strangers.experiment_id not in {one["id"] for one in sdk.experiments.list()}
    for body in (_own(strangers.dataset_id), _own(dataset, promptVersionId=str(uuid4()))):
        with pytest.raises(ArcanNotFoundError):
            sdk.experiments.create(body)
    (mine, *_) = reader.experiments.list()
    with pytest.raises(ArcanApiError, match="permission") as refused:
        reader.experiments.create(_own(dataset))
    assert refused.value.status_code == 403
    with pytest.raises(ArcanApiError, match="permission"):
        reader.experiments.create_result(mine["id"], result)
    with pytest.raises(ArcanUnauthorizedError):
        nobody.experiments.list()


@pytest.mark.anyio
async def test_the_async_client_says_the_same(sdk: ArcaneClient, asking: ArcaneClientAsync, dataset: str) -> None:
    made = await asking.experiments.create(_own(dataset))
    (first, *_) = (await asking.experiments.get(made["id"]))["results"]
    result = {"datasetRowId": first["datasetRowId"], "result": "2"}
    assert (await asking.experiments.create_result(made["id"], result))["result"] == "2"
    assert await asking.experiments.get(made["id"]) == sdk.experiments.get(made["id"])
    assert await asking.experiments.list() == sdk.experiments.list()
    assert await asking.experiments.list_results(made["id"]) == sdk.experiments.list_results(made["id"])
    found = [one async for one in asking.experiments.list_results_paginated(made["id"], page_size=2)]
    assert found == list(sdk.experiments.list_results_paginated(made["id"]))
