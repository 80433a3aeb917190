"""Statistics of an evaluation: each score by itself, and two experiments against each other.

Nothing is kept: a figure is worked out of the values that stand there when somebody asks, so that it is never of
another project or of yesterday. The work is done in a process of its own (arcane.statistics.child).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from arcane.evaluations.problems import UnknownSubject
from arcane.evaluations.repository.evaluations import EvaluationRepository
from arcane.evaluations.repository.results import ResultRepository
from arcane.evaluations.service.found import found
from arcane.evaluations.tables import Evaluation, EvaluationScore
from arcane.evaluations.words import ScoreView
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.messaging.scoring import Scale
from arcane.statistics.child import Statistician
from arcane.statistics.scale import Ordered
from arcane.statistics.shapes import Comparison, Summary

Said = Mapping[UUID, tuple[float, str]]
"""Value and label by row."""


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """One score of one experiment's results, or of everything that is judged."""

    score: ScoreView
    experiment_id: UUID | None
    experiment: str
    summary: Summary


@dataclass(frozen=True, slots=True)
class ScoreComparison:
    """One score of two experiments, B against A. `p_value_holm` is corrected for all scores of the evaluation.

    The p-value is the one that fits the scale: of the permutation test, of Wilcoxon's, of Bowker's.
    """

    score: ScoreView
    comparison: Comparison
    p_value: float | None
    p_value_holm: float | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an evaluation said: values by score and experiment, and how many results each should have."""

    scores: tuple[EvaluationScore, ...]
    experiments: tuple[tuple[UUID | None, str], ...]
    said: Mapping[tuple[UUID, UUID | None], Said]
    totals: Mapping[tuple[UUID, UUID | None], int]


@dataclass(frozen=True, slots=True)
class StatisticsService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    statistician: Statistician

    async def figures(self, actor: Actor, evaluation_id: UUID) -> list[ScoreFigures]:
        """Returns the figures of each score, for each experiment where there are any; raises UnknownEvaluation."""
        judged = await self._judged(actor, evaluation_id)
        return [
            ScoreFigures(ScoreView.of(score), experiment_id, name, await self._summary(judged, score, experiment_id))
            for score in judged.scores
            for experiment_id, name in judged.experiments
        ]

    async def comparisons(self, actor: Actor, evaluation_id: UUID, a: UUID, b: UUID) -> list[ScoreComparison]:
        """Returns B against A by each score, paired by row of the dataset.

        Raises UnknownEvaluation, and UnknownSubject for an experiment that the evaluation does not judge.
        """
        judged = await self._judged(actor, evaluation_id)
        known = {experiment_id for experiment_id, _ in judged.experiments}
        for one in (a, b):
            if one not in known:
                raise UnknownSubject("the evaluation judges no such experiment", experiment_id=str(one))
        compared = [await self._compared(judged, score, a, b) for score in judged.scores]
        corrected = await self.statistician.corrected([one.p_value for one in compared])
        return [replace(one, p_value_holm=p) for one, p in zip(compared, corrected, strict=True)]

    async def _judged(self, actor: Actor, evaluation_id: UUID) -> _Judged:
        async with self.database.transaction(actor.tenant) as session:
            evaluation: Evaluation = await found(session, actor, evaluation_id)
            evaluations, results = EvaluationRepository(session), ResultRepository(session, evaluation)
            scores = (await evaluations.scores([evaluation.id]))[evaluation.id]
            named = (await evaluations.experiments([evaluation.id]))[evaluation.id]
            experiments: tuple[tuple[UUID | None, str], ...] = tuple(named) or ((None, ""),)
            said = {
                (score.score_id, experiment_id): {
                    row: (value, label) for row, value, label in await results.values(score.score_id, experiment_id)
                }
                for score in scores
                for experiment_id, _ in experiments
            }
            totals = {(one.score_id, one.experiment_id): one.total for one in await results.summaries()}
        return _Judged(tuple(scores), experiments, said, totals)

    async def _summary(self, judged: _Judged, score: EvaluationScore, experiment_id: UUID | None) -> Summary:
        said = judged.said[score.score_id, experiment_id]
        missing = [None] * max(0, judged.totals.get((score.score_id, experiment_id), 0) - len(said))
        scale = _ordered(score)
        if score.pinned["scale"] == Scale.NUMERIC:
            return await self.statistician.summary_of_numbers([*(value for value, _ in said.values()), *missing])
        labels = [*(label for _, label in said.values()), *missing]
        if score.pinned["scale"] == Scale.ORDINAL:
            return await self.statistician.summary_of_ranks(labels, scale)
        return await self.statistician.summary_of_labels(labels, scale.labels)

    async def _compared(self, judged: _Judged, score: EvaluationScore, a: UUID, b: UUID) -> ScoreComparison:
        of_a, of_b = judged.said[score.score_id, a], judged.said[score.score_id, b]
        rows = sorted(of_a.keys() & of_b.keys())
        scale = _ordered(score)
        view = ScoreView.of(score)
        if score.pinned["scale"] == Scale.NUMERIC:
            numbers = await self.statistician.comparison_of_numbers(
                [of_a[row][0] for row in rows], [of_b[row][0] for row in rows]
            )
            return ScoreComparison(view, numbers, numbers.p_value_permutation)
        labels_a, labels_b = [of_a[row][1] for row in rows], [of_b[row][1] for row in rows]
        if score.pinned["scale"] == Scale.ORDINAL:
            ranks = await self.statistician.comparison_of_ranks(labels_a, labels_b, scale)
            wilcoxon = ranks.wilcoxon_signed_rank
            return ScoreComparison(view, ranks, None if wilcoxon is None else wilcoxon.p_value)
        labels = await self.statistician.comparison_of_labels(labels_a, labels_b, scale.labels)
        bowker = labels.bowker_test
        return ScoreComparison(view, labels, None if bowker is None else bowker.p_value)


def _ordered(score: EvaluationScore) -> Ordered:
    """Returns the scale as it was when the evaluation was made."""
    good = score.pinned.get("ordinal") or {}
    return Ordered(
        labels=tuple(label for label, _ in score.pinned["labels"]),
        acceptable=tuple(good.get("acceptable_set", ())),
        threshold_rank=good.get("threshold_rank"),
    )


def kind_of(figures: Summary | Comparison) -> str:
    """Returns `numeric`, `ordinal` or `nominal`."""
    name = type(figures).__name__.removesuffix("Summary").removesuffix("Comparison")
    return name.lower()
