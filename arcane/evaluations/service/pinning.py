"""What an evaluation is made of, looked up, checked against each other, and pinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import DATASETS_READ, EXPERIMENTS_READ, TRACES_READ
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.sources import BadSource, Scope, read_source
from arcane.evaluations.problems import BadEvaluation
from arcane.evaluations.words import Draft, Mode, Unit
from arcane.experiments.problems import ExperimentsDiffer
from arcane.experiments.service.found import found as found_experiment
from arcane.experiments.tables import Experiment
from arcane.kit.actor import Actor
from arcane.kit.problems import NotAllowed
from arcane.scores.views import Models, PinnedScore

_NEEDED = {
    Scope.DATASET: DATASETS_READ,
    Scope.EXPERIMENTS: EXPERIMENTS_READ,
    Scope.TRACES: TRACES_READ,
    Scope.LIVE: TRACES_READ,
}
_WHAT = {Scope.DATASET: "dataset_id", Scope.EXPERIMENTS: "experiment_ids"}


class Datasets(Protocol):
    """Where datasets come from."""

    async def pin(
        self, session: AsyncSession, actor: Actor, dataset_id: UUID, version: int | None = None
    ) -> PinnedDataset:
        """Returns a version, the newest where none is named; raises UnknownDataset."""
        ...


class Scores(Protocol):
    """Where scores come from."""

    async def pinned(
        self, session: AsyncSession, actor: Actor, score_id: UUID, models: Models | None = None
    ) -> PinnedScore:
        """Returns a score as it is now, with `models` where it names none; raises what says that there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Pinned:
    """Everything that an evaluation is made of, as it is now. `mappings` are complete, by score."""

    dataset: PinnedDataset | None
    experiments: tuple[Experiment, ...]
    scores: tuple[PinnedScore, ...]
    mappings: Mapping[UUID, Mapping[str, str]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the dataset's columns."""
        return () if self.dataset is None else tuple(column.name for column in self.dataset.columns)

    def automatic(self, mode: Mode) -> tuple[PinnedScore, ...]:
        """The scores that workers give."""
        return tuple(one for one in self.scores if one.spec is not None) if mode is Mode.AUTOMATIC else ()


@dataclass(frozen=True, slots=True)
class Pinner:
    """Looks up what a draft names."""

    datasets: Datasets
    scores: Scores

    async def pinned(self, session: AsyncSession, actor: Actor, draft: Draft) -> Pinned:
        """Returns what `draft` is made of.

        Raises BadEvaluation with everything that does not fit, NotAllowed for who may not read what is to be judged,
        and what says that something named is not there.
        """
        _check_shape(draft)
        needed = _NEEDED[draft.scope]
        if not actor.may(needed):
            raise NotAllowed("judging needs the permission to read what is judged", permission=needed)
        experiments = tuple([await found_experiment(session, actor, one) for one in draft.experiment_ids])
        if len({one.dataset_id for one in experiments}) > 1:
            raise ExperimentsDiffer("the experiments of an evaluation are over one dataset")
        dataset = await self._dataset(session, actor, draft, experiments)
        models = Models(draft.model_configuration_id)
        scores = tuple([await self.scores.pinned(session, actor, one, models) for one in draft.scores])
        columns = () if dataset is None else tuple(column.name for column in dataset.columns)
        mappings = {
            score.id: _completed(score, draft.mappings.get(score.id, {}), draft.scope, columns) for score in scores
        }
        errors = [error for score in scores for error in _errors(score, mappings[score.id], draft, columns)]
        if errors:
            raise BadEvaluation(errors)
        return Pinned(dataset, experiments, scores, mappings)

    async def _dataset(
        self, session: AsyncSession, actor: Actor, draft: Draft, experiments: Sequence[Experiment]
    ) -> PinnedDataset | None:
        if experiments:
            newest = max(experiments, key=lambda one: one.dataset_version)
            return await self.datasets.pin(session, actor, newest.dataset_id, newest.dataset_version)
        if draft.dataset_id is None:
            return None
        return await self.datasets.pin(session, actor, draft.dataset_id, draft.dataset_version)


def _check_shape(draft: Draft) -> None:
    errors: list[tuple[str, str]] = []
    if not draft.scores:
        errors.append(("#/scores", "an evaluation needs a score"))
    wanted = _WHAT.get(draft.scope, "search")
    given = {
        "dataset_id": draft.dataset_id is not None,
        "experiment_ids": bool(draft.experiment_ids),
        "search": draft.search is not None,
    }
    for name, there in given.items():
        if there != (name == wanted):
            need = "is needed" if name == wanted else "does not go"
            errors.append((f"#/{name}", f"{name} {need} with the scope {draft.scope}"))
    if draft.scope is Scope.LIVE and draft.mode is Mode.MANUAL:
        errors.append(("#/mode", "a live evaluation is automatic"))
    unknown = [one for one in draft.mappings if one not in draft.scores]
    errors += [(f"#/mappings/{one}", "the evaluation has no such score") for one in unknown]
    if errors:
        raise BadEvaluation(errors)


def _completed(score: PinnedScore, given: Mapping[str, str], scope: Scope, columns: Sequence[str]) -> dict[str, str]:
    """A variable that nobody names is filled with what is called like it, or with what it usually is."""
    found = dict(given)
    for name in score.variables:
        guess = _guess(name, scope, columns)
        if name not in found and guess:
            found[name] = guess
    return found


def _guess(name: str, scope: Scope, columns: Sequence[str]) -> str:
    usual = {
        Scope.EXPERIMENTS: {"response": "experiment:output", "tool_calls": "experiment:tool_calls"},
        Scope.TRACES: {
            "user_input": "trace:input",
            "response": "trace:output",
            "retrieved_contexts": "trace:contexts",
            "tool_calls": "trace:tool_calls",
        },
    }
    known = usual.get(Scope.TRACES if scope.of_traces else scope, {})
    return known.get(name, f"column:{name}" if name in columns else "")


def _errors(
    score: PinnedScore, mapping: Mapping[str, str], draft: Draft, columns: Sequence[str]
) -> Iterator[tuple[str, str]]:
    if score.spec is None or draft.mode is Mode.MANUAL:
        return
    at = f"#/mappings/{score.id}"
    for name in score.required:
        if name not in mapping:
            yield at, f"the score {score.name} reads {name}: say where it comes from"
    for name, source in mapping.items():
        if name not in score.variables:
            listed = ", ".join(score.variables)
            yield f"{at}/{name}", f"the score {score.name} does not read {name}; it reads {listed}"
            continue
        try:
            read_source(source, draft.scope, columns)
        except BadSource as bad:
            yield f"{at}/{name}", str(bad)


def pinned_score(score: PinnedScore) -> dict[str, Any]:
    """Returns what is kept of a score to show and check its values by."""
    return {
        "name": score.name,
        "description": score.description,
        "scale": score.scale,
        "labels": [list(one) for one in score.labels],
        "ordinal": None if score.ordinal is None else asdict(score.ordinal),
        "lowest": score.lowest,
        "highest": score.highest,
        "lower_is_better": score.lower_is_better,
        "scorer": score.spec.key if score.spec else "",
        "required": list(score.required),
    }


def searched(draft: Draft) -> dict[str, Any] | None:
    """Returns which traces are judged, as it is stored: what somebody wrote, and no trace."""
    search = draft.search
    if search is None:
        return None
    return {
        "query": search.query,
        "datasource_ids": [str(one) for one in search.datasource_ids],
        "start": search.start,
        "end": search.end,
        "limit": search.limit,
        "unit": Unit(search.unit).value,
        "sample": search.sample,
    }
