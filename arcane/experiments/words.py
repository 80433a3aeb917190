"""States of work over many rows, and what the experiments' service takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from arcane.experiments.tables import Experiment, ExperimentResult
from arcane.kit.pagination import PageRequest

KIND = "experiment"
"""What runs of experiments are called in the ledger."""


class State(StrEnum):
    """How an experiment stands."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    DONE = "done"


class Status(StrEnum):
    """How the work on one row stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (Status.PENDING, Status.RUNNING)


class Again(StrEnum):
    """Which rows a rerun does again."""

    FAILED = "failed"
    ALL = "all"


class Sort(StrEnum):
    """What results are ordered by."""

    ORDINAL = "ordinal"
    OUTPUT = "output"  # by how the answers begin
    LATENCY = "latency"
    TOKENS = "tokens"
    COST = "cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An experiment to be. Without a prompt version, its results come from outside.

    `dataset_version` None is the newest, `model_configuration_id` None the one of the prompt version.
    """

    name: str
    description: str = ""
    prompt_version_id: UUID | None = None
    model_configuration_id: UUID | None = None
    dataset_id: UUID
    dataset_version: int | None = None
    split: str | None = None
    mapping: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How far it is, and what it took. `unpriced` calls are in no cost: their model has no known price."""

    total: int
    done: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    unpriced: int

    @property
    def open(self) -> int:
        """How many are still to be done."""
        return max(0, self.total - self.done - self.failed)

    @property
    def share(self) -> float:
        """How much of it is settled, from 0 to 1."""
        return (self.done + self.failed) / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentView:
    """An experiment as it is shown. `pinned` names prompt, model and dataset as they were called then."""

    id: UUID
    name: str
    description: str
    prompt_version_id: UUID | None
    model_configuration_id: UUID | None
    dataset_id: UUID
    dataset_version: int
    split: str | None
    mapping: Mapping[str, str]
    pinned: Mapping[str, Any]
    state: State
    run_id: UUID | None
    tally: Tally
    created_by: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def external(self) -> bool:
        """True when results come from outside."""
        return self.prompt_version_id is None

    @classmethod
    def of(cls, row: Experiment) -> ExperimentView:
        """Returns `row` as it is shown."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            prompt_version_id=row.prompt_version_id,
            model_configuration_id=row.model_configuration_id,
            dataset_id=row.dataset_id,
            dataset_version=row.dataset_version,
            split=row.split,
            mapping=row.mapping,
            pinned=row.pinned,
            state=State(row.state),
            run_id=row.run_id,
            tally=Tally(
                row.total, row.done, row.failed, row.input_tokens, row.output_tokens, row.cost_usd, row.unpriced
            ),
            created_by=row.created_by,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


@dataclass(frozen=True, slots=True)
class ResultsRequest:
    """Which results: in which state, saying what (anywhere in the answer), in which order."""

    page: PageRequest
    status: Status | None = None
    search: str = ""
    sort: Sort = Sort.ORDINAL
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultView:
    """What came of one row. `values` are the row's by column name; empty where the dataset is gone."""

    id: UUID
    row_id: UUID
    ordinal: int
    status: Status
    values: Mapping[str, Any]
    output: str
    tool_calls: Sequence[Mapping[str, Any]]
    structured: Any
    finish_reason: str
    model: str
    error: str
    attempts: int
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: ExperimentResult, values: Mapping[str, Any]) -> ResultView:
        """Returns `row` as it is shown."""
        return cls(
            id=row.id,
            row_id=row.row_id,
            ordinal=row.ordinal,
            status=Status(row.status),
            values=values,
            output=row.output,
            tool_calls=row.tool_calls or (),
            structured=row.structured,
            finish_reason=row.finish_reason,
            model=row.model,
            error=row.error,
            attempts=row.attempts,
            latency_ms=row.latency_ms,
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            cost_usd=row.cost_usd,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


@dataclass(frozen=True, slots=True)
class Reported:
    """A result that somebody brings: what their own program answered for a row, or why it did not."""

    row_id: UUID
    output: str = ""
    structured: Any = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    latency_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error: str = ""
