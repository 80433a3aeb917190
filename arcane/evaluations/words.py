"""What the evaluations' service takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from arcane.datasets.sources import Scope
from arcane.evaluations.tables import Evaluation, EvaluationScore, ScoreResult, Subject
from arcane.experiments.words import Status, Tally
from arcane.kit.pagination import PageRequest

KIND = "evaluation"
"""What runs of evaluations are called in the ledger."""

_LARGEST_FIGURE = 1e100
"""The squares of a million such numbers still add up to one, here and in the database."""


class Mode(StrEnum):
    """Who judges."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class State(StrEnum):
    """How an evaluation stands."""

    LISTING = "listing"  # what a query finds is being listed
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"  # its budget is spent
    CANCELLED = "cancelled"
    DONE = "done"


class Unit(StrEnum):
    """What of a trace is judged."""

    TRACE = "trace"
    SPAN = "span"


class Given(StrEnum):
    """Who gave a value."""

    SCORER = "scorer"
    PERSON = "person"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchDraft:
    """The traces that are judged. Without datasources, all; `start` and `end` are nanoseconds."""

    query: str
    datasource_ids: tuple[UUID, ...] = ()
    start: int | None = None
    end: int | None = None
    limit: int = 100
    unit: Unit = Unit.TRACE
    sample: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An evaluation to be. `mappings` are variable -> source by score.

    The model is the one that scores ask where they name none; without it, the project's.
    """

    name: str
    description: str = ""
    mode: Mode = Mode.AUTOMATIC
    scope: Scope
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    split: str | None = None
    experiment_ids: tuple[UUID, ...] = ()
    search: SearchDraft | None = None
    scores: tuple[UUID, ...]
    mappings: Mapping[UUID, Mapping[str, str]]
    model_configuration_id: UUID | None = None
    metadata: Mapping[str, Any] | None = None
    capture: bool = False
    budget_usd: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A score that an evaluation asks for, as it was when that was made."""

    score_id: UUID
    name: str
    description: str
    scale: str
    labels: tuple[tuple[str, float], ...]
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    automatic: bool
    scorer: str
    mapping: Mapping[str, str]

    @classmethod
    def of(cls, row: EvaluationScore) -> ScoreView:
        """Returns `row` as it is shown."""
        pinned = row.pinned
        return cls(
            row.score_id,
            pinned["name"],
            pinned.get("description", ""),
            pinned["scale"],
            tuple((label, value) for label, value in pinned["labels"]),
            pinned["lowest"],
            pinned["highest"],
            pinned["lower_is_better"],
            row.spec_id is not None,
            pinned["scorer"],
            row.mapping,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationView:
    """An evaluation as it is shown."""

    id: UUID
    name: str
    description: str
    mode: Mode
    scope: Scope
    dataset_id: UUID | None
    dataset_version: int | None
    split: str | None
    search: Mapping[str, Any] | None
    pinned: Mapping[str, Any]
    experiments: tuple[tuple[UUID, str], ...]
    scores: tuple[ScoreView, ...]
    model_configuration_id: UUID | None
    metadata: Mapping[str, Any]
    capture: bool
    state: State
    note: str
    run_id: UUID | None
    budget_usd: float | None
    tally: Tally
    watermark: int | None
    looked_at: datetime | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(
        cls, row: Evaluation, scores: Sequence[EvaluationScore], experiments: Sequence[tuple[UUID, str]]
    ) -> EvaluationView:
        """Returns `row` as it is shown."""
        same = {
            name: getattr(row, name)
            for name in (
                *("id", "name", "description", "dataset_id", "dataset_version", "split", "search", "pinned"),
                *("capture", "note", "run_id", "budget_usd", "watermark", "looked_at", "created_by", "created_at"),
                *("model_configuration_id", "finished_at"),
            )
        }
        return cls(
            **same,
            metadata=row.extra,
            mode=Mode(row.mode),
            scope=Scope(row.scope),
            state=State(row.state),
            experiments=tuple(experiments),
            scores=tuple(map(ScoreView.of, scores)),
            tally=Tally(
                row.total, row.done, row.failed, row.input_tokens, row.output_tokens, row.cost_usd, row.unpriced
            ),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """How one score turned out: of one experiment's results, or of everything."""

    score_id: UUID
    experiment_id: UUID | None
    total: int
    done: int
    failed: int
    mean: float | None
    lowest: float | None
    highest: float | None
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ScoreResultView:
    """What one score says of one subject."""

    id: UUID
    score_id: UUID
    status: Status
    source: Given
    value: float | None
    label: str
    reasoning: str
    details: Mapping[str, Any] | None
    error: str
    scored_by: str
    attempts: int
    latency_ms: float | None
    cost_usd: float | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: ScoreResult) -> ScoreResultView:
        """Returns `row` as it is shown."""
        return cls(
            row.id,
            row.score_id,
            Status(row.status),
            Given(row.source),
            row.value,
            row.label,
            row.reasoning,
            row.details,
            row.error,
            row.scored_by,
            row.attempts,
            row.latency_ms,
            row.cost_usd,
            row.finished_at,
        )


@dataclass(frozen=True, slots=True)
class SubjectView:
    """What is judged, and what every score says of it. `values` and `output` are there while what they are of is."""

    id: UUID
    ordinal: int
    row_id: UUID | None
    experiment_id: UUID | None
    result_id: UUID | None
    datasource_id: UUID | None
    trace_id: str | None
    span_id: str | None
    time_ns: int | None
    values: Mapping[str, Any]
    output: str | None
    results: Mapping[UUID, ScoreResultView]
    created_at: datetime

    @classmethod
    def of(
        cls, row: Subject, values: Mapping[str, Any], output: str | None, results: Sequence[ScoreResult]
    ) -> SubjectView:
        """Returns `row` as it is shown."""
        return cls(
            row.id,
            row.ordinal,
            row.row_id,
            row.experiment_id,
            row.result_id,
            row.datasource_id,
            row.trace_id,
            row.span_id,
            row.time_ns,
            values,
            output,
            {one.score_id: ScoreResultView.of(one) for one in results},
            row.created_at,
        )


@dataclass(frozen=True, slots=True)
class SubjectsRequest:
    """Which subjects: of one experiment, with a result in some state, ordered by what one score says."""

    page: PageRequest
    experiment_id: UUID | None = None
    score_id: UUID | None = None
    status: Status | None = None
    sort: UUID | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value that somebody gives: for a subject, or for what is judged by its own id."""

    value: float | None = None
    label: str = ""
    reasoning: str = ""
    subject_id: UUID | None = None
    row_id: UUID | None = None
    result_id: UUID | None = None
    trace_id: str | None = None
    span_id: str | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an evaluation would take. The range is honest: scorers make several calls, and answers differ in length.

    `unpriced` are models without a known price; they are in no cost.
    """

    subjects: int
    results: int
    calls_low: int
    calls_high: int
    input_tokens_low: int
    input_tokens_high: int
    cost_usd_low: float
    cost_usd_high: float
    unpriced: tuple[str, ...]
    sampled: int


def is_figure(value: float) -> bool:
    """Returns True for a number that means and spreads can be worked out of."""
    return abs(value) <= _LARGEST_FIGURE
