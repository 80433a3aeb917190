"""The parts of the slice, made of what the application has."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from arcane.audit.service import AuditLog
from arcane.experiments.service.experiments import Datasets, ExperimentService, Prompts
from arcane.experiments.service.progress import Progress
from arcane.experiments.service.results import ResultService
from arcane.experiments.service.subject import ExperimentSubject
from arcane.experiments.words import KIND
from arcane.jobs.service.runs import Jobs
from arcane.jobs.subject import Subjects
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors
from arcane.settings import EvaluationSettings


@dataclass(frozen=True, slots=True)
class Ground:
    """What experiments and evaluations stand on."""

    database: Database
    audit: AuditLog
    cursors: Cursors
    announcer: Announcer
    jobs: Jobs
    subjects: Subjects
    settings: EvaluationSettings


@dataclass(frozen=True, slots=True)
class ExperimentParts:
    """What endpoints and pages call."""

    experiments: ExperimentService
    results: ResultService
    progress: Progress


def build_experiments(ground: Ground, prompts: Prompts, datasets: Datasets) -> ExperimentParts:
    """Returns the services; workers' claims and results find their way to them."""
    progress = Progress(ground.announcer)
    service = ExperimentService(
        database=ground.database,
        audit=ground.audit,
        jobs=ground.jobs,
        cursors=ground.cursors,
        prompts=prompts,
        datasets=datasets,
        progress=progress,
        settings=ground.settings,
    )
    ground.subjects.add(KIND, ExperimentSubject(ground.database))
    results = ResultService(ground.database, ground.audit, ground.jobs, ground.cursors)
    return ExperimentParts(service, results, progress)


def experiments_of(request: Request) -> ExperimentService:
    """Returns the service, for every door."""
    service: ExperimentService = request.app.state.experiments
    return service


def results_of(request: Request) -> ResultService:
    """Returns the service, for every door."""
    service: ResultService = request.app.state.experiment_results
    return service
