"""What the evaluations' endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from arcane.catalog.schemas import Settings
from arcane.datasets.sources import Scope
from arcane.evaluations.service.figures import ScoreComparison, ScoreFigures
from arcane.evaluations.words import Draft, Given, Mode, SearchDraft, State, SubjectView, Unit, Verdict
from arcane.experiments.schemas import Description, Name, TallyOut
from arcane.experiments.words import Again, Status
from arcane.kit.pagination import Page
from arcane.kit.schema import Schema
from arcane.messaging.scoring import Scale
from arcane.model.time import nanos_of
from arcane.statistics import shapes

_LONGEST_REASONING = 20_000
IMPORTED_MAX = 1_000
Mappings = Annotated[
    dict[UUID, Annotated[dict[str, Annotated[str, Field(max_length=4_000)]], Field(max_length=100)]],
    Field(
        max_length=50,
        description="Score -> variable of its scorer -> source: `column:answer`, `experiment:output`, `trace:input`, "
        "`span:http.route`, `text:...`; `#/json/pointer` picks a part. What is left out is filled with what is called "
        "alike, or with what is usual.",
    ),
]
Budget = Annotated[
    float | None,
    Field(gt=0, le=1_000_000, description="US dollars. When they are spent, nothing further begins."),
]
ModelConfiguration = Annotated[
    UUID | None, Field(description="The model that scores ask where they name none; the project's, if left out.")
]
Metadata = Annotated[Settings, Field(max_length=50, examples=[{"commit": "4f2c9e1"}])]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class EvaluatedSearchIn(_In):
    """Which traces are judged."""

    query: Annotated[str, Field(max_length=32_768, examples=['{ resource.service.name = "assistant" }'])]
    datasource_ids: Annotated[list[UUID], Field(max_length=16, description="All, where it is left out.")] = []
    start: Annotated[
        AwareDatetime | None, Field(description="For a live evaluation: where it begins; now, where it is left out.")
    ] = None
    end: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, description="Most traces that are listed; of a live evaluation, at once.")] = 100
    unit: Annotated[Unit, Field(description="Judge traces, or each span that matches.")] = Unit.TRACE
    sample: Annotated[float, Field(gt=0, le=1, description="Share of a live evaluation's traces.")] = 1.0

    def draft(self) -> SearchDraft:
        """Returns it as the service takes it."""
        return SearchDraft(
            query=self.query,
            datasource_ids=tuple(self.datasource_ids),
            start=None if self.start is None else nanos_of(self.start),
            end=None if self.end is None else nanos_of(self.end),
            limit=self.limit,
            unit=self.unit,
            sample=self.sample,
        )


class EvaluationIn(_In):
    """A new evaluation: over a version of a dataset, over experiments that share one, or over traces."""

    name: Name
    description: Description = ""
    mode: Annotated[Mode, Field(description="`manual`: people give all scores.")] = Mode.AUTOMATIC
    scope: Scope
    dataset_id: UUID | None = None
    dataset_version: Annotated[int | None, Field(ge=1)] = None
    split: Annotated[str | None, Field(max_length=100)] = None
    experiment_ids: Annotated[list[UUID], Field(max_length=20)] = []
    search: EvaluatedSearchIn | None = None
    score_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]
    mappings: Mappings = {}
    model_configuration_id: ModelConfiguration = None
    metadata: Metadata = {}
    capture: Annotated[
        bool,
        Field(
            description="Keep reasoning and details of verdicts about traces: they may quote what traces hold. "
            "Verdicts about rows and experiments always keep theirs."
        ),
    ] = False
    budget_usd: Budget = None

    def draft(self) -> Draft:
        """Returns it as the service takes it."""
        return Draft(
            name=self.name,
            description=self.description,
            mode=self.mode,
            scope=self.scope,
            dataset_id=self.dataset_id,
            dataset_version=self.dataset_version,
            split=self.split,
            experiment_ids=tuple(dict.fromkeys(self.experiment_ids)),
            search=None if self.search is None else self.search.draft(),
            scores=tuple(dict.fromkeys(self.score_ids)),
            mappings=self.mappings,
            model_configuration_id=self.model_configuration_id,
            metadata=self.metadata,
            capture=self.capture,
            budget_usd=self.budget_usd,
        )


class EvaluationPatch(_In):
    """What shall be different. Nothing else of an evaluation ever is."""

    name: Name | None = None
    description: Description | None = None
    budget_usd: Budget = None

    def changes(self) -> dict[str, Any]:
        """Returns what was sent; a budget of null takes it away."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in said.items() if value is not None or name == "budget_usd"}


class AgainIn(_In):
    """What scorers do again: what failed or was cancelled, or all."""

    results: Again = Again.FAILED


class VerdictIn(_In):
    """What a person says: a number, or one of the score's labels."""

    value: Annotated[float | None, Field(allow_inf_nan=False)] = None
    label: Annotated[str, Field(max_length=200)] = ""
    reasoning: Annotated[str, Field(max_length=_LONGEST_REASONING)] = ""


class ImportedIn(VerdictIn):
    """A value from elsewhere. Exactly one of the ids says what it is about."""

    subject_id: UUID | None = None
    row_id: UUID | None = None
    result_id: Annotated[UUID | None, Field(description="Of an experiment.")] = None
    trace_id: Annotated[str | None, Field(max_length=32)] = None
    span_id: Annotated[str | None, Field(max_length=16)] = None

    @model_validator(mode="after")
    def _about_one_thing(self) -> ImportedIn:
        if sum(one is not None for one in (self.subject_id, self.row_id, self.result_id, self.trace_id)) != 1:
            raise ValueError("exactly one of subject_id, row_id, result_id and trace_id says what it is about")
        return self

    def verdict(self) -> Verdict:
        """Returns it as the service takes it."""
        return Verdict(**dict(self))


class ImportIn(_In):
    """Values of one score. Either all are taken, or none."""

    results: Annotated[list[ImportedIn], Field(min_length=1, max_length=IMPORTED_MAX)]


class ImportedOut(Schema):
    """How many values were taken."""

    imported: int


class EvaluationScoreOut(_Out):
    """A score as it was when the evaluation was made."""

    score_id: UUID
    name: str
    description: str
    scale: str
    labels: list[tuple[str, float]]
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    automatic: bool
    scorer: str
    mapping: dict[str, str]


class EvaluationOut(_Out):
    """An evaluation. `note` says what stands in its way, `experiments` are ids and names."""

    id: UUID
    name: str
    description: str
    mode: Mode
    scope: Scope
    dataset_id: UUID | None
    dataset_version: int | None
    split: str | None
    search: dict[str, Any] | None
    pinned: dict[str, Any]
    experiments: list[tuple[UUID, str]]
    scores: list[EvaluationScoreOut]
    model_configuration_id: UUID | None
    metadata: dict[str, Any]
    capture: bool
    state: State
    note: str
    run_id: UUID | None
    budget_usd: float | None
    tally: TallyOut
    watermark: Annotated[
        int | None, Field(description="Nanoseconds: a live evaluation has looked at what began before.")
    ]
    looked_at: datetime | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class EvaluationPage(_Out):
    """Some of the evaluations, newest first."""

    items: list[EvaluationOut]
    next: str | None


class EstimateOut(_Out):
    """What it would take. Costs are a range, without the models in `unpriced`."""

    subjects: int
    results: int
    calls_low: int
    calls_high: int
    input_tokens_low: int
    input_tokens_high: int
    cost_usd_low: float
    cost_usd_high: float
    unpriced: list[str]
    sampled: Annotated[int, Field(description="Rows that were measured; 0 for traces, which nobody reads for this.")]


class SummaryOut(_Out):
    """How a score turned out."""

    score_id: UUID
    experiment_id: UUID | None
    total: int
    done: int
    failed: int
    mean: float | None
    lowest: float | None
    highest: float | None
    labels: dict[str, int]


class Summaries(Schema):
    """One for each score, and each experiment where there are any."""

    items: list[SummaryOut]
    next: None


class ScoreFiguresOut(Schema):
    """A score of one experiment's results, or of everything: the member that its scale names is there."""

    score_id: UUID
    experiment_id: UUID | None
    scale: Scale
    numeric: shapes.NumericSummary | None = None
    nominal: shapes.NominalSummary | None = None
    ordinal: shapes.OrdinalSummary | None = None

    @classmethod
    def of(cls, figures: ScoreFigures) -> ScoreFiguresOut:
        """Returns the figures under their scale."""
        scale = Scale(figures.score.scale)
        given: Any = {str(scale): figures.summary}
        return cls(score_id=figures.score.score_id, experiment_id=figures.experiment_id, scale=scale, **given)


class StatisticsOut(Schema):
    """One for each score, and each experiment where there are any."""

    items: list[ScoreFiguresOut]
    next: None


class ScoreComparisonOut(Schema):
    """A score of two experiments, B against A: the member that its scale names is there.

    `p_value` is of the permutation test, of Wilcoxon's or of Bowker's; `p_value_holm` is corrected for all scores.
    """

    score_id: UUID
    scale: Scale
    p_value: float | None
    p_value_holm: float | None
    numeric: shapes.NumericComparison | None = None
    nominal: shapes.NominalComparison | None = None
    ordinal: shapes.OrdinalComparison | None = None

    @classmethod
    def of(cls, one: ScoreComparison) -> ScoreComparisonOut:
        """Returns the comparison under its scale."""
        scale = Scale(one.score.scale)
        given: Any = {str(scale): one.comparison}
        return cls(
            score_id=one.score.score_id, scale=scale, p_value=one.p_value, p_value_holm=one.p_value_holm, **given
        )


class ComparisonsOut(Schema):
    """One for each score."""

    items: list[ScoreComparisonOut]
    next: None


class ScoreResultOut(_Out):
    """What one score says."""

    id: UUID
    score_id: UUID
    status: Status
    source: Given
    value: float | None
    label: str
    reasoning: str
    details: dict[str, Any] | None
    error: str
    scored_by: str
    attempts: int
    latency_ms: float | None
    cost_usd: Annotated[float | None, Field(description="Of the verdict that is here; the tally has all tries.")]
    finished_at: datetime | None


class SubjectOut(Schema):
    """What is judged: a row, an answer of an experiment, a trace or a span; and what every score says of it."""

    id: UUID
    ordinal: int
    row_id: UUID | None
    experiment_id: UUID | None
    result_id: UUID | None
    datasource_id: UUID | None
    trace_id: str | None
    span_id: str | None
    time_ns: Annotated[str | None, Field(description="Nanoseconds since the epoch.")]
    values: dict[str, Any]
    output: str | None
    results: list[ScoreResultOut]

    @classmethod
    def of(cls, view: SubjectView) -> SubjectOut:
        """Returns `view` as it is shown."""
        same = {name: getattr(view, name) for name in ("id", "ordinal", "row_id", "experiment_id", "result_id")}
        return cls(
            **same,
            datasource_id=view.datasource_id,
            trace_id=view.trace_id,
            span_id=view.span_id or None,
            time_ns=None if view.time_ns is None else str(view.time_ns),
            values=dict(view.values),
            output=view.output,
            results=[ScoreResultOut.model_validate(one) for one in view.results.values()],
        )


class SubjectPage(Schema):
    """Some of what is judged."""

    items: list[SubjectOut]
    next: str | None

    @classmethod
    def of(cls, page: Page[SubjectView]) -> SubjectPage:
        """Returns `page` as it is shown."""
        return cls(items=[SubjectOut.of(one) for one in page.items], next=page.next)
