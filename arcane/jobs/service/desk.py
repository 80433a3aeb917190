"""What workers are told at the internal API: each request is signed, bounded, and answered for that worker alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import anyio
import msgspec

from arcane.jobs.repository.claims import ClaimRepository, Holder
from arcane.jobs.service.claims import Claims
from arcane.jobs.service.results import Results
from arcane.jobs.service.runs import STOP_TOPIC
from arcane.jobs.subject import ProviderKeys
from arcane.jobs.words import RunState
from arcane.kit.actor import Tenant
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.kit.problems import NotFound
from arcane.messaging.generation import ModelSpec
from arcane.messaging.jobs import (
    CLAIMED_AT_ONCE_MAX,
    CLAIMS_PATH,
    CONTROL_PATH,
    CONTROL_WAIT_S_MAX,
    CONTROLLED_AT_ONCE_MAX,
    KEYS_PATH,
    RESULTS_AT_ONCE_MAX,
    RESULTS_PATH,
    ClaimRequest,
    ControlAnswer,
    ControlRequest,
    GenerateSpec,
    KeyAnswer,
    KeyRequest,
    NotNow,
    ResultsAnswer,
    ResultsRequest,
    ScoreSpec,
    Spec,
)
from arcane.messaging.sessions import SESSION_HEADER, key_purpose, sealed
from arcane.outbox.service import Bell, rung
from arcane.workers.leases import TooManyAtOnce
from arcane.workers.sessions import WorkerDoor

log = get_logger("arcane.jobs")

_INSTANCE = Tenant(instance=True)
_LOOK_EVERY_S = 1.0
_KEY_KEPT_S = 60.0
_STOPPED = {RunState.PAUSED: NotNow.HELD, RunState.CANCELLED: NotNow.CANCELLED}
_ANY = "any"


@dataclass(frozen=True, slots=True)
class JobDesk:
    """Serves workers."""

    door: WorkerDoor
    database: Database
    claims: Claims
    results: Results
    keys: ProviderKeys
    announcer: Announcer
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.announcer.subscribe(STOP_TOPIC, lambda _: self.bell.ring(_ANY))

    async def claim(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a ClaimAnswer. Raises what the door does, TooManyAtOnce, Unavailable."""
        session, request = self.door.entered(CLAIMS_PATH, body, headers, ClaimRequest)
        _bounded(len(request.jobs), CLAIMED_AT_ONCE_MAX)
        answer = await self.claims.claim(request, Holder(session.name, session.instance))
        return msgspec.json.encode(answer)

    async def take(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a ResultsAnswer once everything is written down. Raises as `claim`."""
        session, request = self.door.entered(RESULTS_PATH, body, headers, ResultsRequest)
        _bounded(len(request.results), RESULTS_AT_ONCE_MAX)
        again = await self.results.take(request.results, session.name)
        return msgspec.json.encode(ResultsAnswer(again=tuple(again)))

    async def control(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a ControlAnswer as soon as it differs from what the worker knows. Raises as `claim`."""
        request = self.door.read(CONTROL_PATH, body, headers, ControlRequest)
        _bounded(len(request.runs), CONTROLLED_AT_ONCE_MAX)
        if not 0 <= request.wait_s <= CONTROL_WAIT_S_MAX:
            raise TooManyAtOnce(f"wait_s is at most {CONTROL_WAIT_S_MAX:g}")
        known = dict(request.known)
        ring, stopped = self.bell.next(_ANY), await self._stopped(request.runs)
        with anyio.move_on_after(request.wait_s):
            while stopped == known:
                await rung(ring, _LOOK_EVERY_S)
                ring, stopped = self.bell.next(_ANY), await self._stopped(request.runs)
        return msgspec.json.encode(ControlAnswer(stopped=stopped))

    async def key(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a KeyAnswer. Raises as `claim`, and NotFound when the job or the key is not this worker's to have."""
        session, request = self.door.entered(KEYS_PATH, body, headers, KeyRequest)
        async with self.database.transaction(_INSTANCE) as database:
            held = await ClaimRepository(database).holding(request.job, session.instance)
        if held is None:
            raise NotFound("this worker runs no such job")
        organisation, raw = held
        model = models_of(msgspec.convert(raw, Spec)).get(request.configuration)
        if model is None:
            raise NotFound("the job does not use this model configuration")
        secrets = await self.keys.secrets(organisation, model)
        if secrets is None:
            raise NotFound("the model configuration was deleted, or leads to another address since the work was begun")
        log.info("key_handed_out", worker=session.name, job=str(request.job), configuration=str(request.configuration))
        content = msgspec.json.encode(dict(secrets))
        purpose = key_purpose(request.job, request.configuration)
        envelope = sealed(self.door.key_of(headers[SESSION_HEADER]), content, purpose)
        return msgspec.json.encode(KeyAnswer(sealed=envelope, keep_s=_KEY_KEPT_S))

    async def _stopped(self, runs: Sequence[UUID]) -> dict[UUID, NotNow]:
        async with self.database.transaction(_INSTANCE) as session:
            states = await ClaimRepository(session).states(runs)
        found = {run: _STOPPED.get(RunState(state)) for run, state in states.items()}
        stopped = {run: why for run, why in found.items() if why is not None}
        return stopped | {run: NotNow.UNKNOWN for run in runs if run not in states}


def models_of(spec: Spec) -> Mapping[UUID, ModelSpec]:
    """Returns the models that a job of `spec` may call, by configuration."""
    if isinstance(spec, GenerateSpec):
        return {spec.model.configuration: spec.model}
    if isinstance(spec, ScoreSpec):
        models = (spec.scorer.model, spec.scorer.embedding)
        return {model.configuration: model for model in models if model is not None}
    return {}


def _bounded(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise TooManyAtOnce(f"between 1 and {most} at once")
