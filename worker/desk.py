"""The ledger as a worker sees it: claims, results, control and keys, each in one signed request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import msgspec

from arcane.messaging.envelope import Body
from arcane.messaging.jobs import (
    CLAIMS_PATH,
    CONTROL_PATH,
    CONTROL_WAIT_S_MAX,
    KEYS_PATH,
    RESULTS_PATH,
    ClaimAnswer,
    ClaimRequest,
    ControlAnswer,
    ControlRequest,
    JobResult,
    KeyAnswer,
    KeyRequest,
    NotNow,
    ResultsAnswer,
    ResultsRequest,
)
from arcane.messaging.sessions import CannotUnseal, key_purpose, unsealed
from worker.backend import Backend, BackendRefused, BackendUnreachable
from worker.executors import JobFailed

Answer = TypeVar("Answer", bound=Body)


@dataclass(frozen=True, slots=True)
class Desk:
    """Asks the backend. Every call raises BackendUnreachable or BackendRefused."""

    backend: Backend
    claim_wait_s: float = 55.0

    async def claim(self, jobs: Sequence[UUID], known: Sequence[UUID]) -> ClaimAnswer:
        """Returns what there is to do for the messages of `jobs`."""
        request = ClaimRequest(jobs=tuple(jobs), known=tuple(known))
        return await self._ask(CLAIMS_PATH, request, ClaimAnswer, wait_s=self.claim_wait_s)

    async def send(self, results: Sequence[JobResult]) -> ResultsAnswer:
        """The results are in the ledger; returns which jobs are tried again."""
        return await self._ask(RESULTS_PATH, ResultsRequest(results=tuple(results)), ResultsAnswer)

    async def stopped(self, runs: Sequence[UUID], known: Mapping[UUID, NotNow]) -> Mapping[UUID, NotNow]:
        """Returns which of the runs are not to go on, as soon as that differs from what is known."""
        wait = CONTROL_WAIT_S_MAX
        request = ControlRequest(runs=tuple(runs), wait_s=wait, known=known)
        return (await self._ask(CONTROL_PATH, request, ControlAnswer, wait_s=wait)).stopped

    async def secrets(self, job: UUID, configuration: UUID) -> Mapping[str, str]:
        """Returns the secrets of a model configuration, for a job that we run. Raises CannotUnseal as well."""
        request = KeyRequest(job=job, configuration=configuration)
        raw, session = await self.backend.asked(KEYS_PATH, request)
        answer = _read(raw, KeyAnswer)
        content = unsealed(session.key, answer.sealed, key_purpose(job, configuration))
        return msgspec.json.decode(content, type=dict[str, str])

    async def _ask(self, path: str, request: Body, kind: type[Answer], *, wait_s: float = 0.0) -> Answer:
        return _read(await self.backend.ask(path, request, wait_s=wait_s), kind)


def _read(raw: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as exc:
        raise BackendUnreachable("the backend gave an answer that this release cannot read") from exc


@dataclass(frozen=True, slots=True, repr=False)
class JobKeys:
    """The secrets one job may have; each is asked for once, and forgotten with the job."""

    desk: Desk
    job: UUID
    _had: dict[UUID, Mapping[str, str]] = field(default_factory=dict)

    async def of(self, configuration: UUID) -> Mapping[str, str]:
        """Returns the secrets of the configuration by field. Raises JobFailed when they cannot be had."""
        found = self._had.get(configuration)
        if found is None:
            try:
                found = self._had[configuration] = await self.desk.secrets(self.job, configuration)
            except BackendRefused as exc:
                raise JobFailed.because("key", f"the key of the model was refused: {exc}") from exc
            except (BackendUnreachable, CannotUnseal) as exc:
                raise JobFailed.because("key", "the key of the model cannot be had now", retry=True) from exc
        return found
