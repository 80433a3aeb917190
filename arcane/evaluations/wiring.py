"""The parts of the slice, made of what the application has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.datastructures import State
from starlette.requests import Request

from arcane.access.rights import Rights as StoredRights
from arcane.conventions import ListPrices, Prices
from arcane.evaluations.service.estimating import Estimator
from arcane.evaluations.service.evaluations import EvaluationService
from arcane.evaluations.service.figures import StatisticsService
from arcane.evaluations.service.listing import Lister, Searches
from arcane.evaluations.service.pinning import Datasets, Pinner, Scores
from arcane.evaluations.service.reading import Readers, Rights, TraceReader
from arcane.evaluations.service.results import VerdictService
from arcane.evaluations.service.subject import EvaluationSubject
from arcane.evaluations.words import KIND
from arcane.experiments.service.progress import Progress
from arcane.experiments.service.prompted import StoredPrompts
from arcane.experiments.wiring import Ground, build_experiments
from arcane.kit.clock import Clock, SystemClock
from arcane.kit.pagination import Cursors
from arcane.settings import Settings
from arcane.statistics.child import Statistician
from arcane.traces.one_by_one import Traces
from arcane.traces.questions import CheckedQuery


class TraceSource(Traces, Searches, Protocol):
    """The one way to traces, as evaluations use it."""

    def check_query(self, text: str) -> CheckedQuery:
        """Returns what is wrong with `text`, if anything."""
        ...


@dataclass(frozen=True, slots=True)
class CheckedQueries:
    """Whether a query can be asked, in one sentence."""

    traces: TraceSource

    def check(self, text: str) -> str | None:
        """Returns what is wrong with a query, None where nothing is."""
        errors = self.traces.check_query(text).errors
        return errors[0].message if errors else None


@dataclass(frozen=True, slots=True)
class EvaluationParts:
    """What endpoints and pages call, and what lists traces in the background."""

    evaluations: EvaluationService
    verdicts: VerdictService
    statistics: StatisticsService
    lister: Lister


@dataclass(frozen=True, slots=True)
class Sources:
    """What evaluations are made of."""

    datasets: Datasets
    scores: Scores
    traces: TraceSource
    rights: Rights
    prices: Prices


def build_evaluations(ground: Ground, sources: Sources, progress: Progress, clock: Clock) -> EvaluationParts:
    """Returns the services; workers' claims and results find their way to them."""
    settings = ground.settings
    service = EvaluationService(
        database=ground.database,
        audit=ground.audit,
        jobs=ground.jobs,
        cursors=ground.cursors,
        pinner=Pinner(sources.datasets, sources.scores),
        estimator=Estimator(sources.prices, settings.estimate_rows),
        queries=CheckedQueries(sources.traces),
        progress=progress,
        settings=settings,
    )
    readers = Readers(sources.rights)
    reader = TraceReader(sources.traces, readers, settings)
    ground.subjects.add(KIND, EvaluationSubject(ground.database, ground.jobs, reader))
    return EvaluationParts(
        service,
        VerdictService(ground.database, ground.audit, ground.jobs, ground.cursors),
        StatisticsService(ground.database, Statistician()),
        Lister(ground.database, ground.jobs, sources.traces, readers, clock, settings),
    )


def add_evaluations(state: State, cursors: Cursors) -> None:
    """Experiments and evaluations stand on `state`, made of what stands there already."""
    settings: Settings = state.settings
    ground = Ground(
        database=state.database,
        audit=state.audit,
        cursors=cursors,
        announcer=state.announcer,
        jobs=state.jobs,
        subjects=state.subjects,
        settings=settings.evaluations,
    )
    datasets = state.datasets.datasets
    experiments = build_experiments(ground, StoredPrompts(state.database, state.prompts, state.models), datasets)
    state.experiments, state.experiment_results = experiments.experiments, experiments.results
    sources = Sources(datasets, state.scores, state.traces, StoredRights(state.database), ListPrices())
    evaluations = build_evaluations(ground, sources, experiments.progress, SystemClock())
    state.evaluations, state.verdicts, state.lister = evaluations.evaluations, evaluations.verdicts, evaluations.lister
    state.statistics = evaluations.statistics


def evaluations_of(request: Request) -> EvaluationService:
    """Returns the service, for every door."""
    service: EvaluationService = request.app.state.evaluations
    return service


def verdicts_of(request: Request) -> VerdictService:
    """Returns the service, for every door."""
    service: VerdictService = request.app.state.verdicts
    return service


def statistics_of(request: Request) -> StatisticsService:
    """Returns the service, for every door."""
    service: StatisticsService = request.app.state.statistics
    return service
