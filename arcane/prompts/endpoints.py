"""Prompts, versions, labels and differences over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, status

from arcane.access.permissions import PROMPTS_CREATE, PROMPTS_DELETE, PROMPTS_READ, PROMPTS_UPDATE
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging
from arcane.messaging.generation import PromptSpec
from arcane.prompting.errors import Place, TemplateError
from arcane.prompting.render import required, variables
from arcane.prompts.difference import compared
from arcane.prompts.schemas import (
    DifferenceOut,
    LabelIn,
    PromptCreated,
    PromptIn,
    PromptOut,
    PromptPage,
    PromptPatch,
    TemplateFault,
    TemplatesIn,
    TemplatesOut,
    VersionIn,
    VersionOut,
    VersionPage,
)
from arcane.prompts.service import PromptService


async def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


async def _prompts(request: Request) -> PromptService:
    prompts: PromptService = request.app.state.prompts
    return prompts


router = APIRouter(prefix="/projects/{project_id}/prompts", tags=["prompts"], dependencies=[Depends(_in_project)])

Prompts = Annotated[PromptService, Depends(_prompts)]
Reader = Annotated[Actor, requires(PROMPTS_READ)]
Creator = Annotated[Actor, requires(PROMPTS_CREATE)]
Editor = Annotated[Actor, requires(PROMPTS_UPDATE)]
Deleter = Annotated[Actor, requires(PROMPTS_DELETE)]
PromptRef = Annotated[str, Path(max_length=200, description="Id or name.", examples=["Support answer"])]
VersionRef = Annotated[
    str, Path(max_length=48, description="`v3`, `latest`, a label, or an id.", examples=["production"])
]
LabelRef = Annotated[str, Path(max_length=48, examples=["staging"])]
Asked = Annotated[str, Query(max_length=48, description="`v3`, `latest`, a label, or an id.", examples=["v0"])]


@router.get("")
async def list_prompts(
    prompts: Prompts,
    paging: Paging,
    actor: Reader,
    search: Annotated[str, Query(max_length=200, description="A part of the name or the description.")] = "",
) -> PromptPage:
    """The project's prompts, by name."""
    page = await prompts.page(actor, paging, search.replace("\x00", ""))
    return PromptPage(items=[PromptOut.of(view) for view in page.items], next=page.next)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_prompt(body: PromptIn, prompts: Prompts, actor: Creator) -> PromptCreated:
    """Adds a prompt with its first version, v0, which is promoted."""
    prompt, version = await prompts.create(actor, body.change(), body.version.draft())
    return PromptCreated(prompt=PromptOut.of(prompt), version=VersionOut.of(version))


@router.post("/check")
async def check_templates(body: TemplatesIn, prompts: Prompts, actor: Reader) -> TemplatesOut:
    """Reads the templates of messages that are not stored: which variables they have, and what is wrong with them."""
    spec = PromptSpec(messages=tuple(one.message() for one in body.messages), format=body.format)
    try:
        return TemplatesOut(variables=variables(spec), required=required(spec), fault=None)
    except TemplateError as error:
        place = error.place or Place(0)
        at = {"message": error.message or 0, "line": place.line, "column": place.column}
        return TemplatesOut(variables=[], required=[], fault=TemplateFault(**at, detail=error.sentence))


@router.get("/{prompt}")
async def get_prompt(prompt: PromptRef, prompts: Prompts, actor: Reader) -> PromptOut:
    """One prompt, by its id or its name."""
    return PromptOut.of(await prompts.get(actor, prompt))


@router.patch("/{prompt}")
async def update_prompt(prompt: PromptRef, body: PromptPatch, prompts: Prompts, actor: Editor) -> PromptOut:
    """Changes what a prompt is called and said to be."""
    return PromptOut.of(await prompts.update(actor, prompt, body.change()))


@router.delete("/{prompt}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_prompt(prompt: PromptRef, prompts: Prompts, actor: Deleter) -> None:
    """Removes a prompt with all of its versions."""
    await prompts.delete(actor, prompt)


@router.get("/{prompt}/versions")
async def list_prompt_versions(prompt: PromptRef, prompts: Prompts, paging: Paging, actor: Reader) -> VersionPage:
    """The versions of a prompt, newest first."""
    page = await prompts.versions(actor, prompt, paging)
    return VersionPage(items=[VersionOut.of(view) for view in page.items], next=page.next)


@router.post("/{prompt}/versions", status_code=status.HTTP_201_CREATED)
async def create_prompt_version(prompt: PromptRef, body: VersionIn, prompts: Prompts, actor: Editor) -> VersionOut:
    """Adds a version. Labels stay where they are."""
    return VersionOut.of(await prompts.add_version(actor, prompt, body.draft()))


@router.get("/{prompt}/versions/{version}")
async def get_prompt_version(prompt: PromptRef, version: VersionRef, prompts: Prompts, actor: Reader) -> VersionOut:
    """One version, by number, label or id."""
    return VersionOut.of(await prompts.version(actor, prompt, version))


@router.post("/{prompt}/versions/{version}/promote")
async def promote_prompt_version(prompt: PromptRef, version: VersionRef, prompts: Prompts, actor: Editor) -> PromptOut:
    """Makes the version the one that callers get who ask for none: the label `production` points at it."""
    return PromptOut.of(await prompts.promote(actor, prompt, version))


@router.put("/{prompt}/labels/{label}")
async def set_prompt_label(
    prompt: PromptRef, label: LabelRef, body: LabelIn, prompts: Prompts, actor: Editor
) -> PromptOut:
    """Points a label at a version, and at no other one."""
    return PromptOut.of(await prompts.set_label(actor, prompt, label, body.version))


@router.delete("/{prompt}/labels/{label}")
async def remove_prompt_label(prompt: PromptRef, label: LabelRef, prompts: Prompts, actor: Editor) -> PromptOut:
    """Takes a label away. Without `production`, the newest version is what callers get."""
    return PromptOut.of(await prompts.remove_label(actor, prompt, label))


@router.get("/{prompt}/diff")
async def compare_prompt_versions(
    prompt: PromptRef, prompts: Prompts, actor: Reader, before: Asked = "", after: Asked = "latest"
) -> DifferenceOut:
    """What is different between two versions: messages word by word, parameters and tools one by one.

    Without versions, between the promoted one and the newest.
    """
    old, new = await prompts.version(actor, prompt, before), await prompts.version(actor, prompt, after)
    return DifferenceOut.of(await anyio.to_thread.run_sync(compared, old, new))
