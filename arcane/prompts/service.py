"""Prompts of a project: what they are called, which versions they have, and which of them is the one to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.seen import check_seen
from arcane.kit.tables import now
from arcane.messaging.generation import ModelSpec, PromptSpec
from arcane.models.configure import checked_kind, checked_parameters
from arcane.models.problems import InvalidModelConfiguration, UnknownModelConfiguration
from arcane.models.service import ModelService
from arcane.prompts.drafts import VersionDraft, check, read, stored
from arcane.prompts.names import LATEST, PRODUCTION, label_name, number_of
from arcane.prompts.problems import (
    FieldError,
    InvalidPrompt,
    PromptLimit,
    PromptNameTaken,
    UnknownPrompt,
    UnknownPromptVersion,
)
from arcane.prompts.repository import PromptRepository
from arcane.prompts.tables import Prompt, PromptLabel, PromptVersion
from arcane.prompts.views import PromptView, VersionView, audited
from arcane.settings import PromptSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptChange:
    """What shall be different of a prompt; None is left. `seen` is when what was seen had last been changed."""

    name: str | None = None
    description: str | None = None
    extra: Mapping[str, Any] | None = None
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class PromptService:
    """Every method takes the actor whose project is meant; prompts of other projects are unknown.

    A prompt is named by its id or its name, a version by its id, `v3`, `latest` or a label.
    """

    database: Database
    audit: AuditLog
    cursors: Cursors
    models: ModelService
    settings: PromptSettings

    async def page(self, actor: Actor, request: PageRequest, search: str = "") -> Page[PromptView]:
        """Returns a page of the project's prompts, by name."""
        async with self.database.transaction(actor.tenant) as session:
            prompts = PromptRepository(session)
            page = await prompts.page(actor, request, self.cursors, search)
            labels = await prompts.labels([row.id for row in page.items])
        return Page(tuple(PromptView.of(row, labels[row.id]) for row in page.items), page.next)

    async def names(self, actor: Actor, prompts: Sequence[UUID]) -> dict[UUID, str]:
        """Returns the names of these prompts, by id; those that are gone are left out."""
        async with self.database.transaction(actor.tenant) as session:
            return await PromptRepository(session).names(actor, prompts)

    async def get(self, actor: Actor, prompt: str) -> PromptView:
        """Returns one prompt; raises UnknownPrompt."""
        async with self.database.transaction(actor.tenant) as session:
            return await _view(session, await _found(session, actor, prompt))

    async def create(self, actor: Actor, change: PromptChange, draft: VersionDraft) -> tuple[PromptView, VersionView]:
        """Returns the new prompt and its first version, which is the promoted one."""
        organisation_id, project_id = _place(actor)
        check(draft, self.settings, "#/version")
        row = Prompt(
            organisation_id=organisation_id,
            project_id=project_id,
            name=change.name or "",
            description=change.description or "",
            extra=dict(change.extra or {}),
            created_by=actor.name,
        )
        async with self.database.transaction(actor.tenant) as session:
            if await PromptRepository(session).count(actor) >= self.settings.prompts:
                raise PromptLimit(f"a project has at most {self.settings.prompts} prompts on this instance")
            await self._store(session, row)
            await self.audit.record(session, actor, "prompt.created", ("prompt", row.id), after=audited(row))
            version = await self._added(session, actor, row, draft, "#/version")
            await self._point(session, actor, row, PRODUCTION, version)
            view = await _view(session, row)
        return view, VersionView.of(version)

    async def update(self, actor: Actor, prompt: str, change: PromptChange) -> PromptView:
        """Returns the prompt with another name, description or metadata; its versions stay as they are.

        Raises Conflict when somebody else changed what was seen.
        """
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt, for_change=True)
            check_seen("prompt", change.seen, row.updated_at)
            before = audited(row)
            row.name = row.name if change.name is None else change.name
            row.description = row.description if change.description is None else change.description
            row.extra = row.extra if change.extra is None else dict(change.extra)
            row.updated_at = now()
            await self._store(session, row)
            await self.audit.record(
                session, actor, "prompt.updated", ("prompt", row.id), before=before, after=audited(row)
            )
            return await _view(session, row)

    async def delete(self, actor: Actor, prompt: str) -> None:
        """The prompt is gone, with its versions and labels."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt, for_change=True)
            await session.delete(row)
            await self.audit.record(session, actor, "prompt.deleted", ("prompt", row.id), before=audited(row))

    async def versions(self, actor: Actor, prompt: str, request: PageRequest) -> Page[VersionView]:
        """Returns a page of the prompt's versions, newest first."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt)
            page = await PromptRepository(session).versions(row, request, self.cursors)
        return Page(tuple(VersionView.of(version) for version in page.items), page.next)

    async def version(self, actor: Actor, prompt: str, version: str = "") -> VersionView:
        """Returns the version; without a reference the promoted one, or else the newest."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt)
            return VersionView.of(await _version(session, row, version))

    async def version_by_id(self, actor: Actor, version_id: UUID) -> tuple[PromptView, VersionView]:
        """Returns the version of whichever prompt of the project has it, and that prompt."""
        async with self.database.transaction(actor.tenant) as session:
            version = await PromptRepository(session).version_by_id(version_id)
            if version is None or version.project_id != actor.project_id:
                raise _no_version()
            row = await _found(session, actor, str(version.prompt_id))
            return await _view(session, row), VersionView.of(version)

    async def add_version(self, actor: Actor, prompt: str, draft: VersionDraft) -> VersionView:
        """Returns the new version, the newest of its prompt; labels stay where they are."""
        check(draft, self.settings)
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt, for_change=True)
            version = await self._added(session, actor, row, draft, "#")
        return VersionView.of(version)

    async def set_label(self, actor: Actor, prompt: str, label: str, version: str) -> PromptView:
        """Returns the prompt whose label now points at the version, and at no other one."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt, for_change=True)
            await self._point(session, actor, row, _checked(label), await _version(session, row, version))
            return await _view(session, row)

    async def promote(self, actor: Actor, prompt: str, version: str) -> PromptView:
        """Returns the prompt whose version is now the one that callers get who ask for none."""
        return await self.set_label(actor, prompt, PRODUCTION, version)

    async def remove_label(self, actor: Actor, prompt: str, label: str) -> PromptView:
        """Returns the prompt without the label; raises UnknownPromptVersion when it had none of this name."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, prompt, for_change=True)
            found = await PromptRepository(session).label(row, label)
            if found is None:
                raise _no_version()
            await session.delete(found)
            await session.flush()
            before = {"label": label, "version": f"v{found.number}"}
            await self.audit.record(session, actor, "prompt.label_removed", ("prompt", row.id), before=before)
            return await _view(session, row)

    async def version_spec(self, session: AsyncSession, version_id: UUID) -> tuple[PromptSpec, UUID]:
        """Returns what the version says and its model configuration, in the caller's transaction and tenant."""
        row = await PromptRepository(session).version_by_id(version_id)
        if row is None:
            raise _no_version()
        return read(row.spec), row.model_configuration_id

    async def _added(
        self, session: AsyncSession, actor: Actor, row: Prompt, draft: VersionDraft, pointer: str
    ) -> PromptVersion:
        """Returns the stored version. The prompt's row is locked, so two at once get two numbers."""
        if row.next_number >= self.settings.versions:
            raise PromptLimit(f"a prompt has at most {self.settings.versions} versions on this instance")
        await self.check_model(session, row.organisation_id, draft, pointer)
        version = PromptVersion(
            organisation_id=row.organisation_id,
            project_id=row.project_id,
            prompt_id=row.id,
            number=row.next_number,
            kind=draft.kind.value,
            description=draft.description,
            spec=stored(draft.spec),
            digest=draft.digest,
            model_configuration_id=draft.model_configuration_id,
            created_by=actor.name,
        )
        row.next_number += 1
        row.updated_at = now()
        session.add(version)
        await session.flush()
        after = {"version": f"v{version.number}", "model_configuration_id": str(draft.model_configuration_id)}
        await self.audit.record(session, actor, "prompt.version_created", ("prompt", row.id), after=after)
        return version

    async def check_model(
        self, session: AsyncSession, organisation_id: UUID, draft: VersionDraft, pointer: str = "#"
    ) -> ModelSpec:
        """Returns the model; raises InvalidPrompt when the organisation has none such, or parameters do not fit."""
        try:
            spec = await self.models.spec(session, organisation_id, draft.model_configuration_id)
            checked_parameters(checked_kind(spec.provider.value), draft.spec.parameters)
        except UnknownModelConfiguration:
            where = f"{pointer}/model_configuration_id"
            raise InvalidPrompt([FieldError(where, "there is no such model configuration")]) from None
        except InvalidModelConfiguration as problem:
            errors = [FieldError(pointer + one.pointer.removeprefix("#"), one.detail) for one in problem.errors]
            raise InvalidPrompt(errors) from None
        return spec

    async def _point(
        self, session: AsyncSession, actor: Actor, row: Prompt, label: str, version: PromptVersion
    ) -> None:
        prompts = PromptRepository(session)
        found = await prompts.label(row, label)
        before = None if found is None else {"label": label, "version": f"v{found.number}"}
        if found is None:
            if len((await prompts.labels([row.id]))[row.id]) >= self.settings.labels:
                raise PromptLimit(f"a prompt has at most {self.settings.labels} labels on this instance")
            found = PromptLabel(
                organisation_id=row.organisation_id,
                project_id=row.project_id,
                prompt_id=row.id,
                label=label,
                version_id=version.id,
                number=version.number,
                set_by=actor.name,
            )
        elif found.version_id == version.id:
            return
        found.version_id, found.number = version.id, version.number
        found.set_by, found.updated_at = actor.name, now()
        session.add(found)
        await session.flush()
        action = "prompt.promoted" if label == PRODUCTION else "prompt.labelled"
        after = {"label": label, "version": f"v{version.number}"}
        await self.audit.record(session, actor, action, ("prompt", row.id), before=before, after=after)

    async def _store(self, session: AsyncSession, row: Prompt) -> None:
        name = row.name
        session.add(row)
        try:
            await session.flush()
        except IntegrityError as exc:
            if "uq_prompts_name" in str(exc.orig):
                raise PromptNameTaken(f"there is another prompt named {name}") from None
            raise


async def _found(session: AsyncSession, actor: Actor, prompt: str, *, for_change: bool = False) -> Prompt:
    row = await PromptRepository(session).find(actor, prompt, for_change=for_change)
    if row is None:
        raise UnknownPrompt("there is no such prompt")
    return row


async def _version(session: AsyncSession, row: Prompt, reference: str) -> PromptVersion:
    """Returns what the reference means: nothing, `latest`, a number, an id or a label."""
    prompts = PromptRepository(session)
    newest = row.next_number - 1
    found: PromptVersion | None
    if (number := newest if reference == LATEST else number_of(reference)) is not None:
        found = await prompts.version(row, number=number)
    elif label := await prompts.label(row, reference or PRODUCTION):
        found = await prompts.version_by_id(label.version_id, row)
    elif not reference:
        found = await prompts.version(row, number=newest)
    else:
        found = await prompts.version_by_id(version_id, row) if (version_id := _uuid(reference)) else None
    if found is None:
        raise _no_version()
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _checked(label: str) -> str:
    try:
        return label_name(label)
    except ValueError as exc:
        raise InvalidPrompt([FieldError("#/label", str(exc))]) from None


async def _view(session: AsyncSession, row: Prompt) -> PromptView:
    return PromptView.of(row, (await PromptRepository(session).labels([row.id]))[row.id])


def _no_version() -> UnknownPromptVersion:
    return UnknownPromptVersion("the prompt has no such version, and nothing with this label")


def _place(actor: Actor) -> tuple[UUID, UUID]:
    if actor.organisation_id is None or actor.project_id is None:
        raise UnknownPrompt("prompts belong to a project")
    return actor.organisation_id, actor.project_id
