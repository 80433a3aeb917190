"""Running a prompt, or trying a scorer, while somebody waits: which worker does it, and its answer while it comes."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar
from uuid import UUID, uuid4

import msgspec

from arcane.kit.actor import Actor
from arcane.kit.clock import Clock
from arcane.kit.ids import new_id
from arcane.kit.logging import get_logger
from arcane.messaging.envelope import Body, Envelope
from arcane.messaging.generation import ChatMessage, ModelSpec, Piece, PromptSpec, Role, TemplateFormat, Usage
from arcane.messaging.running import (
    RUN_PATH,
    TRY_PATH,
    RunDone,
    RunEvent,
    RunFailed,
    RunJudged,
    RunRequest,
    RunText,
    TryRequest,
    packed,
    seal,
)
from arcane.messaging.scoring import ScorerSpec, Verdict
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from arcane.messaging.workers import WorkerAnnouncement
from arcane.model.deadline import Deadline
from arcane.models.configure import Change, Draft, draft_spec, spec_of
from arcane.models.problems import ModelFailed, NoWorker
from arcane.models.service import ModelService
from arcane.workers.service import WorkerService

log = get_logger("arcane.models")

_TEST = PromptSpec(
    messages=(ChatMessage(role=Role.USER, text="Answer with the single word: ready"),),
    format=TemplateFormat.NONE,
)
_CLIENT = "arcane.models.asking"


@dataclass(frozen=True, slots=True)
class ModelTest:
    """How a test went. `error` is empty when the model answered."""

    ok: bool
    model: str = ""
    usage: Usage | None = None
    worker: str = ""
    error: str = ""
    cause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """A model with its secrets, which its representation does not show."""

    spec: ModelSpec
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one run asks for."""

    actor: Actor
    model: ReadyModel
    prompt: PromptSpec
    inputs: Mapping[str, Any]
    deadline: Deadline

    path: ClassVar[str] = RUN_PATH

    def suits(self, worker: WorkerAnnouncement) -> bool:
        """True for every worker: each can run prompts."""
        return True

    def body(self, run: UUID, organisation: UUID, key: str) -> Body:
        """Returns what the worker is sent."""
        return RunRequest(
            run=run,
            organisation=organisation,
            prompt=self.prompt,
            model=self.model.spec,
            inputs=self.inputs,
            deadline_s=self.deadline.remaining(),
            sealed=seal(key, run, self.model.secrets),
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What one try of a scorer asks for; `secrets` are of its models."""

    actor: Actor
    scorer: ScorerSpec
    secrets: Mapping[UUID, Mapping[str, str]] = field(repr=False)
    inputs: Mapping[str, Any]
    deadline: Deadline

    path: ClassVar[str] = TRY_PATH

    def suits(self, worker: WorkerAnnouncement) -> bool:
        """True for a worker that has the scorer."""
        return any(one.key == self.scorer.key for one in worker.scorers)

    def body(self, run: UUID, organisation: UUID, key: str) -> Body:
        """Returns what the worker is sent."""
        return TryRequest(
            run=run,
            organisation=organisation,
            scorer=self.scorer,
            inputs=self.inputs,
            deadline_s=self.deadline.remaining(),
            sealed=seal(key, run, packed(self.secrets)),
        )


class Elsewhere(Exception):
    """This worker does not take it; another one may."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request to a worker."""

    path: str
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunNow:
    """Runs prompts on workers that announced an address. `key` is the one that backend and workers share."""

    models: ModelService
    workers: WorkerService
    clock: Clock
    key: str | None
    longest_s: float

    async def stream(
        self, actor: Actor, configuration_id: UUID, prompt: PromptSpec, inputs: Mapping[str, Any]
    ) -> AsyncGenerator[Piece, None]:
        """Yields the answer while it comes, the whole of it last; close it (`aclosing`) to end the call.

        Whoever calls it has checked that the actor may run prompts. Raises UnknownModelConfiguration, NoWorker and
        ModelFailed.
        """
        asked = Asked(
            actor, await self._stored(actor, configuration_id), prompt, inputs, Deadline.after(self.longest_s)
        )
        async with aclosing(self._events(asked)) as events:
            async for _, event in events:
                yield _piece(event)

    async def judged(
        self, actor: Actor, scorer: ScorerSpec, inputs: Mapping[str, Any]
    ) -> tuple[str, Verdict | RunFailed]:
        """Returns the name of the worker that tried the scorer, and its verdict or why there is none.

        Raises UnknownModelConfiguration, NoWorker, and ModelFailed when the worker is gone.
        """
        models = [one.configuration for one in (scorer.model, scorer.embedding) if one is not None]
        secrets = {one: (await self._stored(actor, one)).secrets for one in models}
        trial = Trial(actor, scorer, secrets, inputs, Deadline.after(self.longest_s))
        async with aclosing(self._events(trial)) as events:
            async for worker, event in events:
                if isinstance(event, RunJudged):
                    return worker, event.verdict
                if isinstance(event, RunFailed):
                    return worker, event
        raise broken()

    async def test_saved(self, actor: Actor, configuration_id: UUID, deadline: Deadline) -> ModelTest:
        """Returns how a stored model answers one short question; raises UnknownModelConfiguration."""
        return await self._tested(actor, await self._stored(actor, configuration_id), deadline)

    async def test_unsaved(self, actor: Actor, draft: Draft, deadline: Deadline) -> ModelTest:
        """Returns how a model answers that is not stored; raises InvalidModelConfiguration."""
        spec, secrets = draft_spec(draft, new_id())
        return await self._tested(actor, ReadyModel(spec, secrets), deadline)

    async def test_changed(self, actor: Actor, configuration_id: UUID, change: Change, deadline: Deadline) -> ModelTest:
        """Returns how a stored model would answer after `change`, which is not stored."""
        row = await self.models.row(actor, configuration_id)
        spec, secrets = self.models.changed_spec(row, change)
        return await self._tested(actor, ReadyModel(spec, secrets), deadline)

    async def _stored(self, actor: Actor, configuration_id: UUID) -> ReadyModel:
        row = await self.models.row(actor, configuration_id)
        return ReadyModel(spec_of(row), self.models.opened_secrets(row))

    async def _tested(self, actor: Actor, model: ReadyModel, deadline: Deadline) -> ModelTest:
        worker = ""
        try:
            async with aclosing(self._events(Asked(actor, model, _TEST, {}, deadline))) as events:
                async for worker, event in events:
                    whole = _piece(event).whole
                    if whole is not None:
                        return ModelTest(True, whole.model, whole.usage, worker)
        except NoWorker as problem:
            return ModelTest(False, error=problem.detail, cause="no_worker")
        except ModelFailed as problem:
            said = problem.members
            return ModelTest(False, worker=worker, error=problem.detail, cause=said["cause"], detail=said["said"])
        return ModelTest(False, worker=worker, error="the worker gave no answer", cause="no_worker")

    async def _events(self, asked: Asked | Trial) -> AsyncGenerator[tuple[str, RunEvent], None]:
        """Yields what the first worker that takes it says, with its name."""
        if self.key is None:
            raise NoWorker("this instance has no ARCANE_WORKER__KEY, so that no worker can be asked")
        opened = import_module(_CLIENT).opened
        able = [one for one in self.workers.present() if one.announcement.url and asked.suits(one.announcement)]
        random.shuffle(able)
        for worker in able:
            try:
                signed, within_s = self._signed(asked, self.key), asked.deadline.remaining()
                async with opened(worker.announcement.url, signed, within_s) as events:
                    async for event in events:
                        yield worker.announcement.name, event
                    return
            except Elsewhere as exc:
                log.warning("worker_did_not_take_run", worker=worker.announcement.name, reason=str(exc))
        if able:
            raise NoWorker("no worker takes a prompt at the moment; try again shortly")
        raise NoWorker("this is what workers do, and none is there that can do it and be reached")

    def _signed(self, asked: Asked | Trial, key: str) -> Signed:
        if asked.actor.organisation_id is None:
            raise NoWorker("models are run for an organisation")
        run, now = uuid4(), self.clock.now()
        body = asked.body(run, asked.actor.organisation_id, key)
        content = msgspec.json.encode(Envelope.around(body, id=run, sent_at=now))
        headers = signed_headers(worker_signer(key), SignedRequest("POST", asked.path, content), now)
        return Signed(asked.path, content, headers)


def broken() -> ModelFailed:
    """Returns what is raised when a worker's answer breaks off."""
    return ModelFailed("the worker that ran the prompt is gone", cause="worker", said="", retry=True)


def _piece(event: RunEvent) -> Piece:
    """Returns the piece that `event` brings. Raises ModelFailed for the event that says so."""
    match event:
        case RunText(text=text):
            return Piece(text=text)
        case RunDone(generated=generated):
            return Piece(whole=generated)
        case RunJudged():
            raise broken()
        case RunFailed(cause=cause, message=message, detail=detail, retry=retry):
            raise ModelFailed(message, cause=cause, said=detail, retry=retry)
