"""Model configurations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status

from arcane.access.permissions import (
    MODEL_CONFIGURATIONS_CREATE,
    MODEL_CONFIGURATIONS_DELETE,
    MODEL_CONFIGURATIONS_READ,
    MODEL_CONFIGURATIONS_UPDATE,
)
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of
from arcane.kit.lists import Paging
from arcane.models.providers import KINDS
from arcane.models.running import RunNow
from arcane.models.schemas import (
    ModelConfigurationIn,
    ModelConfigurationOut,
    ModelConfigurationPage,
    ModelConfigurationPatch,
    ModelProviderOut,
    ModelProviders,
    ModelTestOut,
)
from arcane.models.service import ModelService


def _in_organisation(organisation_id: UUID) -> None:
    """The path names the organisation; the guard reads it, and so does the OpenAPI document."""


router = APIRouter(prefix="/organisations/{organisation_id}", tags=["models"], dependencies=[Depends(_in_organisation)])


def _models(request: Request) -> ModelService:
    models: ModelService = request.app.state.models
    return models


def _run_now(request: Request) -> RunNow:
    run_now: RunNow = request.app.state.run_now
    return run_now


Models = Annotated[ModelService, Depends(_models)]
Runs = Annotated[RunNow, Depends(_run_now)]
Reader = Annotated[Actor, requires(MODEL_CONFIGURATIONS_READ)]
Creator = Annotated[Actor, requires(MODEL_CONFIGURATIONS_CREATE)]
Editor = Annotated[Actor, requires(MODEL_CONFIGURATIONS_UPDATE)]
Deleter = Annotated[Actor, requires(MODEL_CONFIGURATIONS_DELETE)]


@router.get("/model-providers")
async def list_model_providers(actor: Reader) -> ModelProviders:
    """Every provider whose models can be called, with the fields of its form and the parameters it takes."""
    return ModelProviders(items=[ModelProviderOut.of(kind) for kind in KINDS], next=None)


@router.get("/model-configurations")
async def list_model_configurations(models: Models, paging: Paging, actor: Reader) -> ModelConfigurationPage:
    """The organisation's model configurations, by name."""
    return ModelConfigurationPage.model_validate(await models.page(actor, paging))


@router.post("/model-configurations", status_code=status.HTTP_201_CREATED)
async def create_model_configuration(
    body: ModelConfigurationIn, models: Models, actor: Creator
) -> ModelConfigurationOut:
    """Adds a model configuration. The model is not called: test it for that."""
    return ModelConfigurationOut.model_validate(await models.create(actor, body.draft()))


@router.post("/model-configurations/test")
async def try_unsaved_model_configuration(
    body: ModelConfigurationIn, request: Request, runs: Runs, actor: Creator
) -> ModelTestOut:
    """Calls a model that is not stored: one short answer, by a worker."""
    return ModelTestOut.of(await runs.test_unsaved(actor, body.draft(), deadline_of(request)))


@router.get("/model-configurations/{configuration_id}")
async def read_model_configuration(configuration_id: UUID, models: Models, actor: Reader) -> ModelConfigurationOut:
    """One model configuration."""
    return ModelConfigurationOut.model_validate(await models.get(actor, configuration_id))


@router.patch("/model-configurations/{configuration_id}")
async def update_model_configuration(
    configuration_id: UUID, body: ModelConfigurationPatch, models: Models, actor: Editor
) -> ModelConfigurationOut:
    """Changes a model configuration; what runs already goes on with the old one.

    Another address needs its secrets entered again. They are not sent to the old one: what runs already fails there.
    """
    return ModelConfigurationOut.model_validate(await models.update(actor, configuration_id, body.change()))


@router.delete("/model-configurations/{configuration_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_model_configuration(configuration_id: UUID, models: Models, actor: Deleter) -> None:
    """Removes a model configuration; refused while a prompt's version is kept with it."""
    await models.delete(actor, configuration_id)


@router.post("/model-configurations/{configuration_id}/test")
async def try_model_configuration(configuration_id: UUID, request: Request, runs: Runs, actor: Editor) -> ModelTestOut:
    """Calls a stored model: one short answer, by a worker. It costs what that costs, so it needs the right to edit."""
    return ModelTestOut.of(await runs.test_saved(actor, configuration_id, deadline_of(request)))
