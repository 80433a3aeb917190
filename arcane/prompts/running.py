"""Running a prompt while somebody waits, and keeping what became of it.

What a person typed is kept with its answer for a while, cut to a bounded size. A draft that began with a span of a
trace keeps neither: its texts are the trace's, which is never stored.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import msgspec
from sqlalchemy.exc import SQLAlchemyError

from arcane.kit.actor import Actor, Tenant
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.problems import NotFound, Problem, Unavailable
from arcane.kit.tables import now
from arcane.messaging.generation import Generated
from arcane.models.running import RunNow
from arcane.prompts.drafts import VersionDraft, check
from arcane.prompts.problems import FieldError, InvalidPrompt
from arcane.prompts.runs_repository import RunRepository
from arcane.prompts.service import PromptService
from arcane.prompts.tables import PromptRun
from arcane.prompts.views import RunView, VersionView

log = get_logger("arcane.prompts")

_SETTLING_S = 5.0
_SWEEP_S = 3_600.0
_LOST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanReference:
    """The span whose conversation a draft began with."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What is to be run: a stored version, or a draft, perhaps of a prompt, perhaps begun with a span."""

    draft: VersionDraft
    inputs: Mapping[str, Any] = field(default_factory=dict)
    version: VersionView | None = None
    prompt_id: UUID | None = None
    span: SpanReference | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a run as it is told: its id first, text as it comes, the whole answer last."""

    run: UUID
    text: str = ""
    whole: Generated | None = None


@dataclass(frozen=True, slots=True)
class PromptRuns:
    """Runs prompts for people who wait; every run is in the history, however it ended."""

    database: Database
    prompts: PromptService
    run_now: RunNow
    cursors: Cursors

    async def run(self, actor: Actor, request: RunRequest) -> tuple[UUID, Generated]:
        """Returns the id of the run and the whole answer; raises InvalidPrompt, NoWorker and ModelFailed."""
        async with aclosing(self.stream(actor, request)) as told:
            async for one in told:
                if one.whole is not None:
                    return one.run, one.whole
        raise AssertionError("a run that ends without an answer raises")

    async def stream(self, actor: Actor, request: RunRequest) -> AsyncGenerator[Told, None]:
        """Yields the answer while it comes; close it to cancel the run. Raises as `run` does, before or after text."""
        row = await self._begun(actor, request)
        yield Told(row.id)
        said: list[str] = []
        kept = self.prompts.settings.kept_bytes
        try:
            pieces = self.run_now.stream(
                actor, request.draft.model_configuration_id, request.draft.spec, request.inputs
            )
            async with aclosing(pieces) as answer:
                async for piece in answer:
                    if piece.whole is not None:
                        await self._settle(row, "done", generated=piece.whole)
                        yield Told(row.id, whole=piece.whole)
                        return
                    if sum(map(len, said)) < kept:
                        said.append(piece.text)
                    yield Told(row.id, piece.text)
        except Problem as problem:
            await self._settle(row, "failed", error=problem.detail, text="".join(said))
            raise
        except (anyio.get_cancelled_exc_class(), GeneratorExit):
            await self._settle(row, "cancelled", text="".join(said))
            raise

    async def page(self, actor: Actor, request: PageRequest, prompt: str = "") -> Page[RunView]:
        """Returns a page of the project's runs, newest first; of one prompt alone when it is named."""
        prompt_id = (await self.prompts.get(actor, prompt)).id if prompt else None
        async with self.database.transaction(actor.tenant) as session:
            page = await RunRepository(session).page(actor, request, self.cursors, prompt_id)
        return Page(tuple(RunView.of(row) for row in page.items), page.next)

    async def get(self, actor: Actor, run_id: UUID) -> RunView:
        """Returns one run; raises NotFound."""
        async with self.database.transaction(actor.tenant) as session:
            row = await RunRepository(session).find(actor, run_id)
        if row is None:
            raise NotFound("there is no such run")
        return RunView.of(row)

    async def forget_forever(self) -> None:
        """Old runs are forgotten every hour, and those that nobody ended are failed, until it is cancelled."""
        while True:
            try:
                await self.sweep()
            except (Unavailable, OSError, SQLAlchemyError) as exc:
                log.warning("prompt_runs_not_swept", reason=type(exc).__name__)
            await anyio.sleep(_SWEEP_S)

    async def sweep(self) -> int:
        """Returns how many runs were forgotten; those whose backend is gone are failed."""
        moment = now()
        async with self.database.transaction(Tenant(instance=True)) as session:
            runs = RunRepository(session)
            await runs.fail_lost(moment - _LOST)
            return await runs.forget(moment - timedelta(days=self.prompts.settings.kept_days))

    async def _begun(self, actor: Actor, request: RunRequest) -> PromptRun:
        """Returns the row of a run that begins. What could not run raises, and leaves none."""
        draft, settings = request.draft, self.prompts.settings
        where = "#/draft" if request.version is None else "#"
        check(draft, settings, where)
        if actor.organisation_id is None or actor.project_id is None:
            raise NotFound("prompts are run in a project")
        inputs, cut = _kept_inputs(request.inputs, settings.kept_bytes)
        async with self.database.transaction(actor.tenant) as session:
            spec = await self.prompts.check_model(session, actor.organisation_id, draft, where)
            row = PromptRun(
                organisation_id=actor.organisation_id,
                project_id=actor.project_id,
                prompt_id=request.version.prompt_id if request.version else request.prompt_id,
                version_id=request.version.id if request.version else None,
                version_number=request.version.number if request.version else None,
                digest=draft.digest,
                trace=msgspec.to_builtins(request.span) if request.span else None,
                model_configuration_id=draft.model_configuration_id,
                model=spec.model,
                status="running",
                inputs=None if request.span else inputs,
                cut=cut and request.span is None,
                created_by=actor.name,
            )
            session.add(row)
        return row

    async def _settle(
        self, row: PromptRun, status: str, *, generated: Generated | None = None, error: str = "", text: str = ""
    ) -> None:
        """The row says how the run ended, also when whoever waited is gone."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_SETTLING_S):
            try:
                async with self.database.transaction(Tenant(row.organisation_id, row.project_id)) as session:
                    found = await RunRepository(session).to_settle(row.id)
                    if found is not None:
                        _ended(found, status, generated, error)
                        _say(found, _answer(generated) if generated else text, self.prompts.settings.kept_bytes)
            except (Unavailable, OSError, SQLAlchemyError) as exc:
                log.warning("prompt_run_not_settled", run_id=str(row.id), reason=type(exc).__name__)


def _ended(row: PromptRun, status: str, generated: Generated | None, error: str) -> None:
    row.status, row.error, row.ended_at = status, error[:500], now()
    row.latency_ms = (row.ended_at - row.created_at).total_seconds() * 1_000
    if generated is not None:
        usage = generated.usage
        row.model = generated.model or row.model
        row.input_tokens, row.output_tokens = usage.input_tokens, usage.output_tokens
        row.cost_usd, row.latency_ms = usage.cost_usd, usage.latency_ms or row.latency_ms


def _say(row: PromptRun, text: str, most: int) -> None:
    if row.trace is None:
        row.output = text[:most].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
        row.cut = row.cut or len(text) > most


def _answer(generated: Generated) -> str:
    calls = [f"{call.name}({call.arguments})" for call in generated.tool_calls]
    return "\n".join(part for part in (generated.text, *calls) if part)


def _kept_inputs(inputs: Mapping[str, Any], most: int) -> tuple[dict[str, Any] | None, bool]:
    """Returns the inputs as they are kept; too long ones are not kept at all."""
    try:
        said = msgspec.json.encode(dict(inputs)).decode()
    except (UnicodeError, RecursionError):
        raise InvalidPrompt([FieldError("#/inputs", "cannot be stored: a text is no Unicode, or too deep")]) from None
    if "\\u0000" in said:
        raise InvalidPrompt([FieldError("#/inputs", "holds a character that cannot be stored")])
    return (None, True) if len(said) > most else (dict(inputs), False)
