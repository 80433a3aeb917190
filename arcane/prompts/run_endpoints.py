"""Running prompts over HTTP, and the history of runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from arcane.access.permissions import PROMPTS_READ, PROMPTS_RUN
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging
from arcane.kit.problems import Problem
from arcane.kit.sse import DOCUMENTED, EventStreamResponse, frame
from arcane.prompts.run_schemas import AnswerOut, RunIn, RunOut, RunPage
from arcane.prompts.running import PromptRuns, RunRequest, Told


async def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


async def _runs(request: Request) -> PromptRuns:
    runs: PromptRuns = request.app.state.prompt_runs
    return runs


router = APIRouter(prefix="/projects/{project_id}", tags=["prompts"], dependencies=[Depends(_in_project)])

Runs = Annotated[PromptRuns, Depends(_runs)]
Runner = Annotated[Actor, requires(PROMPTS_RUN)]
Reader = Annotated[Actor, requires(PROMPTS_READ)]
_FAILED: dict[int | str, dict[str, Any]] = {
    502: {"description": "The model did not answer"},
    503: {"description": "No worker can be reached"},
}


@router.post("/prompts/run", responses=_FAILED)
async def run_prompt(body: RunIn, runs: Runs, actor: Runner) -> AnswerOut:
    """Fills a prompt with inputs, asks its model, and answers when the whole answer is there."""
    run_id, generated = await runs.run(actor, await request_of(body, runs, actor))
    return AnswerOut.of(run_id, generated)


@router.post("/prompts/run/stream", response_class=Response, responses=DOCUMENTED)
async def stream_prompt(body: RunIn, runs: Runs, actor: Runner) -> Response:
    """Runs a prompt and tells its answer while it comes, as server-sent events. Hanging up cancels the call.

    `run` with the run's id comes first, `text` for each piece, and last `done` with the whole answer, or `problem`.
    """
    told = runs.stream(actor, await request_of(body, runs, actor))
    first = await anext(told)
    return EventStreamResponse(_frames(first, told))


@router.get("/prompt-runs")
async def list_prompt_runs(
    runs: Runs,
    paging: Paging,
    actor: Reader,
    prompt: Annotated[str, Query(max_length=200, description="Of this prompt alone: id or name.")] = "",
) -> RunPage:
    """The history of runs, newest first."""
    return RunPage.model_validate(await runs.page(actor, paging, prompt))


@router.get("/prompt-runs/{run_id}")
async def get_prompt_run(run_id: UUID, runs: Runs, actor: Reader) -> RunOut:
    """One run."""
    return RunOut.model_validate(await runs.get(actor, run_id))


async def request_of(body: RunIn, runs: PromptRuns, actor: Actor) -> RunRequest:
    """Returns what the body asks for; raises UnknownPrompt and UnknownPromptVersion."""
    span = body.span.reference() if body.span else None
    if body.draft is not None:
        prompt_id = (await runs.prompts.get(actor, body.prompt)).id if body.prompt else None
        draft = body.draft.draft()
        made = RunRequest(draft=draft, inputs=body.inputs, prompt_id=prompt_id, span=span)
    else:
        version = await runs.prompts.version(actor, body.prompt, body.version)
        made = RunRequest(draft=version.draft, inputs=body.inputs, version=version)
    if body.model_configuration_id is None:
        return made
    return replace(made, draft=replace(made.draft, model_configuration_id=body.model_configuration_id))


async def _frames(first: Told, told: AsyncGenerator[Told, None]) -> AsyncGenerator[bytes, None]:
    yield frame("run", msgspec.json.encode({"run_id": str(first.run)}))
    async with aclosing(told):
        try:
            async for one in told:
                if one.whole is None:
                    yield frame("text", msgspec.json.encode({"text": one.text}))
                else:
                    yield frame("done", AnswerOut.of(one.run, one.whole).model_dump_json())
        except Problem as problem:
            yield frame("problem", msgspec.json.encode(problem.body("")))
