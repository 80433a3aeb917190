"""Jobs: a message names one, a claim brings it, a result settles it.

The message in the broker holds ids alone. A worker that holds messages claims their jobs, many in one signed
request, and gets what each is to do (`spec`, shared by the jobs of a run) and to what (`inputs`); that is also when
content of traces is read, so none of it is ever at rest. A run that was cancelled or paused gives nothing, and the
message is acknowledged: what is still to be done is in the backend's ledger, which promises a new message when the run
goes on. A result is taken once, whoever sends it how often: the job's id is its idempotency key.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from arcane.messaging.envelope import Body
from arcane.messaging.generation import Generated, ModelSpec, PromptSpec, Usage
from arcane.messaging.scoring import ScorerSpec, Verdict

QUEUE = "jobs"
CLAIMS_PATH = "/internal/v1/jobs/claims"
RESULTS_PATH = "/internal/v1/jobs/results"
CONTROL_PATH = "/internal/v1/jobs/control"
KEYS_PATH = "/internal/v1/jobs/keys"
CLAIMED_AT_ONCE_MAX = 500
RESULTS_AT_ONCE_MAX = 500
CONTROLLED_AT_ONCE_MAX = 1_000
CONTROL_WAIT_S_MAX = 20.0


class GenerateSpec(msgspec.Struct, frozen=True, kw_only=True, tag="generate"):
    """Render the prompt with the job's inputs and ask the model."""

    prompt: PromptSpec
    model: ModelSpec


class ScoreSpec(msgspec.Struct, frozen=True, kw_only=True, tag="score"):
    """Give the job's inputs to the scorer."""

    scorer: ScorerSpec


class IdleSpec(msgspec.Struct, frozen=True, kw_only=True, tag="idle"):
    """Do nothing for `takes_s` and succeed: what a job costs by itself is measured with this one."""

    takes_s: float = 0.0


Spec = GenerateSpec | ScoreSpec | IdleSpec


class JobNotice(Body, frozen=True, kw_only=True, tag="job"):
    """What travels over the broker."""

    job: UUID
    run: UUID


class ClaimRequest(Body, frozen=True, kw_only=True, tag="claim_request"):
    """We hold the messages of these jobs. `known` are specs we have already."""

    jobs: tuple[UUID, ...]
    known: tuple[UUID, ...] = ()


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is to be done now: `spec` names one that came along or was known. `attempt` counts tries from 1."""

    job: UUID
    run: UUID
    organisation: UUID
    spec: UUID
    inputs: Mapping[str, Any]
    deadline_s: float
    attempt: int = 1


class NotNow(StrEnum):
    """Why there is nothing to do for a message: it can be acknowledged."""

    SETTLED = "settled"  # there is a result already
    HELD = "held"  # its run is paused
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # its run was deleted
    EARLY = "early"  # its next try is due later; the ledger promises a message for it then


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """What the inputs of a job could not be had for; `retry`: it may work later."""

    error: str
    retry: bool


class ClaimAnswer(Body, frozen=True, kw_only=True, tag="claim_answer"):
    """Every job that was asked for is in exactly one of the three."""

    claimed: tuple[Claimed, ...] = ()
    not_now: Mapping[UUID, NotNow] = {}
    failed: Mapping[UUID, Failed] = {}
    specs: Mapping[UUID, Spec] = {}


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job did not succeed. `message` is for the person who started the run; it holds no key and no content.

    `usage` is what the try took nevertheless: a model that answered nothing of use is paid all the same.
    """

    kind: str
    message: str
    usage: Usage = Usage()


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one try. Exactly one of `generated`, `verdict`, `error` is there, none for an idle job.

    With an `error` and `final` false the job is tried again later; otherwise this is its result.
    """

    job: UUID
    attempt: int
    duration_ms: float
    generated: Generated | None = None
    verdict: Verdict | None = None
    error: JobError | None = None
    final: bool = True


class ResultsRequest(Body, frozen=True, kw_only=True, tag="results"):
    """What became of jobs. Sending it again changes nothing."""

    results: tuple[JobResult, ...]


class ResultsAnswer(Body, frozen=True, kw_only=True, tag="results_answer"):
    """All of them were taken. The jobs of `again` are tried once more: their messages go back for a later try."""

    again: tuple[UUID, ...] = ()


class ControlRequest(Body, frozen=True, kw_only=True, tag="control_request"):
    """Which of these runs are not to go on? The answer waits, `wait_s` at most, until it differs from `known`."""

    runs: tuple[UUID, ...]
    wait_s: float
    known: Mapping[UUID, NotNow] = {}


class ControlAnswer(Body, frozen=True, kw_only=True, tag="control_answer"):
    """Those of them that were paused (`HELD`), cancelled or deleted (`UNKNOWN`)."""

    stopped: Mapping[UUID, NotNow]


class KeyRequest(Body, frozen=True, kw_only=True, tag="key_request"):
    """The key of `configuration` is needed for a job that we hold."""

    job: UUID
    configuration: UUID


class KeyAnswer(Body, frozen=True, kw_only=True, tag="key_answer"):
    """The provider's secrets, sealed for the worker that asked (JSON object; AES-GCM under its session's key)."""

    sealed: bytes
    keep_s: float
