"""What the score endpoints take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from arcane.catalog.schemas import Settings
from arcane.kit.schema import Schema
from arcane.messaging.scoring import Label, Scale
from arcane.scores.editing import ScoreDraft
from arcane.scores.views import KnownScorer, Models, Ordinal, ScoreView, Tried

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Helpfulness"])]
Description = Annotated[str, Field(max_length=2_000)]


class _In(Schema):
    model_config = ConfigDict(extra="forbid")


class _Out(Schema):
    model_config = ConfigDict(from_attributes=True)


class LabelIn(_In):
    """A category, and the number it counts as."""

    label: Annotated[str, Field(min_length=1, max_length=100, examples=["good"])]
    value: Annotated[float, Field(allow_inf_nan=False, examples=[1.0])]


class OrdinalIn(_In):
    """What is good enough."""

    acceptable_set: Annotated[list[str], Field(max_length=50, description="Labels that pass.")] = []
    threshold_rank: Annotated[int | None, Field(ge=0, description="The rank, from 0, below which the tail begins.")] = (
        None
    )


class ScoreIn(_In):
    """A score. Without a scorer, people give it."""

    name: Name
    description: Description = ""
    scale: Scale = Scale.NUMERIC
    labels: Annotated[list[LabelIn], Field(max_length=50, description="Of an ordinal score in order.")] = []
    ordinal: OrdinalIn | None = None
    lowest: Annotated[float | None, Field(allow_inf_nan=False)] = None
    highest: Annotated[float | None, Field(allow_inf_nan=False)] = None
    lower_is_better: bool = False
    scorer: Annotated[str | None, Field(max_length=100, description="The key of a scorer, see `scorers`.")] = None
    settings: Annotated[Settings, Field(description="What the scorer's schema asks for.")] = {}
    model_id: Annotated[UUID | None, Field(description="The model that judges; null: that of the project.")] = None
    embedding_id: UUID | None = None

    def draft(self, version: int | None = None) -> ScoreDraft:
        """Returns it as the service takes it."""
        told = self.ordinal
        ordinal = None if told is None else Ordinal(tuple(told.acceptable_set), told.threshold_rank)
        return ScoreDraft(
            name=self.name,
            description=self.description,
            scale=self.scale,
            labels=tuple(Label(one.label, one.value) for one in self.labels),
            ordinal=ordinal,
            lowest=self.lowest,
            highest=self.highest,
            lower_is_better=self.lower_is_better,
            scorer=self.scorer,
            settings=self.settings,
            models=Models(self.model_id, self.embedding_id),
            version=version,
        )


class ScorePut(ScoreIn):
    """A score as it shall be."""

    version: Annotated[
        int | None, Field(ge=1, description="The version the change was made for; 409 when it is another by now.")
    ] = None


class ScoreModelsIn(_In):
    """The models of a project's scores."""

    model_id: UUID | None = None
    embedding_id: UUID | None = None


class LabelOut(_Out):
    """A category, and the number it counts as."""

    label: str
    value: float


class OrdinalOut(_Out):
    """What is good enough."""

    acceptable_set: list[str]
    threshold_rank: int | None


class InputOut(_Out):
    """Something that a scorer reads."""

    name: str
    kind: str
    required: bool
    description: str


class ScoreOut(_Out):
    """A score. `workers` are those that can give it now."""

    id: UUID
    name: str
    description: str
    scale: Scale
    labels: list[LabelOut]
    ordinal: OrdinalOut | None
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    scorer: str | None
    settings: dict[str, Any]
    model_id: UUID | None
    embedding_id: UUID | None
    needs_model: bool
    needs_embeddings: bool
    inputs: list[InputOut]
    workers: list[str]
    known: bool
    built_in: bool
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: ScoreView) -> Self:
        """Returns the score as it is answered."""
        told = {name: getattr(view, name) for name in cls.model_fields if not name.endswith("_id")}
        return cls.model_validate(
            {**told, "model_id": view.models.model_id, "embedding_id": view.models.embedding_id}, from_attributes=True
        )


class ScorePage(Schema):
    """Scores by name, the project's own first."""

    items: list[ScoreOut]
    next: str | None


class ScoreModelsOut(_Out):
    """The models of a project's scores."""

    model_id: UUID | None
    embedding_id: UUID | None


class ScorerOut(Schema):
    """A scorer. `settings` is a JSON schema; `template_setting` and `code_setting` name settings that name inputs."""

    key: str
    name: str
    group: str
    description: str
    scale: Scale
    labels: list[LabelOut]
    inputs: list[InputOut]
    settings: dict[str, Any]
    template_setting: str
    code_setting: str
    needs_model: bool
    needs_embeddings: bool
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    workers: list[str]

    @classmethod
    def of(cls, scorer: KnownScorer) -> Self:
        """Returns the scorer as it is answered."""
        told = {name: getattr(scorer.description, name) for name in cls.model_fields if name != "workers"}
        return cls.model_validate({**told, "workers": scorer.workers}, from_attributes=True)


class ScorerList(Schema):
    """Every scorer that a worker ever announced."""

    items: list[ScorerOut]
    next: str | None


class TrialIn(_In):
    """A score to try, and what its scorer is to judge, by variable."""

    score: ScoreIn
    inputs: Annotated[Settings, Field(max_length=100, examples=[{"response": "Paris", "reference": "Paris"}])] = {}


class TrialOut(_Out):
    """What the score said. With an `error` there is no value; `detail` is what the provider said."""

    worker: str
    value: float | None = None
    label: str = ""
    reasoning: str = ""
    details: dict[str, Any] = {}
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    duration_ms: float
    error: str = ""
    cause: str = ""
    detail: str = ""

    @classmethod
    def of(cls, tried: Tried) -> Self:
        """Returns the trial as it is answered."""
        verdict = tried.verdict
        told = {} if verdict is None else {name: getattr(verdict, name) for name in ("value", "label", "reasoning")}
        used = (
            {}
            if verdict is None
            else {name: getattr(verdict.usage, name) for name in ("input_tokens", "output_tokens", "cost_usd")}
        )
        return cls(
            **told,
            **used,
            details={} if verdict is None else dict(verdict.details),
            worker=tried.worker,
            duration_ms=tried.duration_ms,
            error=tried.error,
            cause=tried.cause,
            detail=tried.detail,
        )
