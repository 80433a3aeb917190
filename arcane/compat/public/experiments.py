"""Experiments for the published clients, in the shapes of the original product."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from arcane.access.permissions import EXPERIMENTS_CREATE, EXPERIMENTS_READ, EXPERIMENTS_UPDATE
from arcane.compat.public.answering import PublicRoute
from arcane.compat.public.ids import id_of
from arcane.compat.public.paging import Numbered, pagination
from arcane.compat.public.streaming import every, listed, listed_in
from arcane.datasets.columns import columns_of, written
from arcane.experiments.problems import BadMapping, UnknownExperiment
from arcane.experiments.schemas import Description, Name
from arcane.experiments.wiring import experiments_of, results_of
from arcane.experiments.words import Draft, ExperimentView, Reported, ResultsRequest, ResultView, Sort, Status
from arcane.kit.actor import Actor
from arcane.kit.guard import key_again_of, key_requires
from arcane.kit.http import json_response
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import MalformedInput
from arcane.kit.schema import Schema

router = APIRouter(prefix="/experiments", route_class=PublicRoute, include_in_schema=False)

Reader = Annotated[Actor, key_requires(EXPERIMENTS_READ)]
Creator = Annotated[Actor, key_requires(EXPERIMENTS_CREATE)]
Reporter = Annotated[Actor, key_requires(EXPERIMENTS_UPDATE)]

STATUSES: Final[Mapping[Status, str]] = {
    Status.PENDING: "PENDING",
    Status.RUNNING: "PENDING",
    Status.DONE: "DONE",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "CANCELLED",
}
"""What the original called them. The last two it did not know: it kept an error as if it were the answer."""
_SORTS: Final = {"": Sort.ORDINAL, "createdAt": Sort.ORDINAL, "result": Sort.OUTPUT}
"""Results are made all at once, in the order of the rows: that is the order of their creation."""
_COLUMN = Annotated[str, Field(max_length=200)]


class NewExperiment(Schema):
    """An experiment; without a prompt version, all of its results come from outside."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: Name
    description: Description | None = None
    prompt_version_id: Annotated[UUID | None, Field(alias="promptVersionId")] = None
    dataset_id: Annotated[UUID, Field(alias="datasetId")]
    prompt_input_mappings: Annotated[dict[_COLUMN, _COLUMN] | None, Field(alias="promptInputMappings")] = None

    def draft(self) -> Draft:
        """Returns it as the service takes it: the original maps columns to variables."""
        mapping: dict[str, str] = {}
        for column, variable in (self.prompt_input_mappings or {}).items():
            if variable in mapping:
                at = f"#/promptInputMappings/{column}"
                raise BadMapping([(at, f"two columns cannot fill the variable {variable}")])
            mapping[variable] = column
        return Draft(
            name=self.name,
            description=self.description or "",
            prompt_version_id=self.prompt_version_id,
            dataset_id=self.dataset_id,
            mapping=mapping,
        )


class NewResult(Schema):
    """What a program answered for a row."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    dataset_row_id: Annotated[UUID, Field(alias="datasetRowId")]
    result: Annotated[str, Field(max_length=1_000_000)]


@router.get("")
async def list_experiments(request: Request, actor: Reader) -> Response:
    """Returns the project's experiments, newest first, without their results."""
    return listed(_shown(request, actor), key_again_of(request, EXPERIMENTS_READ))


@router.post("", status_code=201)
async def create_experiment(request: Request, body: NewExperiment, actor: Creator) -> Response:
    """Returns the new experiment: workers begin where it has a prompt version."""
    made = await experiments_of(request).create(actor, body.draft())
    return json_response(experiment_body(made, actor), status=201)


@router.get("/{experiment}")
async def get_experiment(request: Request, experiment: str, actor: Reader) -> Response:
    """Returns an experiment with all of its results, in the order of the rows."""
    view = await experiments_of(request).get(actor, experiment_id(experiment))
    again = key_again_of(request, EXPERIMENTS_READ)
    return listed_in(experiment_body(view, actor), "results", _results_of(request, actor, view), again)


@router.get("/{experiment}/results")
async def list_results(
    request: Request, experiment: str, numbered: Annotated[Numbered, Query()], actor: Reader
) -> Response:
    """Returns a page of results, each with its row."""
    view = await experiments_of(request).get(actor, experiment_id(experiment))
    wanted = ResultsRequest(
        PageRequest(numbered.limit),
        search=numbered.search,
        sort=_sort(numbered.sort_by),
        descending=numbered.descending,
    )
    found, total = await results_of(request).numbered(actor, view.id, wanted, numbered.page)
    data = [
        {
            "datasetRow": row_of(view.pinned, one.row_id, one.values),
            "experimentResult": _answer(one),
            "experimentResultId": one.id,
            "status": STATUSES[one.status],
            "error": one.error or None,
            "createdAt": one.created_at,
        }
        for one in found
    ]
    return json_response({"data": data, "pagination": pagination(numbered.page, numbered.limit, total)})


@router.post("/{experiment}/results", status_code=201)
async def create_result(request: Request, experiment: str, body: NewResult, actor: Reporter) -> Response:
    """Returns the row's result, which is what the program answered."""
    reported = Reported(body.dataset_row_id, body.result)
    result = await results_of(request).report(actor, experiment_id(experiment), reported)
    return json_response(_result(result), status=201)


def experiment_id(text: str) -> UUID:
    """Returns the id that is meant; raises UnknownExperiment for what is none."""
    return id_of(text, UnknownExperiment("there is no such experiment"))


def experiment_body(view: ExperimentView, actor: Actor) -> dict[str, Any]:
    """Returns the experiment as the original showed it. A column that fills several variables shows one of them."""
    return {
        "id": view.id,
        "projectId": actor.project_id,
        "name": view.name,
        "description": view.description or None,
        "promptVersionId": view.prompt_version_id,
        "datasetId": view.dataset_id,
        "promptInputMappings": {column: variable for variable, column in view.mapping.items()},
        "createdAt": view.created_at,
        "updatedAt": view.finished_at or view.created_at,
    }


def row_of(pinned: Mapping[str, Any], row_id: UUID, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row of the pinned dataset with its cells as texts; none where the dataset was deleted."""
    columns = columns_of(pinned["dataset"]["columns"])
    cells = [written(column.type, values.get(column.name)) for column in columns] if values else []
    return {"id": row_id, "values": cells}


async def _shown(request: Request, actor: Actor) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(every(lambda page: experiments_of(request).page(actor, page))) as views:
        async for view in views:
            yield experiment_body(view, actor)


async def _results_of(request: Request, actor: Actor, view: ExperimentView) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(results_of(request).all(actor, view.id)) as results:
        async for one in results:
            yield _result(one)


def _result(one: ResultView) -> dict[str, Any]:
    return {
        "id": one.id,
        "datasetRowId": one.row_id,
        "result": _answer(one),
        "status": STATUSES[one.status],
        "error": one.error or None,
        "createdAt": one.created_at,
    }


def _answer(one: ResultView) -> str | None:
    return one.output if one.status is Status.DONE else None


def _sort(text: str) -> Sort:
    found = _SORTS.get(text)
    if found is None:
        raise MalformedInput("sortBy is createdAt or result")
    return found
