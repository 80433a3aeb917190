"""What is shown and handed on of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from arcane.messaging.scoring import Label, Scale, ScorerDescription, ScorerInput, ScorerSpec, Verdict
from arcane.scores.tables import Score


@dataclass(frozen=True, slots=True)
class KnownScorer:
    """A scorer, and the workers that have it now."""

    description: ScorerDescription
    workers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordinal:
    """What is good enough of an ordinal score: labels that pass, and the rank (from 0) below which the tail begins."""

    acceptable_set: tuple[str, ...] = ()
    threshold_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """The models that scores are given with: one to ask, one to embed texts with."""

    model_id: UUID | None = None
    embedding_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreView:
    """A score. `inputs` are what its scorer reads; `known` is False when no worker ever announced that scorer."""

    id: UUID
    name: str
    description: str
    scale: Scale
    labels: tuple[Label, ...]
    ordinal: Ordinal | None
    lowest: float | None
    highest: float | None
    lower_is_better: bool
    scorer: str | None
    scorer_name: str
    group: str
    settings: Mapping[str, Any]
    models: Models
    needs_model: bool
    needs_embeddings: bool
    inputs: tuple[ScorerInput, ...]
    workers: tuple[str, ...]
    known: bool
    built_in: bool
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Score, scorer: KnownScorer | None, inputs: tuple[ScorerInput, ...]) -> ScoreView:
        """Returns what may be seen of `row`."""
        told = scorer.description if scorer else None
        return cls(
            id=row.id,
            name=row.name,
            description=row.description or (told.description if told and row.project_id is None else ""),
            scale=Scale(row.scale),
            labels=labels_of(row),
            ordinal=ordinal_of(row),
            lowest=row.lowest,
            highest=row.highest,
            lower_is_better=row.lower_is_better,
            scorer=row.scorer,
            scorer_name=told.name if told else row.scorer or "",
            group=told.group if told else "",
            settings=row.settings,
            models=Models(row.model_id, row.embedding_id),
            needs_model=told.needs_model if told else False,
            needs_embeddings=told.needs_embeddings if told else False,
            inputs=inputs,
            workers=scorer.workers if scorer else (),
            known=row.scorer is None or told is not None,
            built_in=row.project_id is None,
            version=row.version,
            created_by=row.created_by,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedScore:
    """A score as it is now, for an evaluation to keep. `spec` None: people give it.

    `variables` are what its scorer reads, `required` those without which it gives nothing.
    """

    id: UUID
    name: str
    description: str = ""
    scale: str
    labels: tuple[tuple[str, float], ...] = ()
    ordinal: Ordinal | None = None
    lowest: float | None = None
    highest: float | None = None
    lower_is_better: bool = False
    spec: ScorerSpec | None = None
    variables: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a score said of some inputs when somebody tried it; without a verdict, why there is none."""

    worker: str
    duration_ms: float
    verdict: Verdict | None = None
    error: str = ""
    cause: str = ""
    detail: str = ""


def labels_of(row: Score) -> tuple[Label, ...]:
    """Returns the labels of a stored score."""
    return tuple(Label(str(label), float(value)) for label, value in row.labels)


def ordinal_of(row: Score) -> Ordinal | None:
    """Returns what is good enough of a stored score, None where nothing was said."""
    if row.ordinal is None:
        return None
    return Ordinal(tuple(row.ordinal.get("acceptable_set", ())), row.ordinal.get("threshold_rank"))


def audited(row: Score) -> dict[str, Any]:
    """Returns what the audit log keeps of a score."""
    names = ("name", "description", "scale", "labels", "ordinal", "lowest", "highest", "lower_is_better", "scorer")
    return {name: getattr(row, name) for name in names} | {
        "settings": row.settings,
        "model_id": None if row.model_id is None else str(row.model_id),
        "embedding_id": None if row.embedding_id is None else str(row.embedding_id),
    }
