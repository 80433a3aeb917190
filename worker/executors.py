"""Who does what: an executor for each kind of spec, and what it is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import anyio

from arcane.messaging.generation import Generated
from arcane.messaging.jobs import IdleSpec, JobError, Spec
from arcane.messaging.scoring import Verdict
from arcane.model.deadline import Deadline


class Keys(Protocol):
    """The secrets of model configurations, for one job while it runs."""

    async def of(self, configuration: UUID) -> Mapping[str, str]:
        """Returns the secrets of the configuration by field. Raises JobFailed when they cannot be had."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One try of a job. Whoever does it is cancelled at the deadline."""

    job: UUID
    run: UUID
    organisation: UUID
    inputs: Mapping[str, Any]
    attempt: int
    deadline: Deadline
    keys: Keys
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it: what was generated, or the verdict; neither for an idle job."""

    generated: Generated | None = None
    verdict: Verdict | None = None


class JobFailed(Exception):
    """The try did not succeed. `retry`: a later one may. The error holds no key and no content."""

    def __init__(self, error: JobError, *, retry: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry = retry

    @classmethod
    def because(cls, kind: str, message: str, *, retry: bool = False) -> JobFailed:
        """Returns the failure with an error of that kind."""
        return cls(JobError(kind=kind, message=message), retry=retry)


class Executor(Protocol):
    """Does the work of one kind of spec. Called by many tasks at once."""

    async def run(self, spec: Any, work: Work) -> Done:
        """Returns what came of it. Raises JobFailed; any other exception is a failure that is tried again."""
        ...


class Idle:
    """Does nothing, and succeeds."""

    async def run(self, spec: IdleSpec, work: Work) -> Done:
        """Returns when the time of its spec is over, at once where there is none."""
        if spec.takes_s:
            await anyio.sleep(spec.takes_s)
        return Done()


@dataclass(frozen=True, slots=True)
class Executors:
    """The executors of this worker by the tag of their specs ("generate", "score", "idle")."""

    by_tag: Mapping[str, Executor]

    @property
    def tags(self) -> tuple[str, ...]:
        """What this worker can run, as it is announced."""
        return tuple(sorted(self.by_tag))

    async def run(self, spec: Spec, work: Work) -> Done:
        """Returns what came of it. Raises JobFailed, for a spec nobody here can do as well."""
        tag = tag_of(spec)
        executor = self.by_tag.get(tag)
        if executor is None:
            raise JobFailed.because("unsupported", f"this worker cannot run jobs of the kind {tag}", retry=True)
        return await executor.run(spec, work)


def tag_of(spec: Spec) -> str:
    """Returns what kind of work it is: "generate", "score" or "idle"."""
    return str(spec.__struct_config__.tag)
