"""What runs are about: the slices that give jobs their inputs and take their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.jobs.words import RunState
from arcane.kit.actor import Tenant
from arcane.messaging.generation import ModelSpec
from arcane.messaging.jobs import Failed, JobResult

Inputs: TypeAlias = Mapping[str, Any]
"""Plain JSON by the name of a variable."""


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run, as its subject needs it."""

    id: UUID
    organisation_id: UUID
    project_id: UUID
    subject_id: UUID
    kind: str

    @property
    def tenant(self) -> Tenant:
        """What transactions about the run may see."""
        return Tenant(self.organisation_id, self.project_id)


class Subject(Protocol):
    """One per kind of run: "experiment", "evaluation", ..."""

    async def inputs(self, run: RunRef, jobs: Sequence[UUID]) -> Mapping[UUID, Inputs | Failed]:
        """Returns what each of the jobs is to be done to. Content that is read for it is not stored anywhere.

        Called outside of any transaction. A job that is left out has failed for good.
        """
        ...

    async def take(self, session: AsyncSession, run: RunRef, results: Sequence[JobResult]) -> None:
        """The results are written, in the transaction of the ledger and of the run's tenant.

        Each is final, and of a job that was open: its `error` says that it failed for good. A job that is tried again
        by hand brings another result, which takes the place of the one before.
        """
        ...

    async def keeps_words(self, session: AsyncSession, run: RunRef) -> bool:
        """True when the ledger may keep what a worker says about a try that failed: it may quote what was read for it.

        In a transaction of the run's tenant.
        """
        ...

    async def told(self, session: AsyncSession, run: RunRef, state: RunState) -> None:
        """Somebody who looks after jobs has paused or cancelled the run, or let it go on: now it is in `state`.

        In a transaction of the run's tenant, which holds the run. Raises a Problem where that may not be: then nothing
        of it happened.
        """
        ...

    async def ended(self, session: AsyncSession, run: RunRef) -> None:
        """Every job of the run is settled: what has no result yet was cancelled. In a transaction of the run's tenant.

        A run to which jobs are added, or whose jobs are tried again, ends again.
        """
        ...


class UnknownKind(LookupError):
    """No slice of this release knows such runs."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The subject of every kind; the composition root fills it."""

    by_kind: dict[str, Subject] = field(default_factory=dict)

    def add(self, kind: str, subject: Subject) -> None:
        """Runs of `kind` are about `subject` from now on."""
        self.by_kind[kind] = subject

    def of(self, kind: str) -> Subject:
        """Returns the subject of `kind`. Raises UnknownKind."""
        try:
            return self.by_kind[kind]
        except KeyError:
            raise UnknownKind(f"no slice knows runs of the kind {kind}") from None


class ProviderKeys(Protocol):
    """Where the secrets of model configurations are."""

    async def secrets(self, organisation_id: UUID, model: ModelSpec) -> Mapping[str, str] | None:
        """Returns the secrets of the configuration by field.

        None when the organisation has no such one, and when `model` would send them to an address that they were not
        entered for.
        """
        ...
