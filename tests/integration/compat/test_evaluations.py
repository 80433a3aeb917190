"""Evaluations through the published client, sync and async; what only the async one can, through that."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anyio
import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanApiError, ArcanNotFoundError, ArcanUnauthorizedError

from arcane.kit.actor import Tenant
from arcane.kit.database import Database
from arcane.scores.repository import ScorerRepository
from tests.support.premises import Premises
from tests.support.served import Served, Visitor
from worker.scoring.registry import Registry

pytestmark = pytest.mark.postgres

EXACT_MATCH = "ceeaa1d8-58d0-4bde-9bb6-b9380163b706"
FAITHFULNESS = "ea8c28c7-18c1-40c7-bdf6-b834eddb5be1"
EVALUATION = {
    "id", "projectId", "evaluationType", "evaluationScope", "name", "description", "datasetId", "metadata",
    "scoreMappings", "ragasModelConfigurationId", "scores", "experiments", "createdAt", "updatedAt",
}  # fmt: skip
SCORE_RESULT = {"id", "scoreId", "value", "reasoning", "status", "datasetRowId", "experimentResultId"}


@pytest.fixture(scope="module", autouse=True)
def announced(served: Served) -> None:
    """A worker announced its scorers, and is gone."""

    async def keep() -> None:
        database = Database.connect(served.stored.app_url, pool_size=1)
        async with database.transaction(Tenant(instance=True)) as session:
            await ScorerRepository(session).keep(Registry.load().announced(), 100)
        await database.aclose()

    anyio.run(keep)


@pytest.fixture(scope="module")
def dataset(owner: Visitor, place: Premises, sdk: ArcaneClient) -> str:
    columns = [{"name": "question"}, {"name": "answer"}]
    made: str = owner.made(f"{place.in_project}/datasets", {"name": "Sums", "columns": columns})["id"]
    for row in (["1+1", "2"], ["2+2", "4"], ["3+3", "6"]):
        sdk.datasets.add_row(made, row)
    return made


@pytest.fixture(scope="module")
def mood(owner: Visitor, place: Premises) -> str:
    labels = [{"label": "sad", "value": 0}, {"label": "glad", "value": 1}]
    body = {"name": "Mood", "description": "of the answer", "scale": "nominal", "labels": labels}
    made: str = owner.made(f"{place.in_project}/scores", body)["id"]
    return made


@pytest.fixture(scope="module")
def experiment(sdk: ArcaneClient, dataset: str) -> str:
    made: str = sdk.experiments.create({"name": "By hand", "datasetId": dataset})["id"]
    for one in sdk.experiments.get(made)["results"]:
        sdk.experiments.create_result(made, {"datasetRowId": one["datasetRowId"], "result": "2"})
    return made


def _over(score: str, *, dataset: str = "", experiments: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    what = {"evaluationScope": "EXPERIMENT", "experimentIds": list(experiments)}
    if dataset:
        what = {"evaluationScope": "DATASET", "datasetId": dataset}
    return {"name": "Moods", "evaluationType": "MANUAL", "scoreIds": [score], **what, **more}


def test_people_judge_a_dataset(sdk: ArcaneClient, place: Premises, dataset: str, mood: str) -> None:
    made = sdk.evaluations.create(_over(mood, dataset=dataset, description="by us", metadata={"build": {"n": 1}}))
    assert set(made) == EVALUATION
    assert (made["projectId"], made["datasetId"], made["metadata"]) == (place.project_id, dataset, {"build": {"n": 1}})
    (score,) = made["scores"]
    assert (score["id"], score["description"], score["scoringType"]) == (mood, "of the answer", "NOMINAL")
    assert made == sdk.evaluations.get(made["id"])
    assert made in sdk.evaluations.list()
    row = sdk.datasets.get(dataset)["data"][0]
    said = {"scoreId": mood, "value": 1, "reasoning": "it sings"}
    result = sdk.evaluations.create_result(made["id"], {"datasetRowId": row["id"], "scoreResults": [said]})
    assert result["datasetRow"] == row
    assert (result["experimentResult"], result["experimentResultId"]) == (None, None)
    (given,) = result["scoreResults"]
    assert set(given) >= SCORE_RESULT
    assert (given["value"], given["label"], given["status"], given["reasoning"]) == (1.0, "glad", "DONE", "it sings")


def test_scorers_judge_experiments(sdk: ArcaneClient, place: Premises, experiment: str, mood: str) -> None:
    mapping = {EXACT_MATCH: {"reference": "answer", "response": "experiment_result"}}
    body = _over(EXACT_MATCH, experiments=(experiment,), evaluationType="AUTOMATIC", scoreMappings=mapping)
    body = {**body, "scoreIds": [EXACT_MATCH, mood], "ragasModelConfigurationId": place.configuration_id}
    made = sdk.evaluations.create(body)
    assert made["scoreMappings"] == mapping
    assert made["ragasModelConfigurationId"] == place.configuration_id
    assert [one["scoringType"] for one in made["scores"]] == ["RAGAS", "NOMINAL"]
    (shown,) = made["experiments"]
    assert (shown["id"], shown["promptVersionId"]) == (experiment, None)
    assert shown["datasetId"] == sdk.experiments.get(experiment)["datasetId"]
    assert made["datasetId"] is None
    result = sdk.experiments.get(experiment)["results"][0]
    sdk.evaluations.create_result(
        made["id"],
        {
            "experimentResultId": result["id"],
            "scoreResults": [{"scoreId": mood, "value": 0}, {"scoreId": EXACT_MATCH, "value": 1}],
        },
    )
    found = sdk.evaluations.get_experiment_scores(made["id"], experiment)
    assert (found["experimentId"], found["evaluationId"], found["totalCount"]) == (experiment, made["id"], 6)
    about = [one for one in found["scoreResults"] if one["experimentResultId"] == result["id"]]
    assert [(one["scoreId"], one["value"], one["status"]) for one in about] == [
        (EXACT_MATCH, 1.0, "DONE"),
        (mood, 0.0, "DONE"),
    ]


def test_a_model_is_asked_where_a_score_names_none(sdk: ArcaneClient, place: Premises, dataset: str) -> None:
    names = {"user_input": "question", "response": "answer", "retrieved_contexts": "answer"}
    body = _over(FAITHFULNESS, dataset=dataset, evaluationType="AUTOMATIC", scoreMappings={FAITHFULNESS: names})
    with pytest.raises(ArcanApiError, match="asks a model") as none:
        sdk.evaluations.create(body)
    assert none.value.status_code == 409
    made = sdk.evaluations.create({**body, "ragasModelConfigurationId": place.configuration_id})
    assert made["scoreMappings"] == {FAITHFULNESS: names}


@pytest.mark.anyio
async def test_what_is_pending_is_listed_and_imported(
    asking: ArcaneClientAsync, dataset: str, experiment: str, mood: str
) -> None:
    evaluations = asking.evaluations
    made = (await evaluations.create(_over(mood, dataset=dataset)))["id"]
    first = await evaluations.list_pending_score_results(made, mood, limit=2)
    assert [set(one) >= SCORE_RESULT for one in first["data"]] == [True, True]
    assert first["pagination"] == {
        "page": 1, "limit": 2, "total": 3, "totalPages": 2, "hasNextPage": True, "hasPreviousPage": False,
    }  # fmt: skip
    pending = [one async for one in evaluations.list_pending_score_results_iterator(made, mood, limit=2)]
    assert [one["status"] for one in pending] == ["PENDING"] * 3
    values = [{"datasetRowId": one["datasetRowId"], "value": 1, "reasoning": "r"} for one in pending[1:]]
    assert await evaluations.import_score_results(made, mood, values) == {"importedCount": 2}
    assert (await evaluations.list_pending_score_results(made, mood))["data"] == pending[:1]
    over = (await evaluations.create(_over(mood, experiments=(experiment,))))["id"]
    with pytest.raises(ArcanApiError, match="experimentId") as needed:
        await evaluations.list_pending_score_results(over, mood)
    assert needed.value.status_code == 422
    with pytest.raises(ArcanApiError, match="leave experimentId out"):
        await evaluations.list_pending_score_results(made, mood, experiment_id=experiment)
    pages = evaluations.list_pending_score_results_iterator(over, mood, experiment_id=experiment)
    answers = [{"experimentResultId": one["experimentResultId"], "value": 0} async for one in pages]
    assert await evaluations.import_score_results(over, mood, answers) == {"importedCount": 3}


@pytest.mark.anyio
async def test_the_async_client_says_the_same(
    sdk: ArcaneClient, asking: ArcaneClientAsync, experiment: str, mood: str
) -> None:
    made = await asking.evaluations.create(_over(mood, experiments=(experiment,)))
    result = sdk.experiments.get(experiment)["results"][0]["id"]
    said = {"experimentResultId": result, "scoreResults": [{"scoreId": mood, "value": 1}]}
    given = await asking.evaluations.create_result(made["id"], said)
    assert (given["experimentResult"], given["scoreResults"][0]["value"]) == ("2", 1.0)
    assert await asking.evaluations.get(made["id"]) == sdk.evaluations.get(made["id"]) == made
    assert await asking.evaluations.list() == sdk.evaluations.list()
    scores = await asking.evaluations.get_experiment_scores(made["id"], experiment)
    assert scores == sdk.evaluations.get_experiment_scores(made["id"], experiment)


@pytest.mark.anyio
async def test_what_does_not_fit_is_refused_whole(
    sdk: ArcaneClient, asking: ArcaneClientAsync, dataset: str, mood: str
) -> None:
    made = sdk.evaluations.create(_over(mood, dataset=dataset))["id"]
    rows = [one["id"] for one in sdk.datasets.get(dataset)["data"]]
    for body, sentence in (
        ({"name": "x"}, "declared shape"),
        (_over(mood, dataset=dataset, experimentIds=[str(uuid4())]), "no such experiment|does not go"),
        (_over(mood, dataset=dataset, evaluationType="DAILY"), "declared shape"),
        (_over(mood, dataset=dataset, evaluationScope="EXPERIMENT"), "experiment_ids is needed"),
        (_over(EXACT_MATCH, dataset=dataset, evaluationType="AUTOMATIC"), "say where it comes from"),
    ):
        with pytest.raises(ArcanApiError, match=sentence) as refused:
            sdk.evaluations.create(body)
        assert refused.value.status_code in (404, 422)
    both = {"datasetRowId": rows[0], "experimentResultId": rows[0]}
    twice = [{"scoreId": mood, "value": 1}] * 2
    for about, values in ((both, twice[:1]), ({}, twice[:1]), ({"datasetRowId": rows[0]}, twice)):
        with pytest.raises(ArcanApiError):
            sdk.evaluations.create_result(made, {**about, "scoreResults": values})
    with pytest.raises(ArcanApiError, match="one of sad, glad") as value:
        await asking.evaluations.import_score_results(
            made, mood, [{"datasetRowId": rows[0], "value": 1}, {"datasetRowId": rows[1], "value": 7}]
        )
    assert value.value.status_code == 422
    with pytest.raises(ArcanNotFoundError):
        await asking.evaluations.import_score_results(made, mood, [{"datasetRowId": str(uuid4()), "value": 1}])
    with pytest.raises(ArcanNotFoundError, match="no such score"):
        await asking.evaluations.list_pending_score_results(made, str(uuid4()))
    assert (await asking.evaluations.list_pending_score_results(made, mood))["pagination"]["total"] == 3


@pytest.mark.anyio
async def test_nobody_sees_what_is_anothers(
    sdk: ArcaneClient, asking: ArcaneClientAsync, reader: ArcaneClient, nobody: ArcaneClient, strangers: Premises,
    dataset: str, mood: str,
) -> None:  # fmt: skip
    said = {"experimentResultId": strangers.result_id, "scoreResults": [{"scoreId": strangers.score_id, "value": 1}]}
    theirs = strangers.score_id
    for evaluation in (strangers.evaluation_id, str(uuid4()), "nothing"):
        with pytest.raises(ArcanNotFoundError, match="no such evaluation"):
            sdk.evaluations.get(evaluation)
        with pytest.raises(ArcanNotFoundError, match="no such evaluation"):
            sdk.evaluations.get_experiment_scores(evaluation, strangers.experiment_id)
        with pytest.raises(ArcanNotFoundError, match="no such evaluation"):
            sdk.evaluations.create_result(evaluation, said)
        with pytest.raises(ArcanNotFoundError, match="no such evaluation"):
            await asking.evaluations.list_pending_score_results(evaluation, theirs)
        with pytest.raises(ArcanNotFoundError, match="no such evaluation"):
            await asking.evaluations.import_score_results(evaluation, theirs, [{"datasetRowId": theirs, "value": 1}])
    assert strangers.evaluation_id not in {one["id"] for one in sdk.evaluations.list()}
    for body in (
        _over(theirs, dataset=dataset),
        _over(mood, dataset=strangers.dataset_id),
        _over(mood, experiments=(strangers.experiment_id,)),
        _over(mood, dataset=dataset, ragasModelConfigurationId=strangers.configuration_id),
    ):
        with pytest.raises(ArcanNotFoundError):
            sdk.evaluations.create(body)
    mine = sdk.evaluations.create(_over(mood, dataset=dataset))["id"]
    with pytest.raises(ArcanNotFoundError, match="no such experiment"):
        sdk.evaluations.get_experiment_scores(mine, strangers.experiment_id)
    assert reader.evaluations.get(mine)["id"] == mine
    for ask, given in ((reader.evaluations.create, (_over(mood, dataset=dataset),)),
                       (reader.evaluations.create_result, (mine, said))):  # fmt: skip
        with pytest.raises(ArcanApiError, match="permission") as refused:
            ask(*given)
        assert refused.value.status_code == 403
    with pytest.raises(ArcanUnauthorizedError):
        nobody.evaluations.list()
