"""A project with experiments and evaluations over a real ledger: prompts and scores are what a test says they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import MEMBER
from arcane.audit.service import AuditLog
from arcane.conventions import ListPrices
from arcane.datasets.views import NewColumn, RowDraft
from arcane.datasets.wiring import DatasetParts, build_datasets
from arcane.evaluations.problems import UnknownSubject
from arcane.evaluations.wiring import EvaluationParts, Sources, build_evaluations
from arcane.experiments.service.experiments import PinnedPrompt
from arcane.experiments.wiring import ExperimentParts, Ground, build_experiments
from arcane.jobs.subject import RunRef
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors
from arcane.kit.signing import Signer
from arcane.kit.tables import now
from arcane.messaging.generation import (
    ChatMessage,
    Generated,
    ModelSpec,
    Price,
    PromptSpec,
    Provider,
    Role,
    TemplateFormat,
    Usage,
)
from arcane.messaging.jobs import JobError, JobResult
from arcane.messaging.scoring import Scale, ScorerSpec, Verdict
from arcane.model.deadline import Deadline
from arcane.model.time import TimeRange
from arcane.scores.views import Models, PinnedScore
from arcane.settings import DatasetSettings, EvaluationSettings
from arcane.traces.problems import TraceNotFound
from arcane.traces.questions import CheckedQuery, SearchAnswer, SearchRequest, TraceAnswer
from tests.support.clock import SetClock
from tests.support.jobs import Ledger, ledger_on
from tests.support.postgres import MigratedDatabase

CURSORS = Cursors(Signer.of([b"k" * 32], "cursor"))
MODEL = ModelSpec(
    configuration=new_id(), provider=Provider.COMPATIBLE, model="stub-1", price=Price(input_usd=1.0, output_usd=2.0)
)
PROMPT = PromptSpec(messages=(ChatMessage(role=Role.USER, text="Answer {{question}}"),), format=TemplateFormat.MUSTACHE)
VERSION = new_id()
EXACT, JUDGE, MOOD = (UUID(int=(7 << 76) + (2 << 62) + number) for number in (1, 2, 3))
SCORES = {
    EXACT: PinnedScore(
        id=EXACT,
        name="Exact match",
        scale="numeric",
        lowest=0.0,
        highest=1.0,
        spec=ScorerSpec(key="exact_match", scale=Scale.NUMERIC),
        variables=("response", "reference"),
        required=("response", "reference"),
    ),
    JUDGE: PinnedScore(
        id=JUDGE,
        name="Judge",
        scale="ordinal",
        labels=(("bad", 0.0), ("good", 1.0)),
        spec=ScorerSpec(key="llm_judge", scale=Scale.ORDINAL, model=MODEL),
        variables=("user_input", "response"),
        required=("response",),
    ),
    MOOD: PinnedScore(id=MOOD, name="Mood", scale="nominal", labels=(("sad", 0.0), ("glad", 1.0))),
}


class FixedPrompts:
    """One prompt version."""

    async def pinned(self, actor: Actor, version_id: UUID, model_configuration_id: UUID | None) -> PinnedPrompt:
        return PinnedPrompt(PROMPT, MODEL, {"prompt": {"name": "Answer", "number": 3}, "model": {"name": "stub-1"}})


@dataclass
class FixedScores:
    """The scores above, or others."""

    scores: dict[UUID, PinnedScore] = field(default_factory=lambda: dict(SCORES))

    async def pinned(
        self, session: AsyncSession, actor: Actor, score_id: UUID, models: Models | None = None
    ) -> PinnedScore:
        if score_id not in self.scores:
            raise UnknownSubject("there is no such score")
        return self.scores[score_id]


@dataclass
class PlantedTraces:
    """Traces by id, and the answers to searches in their order; who asked is remembered."""

    traces: dict[str, TraceAnswer] = field(default_factory=dict)
    answers: list[SearchAnswer] = field(default_factory=list)
    asked: list[tuple[Actor, SearchRequest]] = field(default_factory=list)
    broken: Exception | None = None

    async def trace(
        self, actor: Actor, trace_id: str, deadline: Deadline, within: TimeRange | None = None
    ) -> TraceAnswer:
        if trace_id not in self.traces:
            raise TraceNotFound("no datasource of this project has this trace")
        return self.traces[trace_id]

    async def search(self, actor: Actor, request: SearchRequest, deadline: Deadline) -> SearchAnswer:
        self.asked.append((actor, request))
        if self.broken is not None:
            raise self.broken
        return self.answers.pop(0) if self.answers else SearchAnswer((), None, (), complete=True)

    def check_query(self, text: str) -> CheckedQuery:
        return CheckedQuery((), text)


@dataclass
class FixedRights:
    """Everybody is who they were, but for those who have changed; None for a stranger."""

    changed: dict[UUID, Actor | None] = field(default_factory=dict)

    async def now(self, then: Actor) -> Actor | None:
        return self.changed.get(then.id, then)


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody in one project works with."""

    ledger: Ledger
    datasets: DatasetParts
    experiments: ExperimentParts
    evaluations: EvaluationParts
    scores: FixedScores
    traces: PlantedTraces
    rights: FixedRights
    clock: SetClock
    actor: Actor

    async def colleague(self) -> Actor:
        """Returns somebody of another organisation."""
        return await somebody(self.ledger)

    async def dataset(self, *rows: Mapping[str, Any], columns: Sequence[str] = ("question", "reference")) -> UUID:
        """Returns a new dataset with these rows."""
        name = f"Set {new_id()}"
        made = await self.datasets.datasets.create(self.actor, name, "", [NewColumn(one) for one in columns])
        if rows:
            await self.datasets.rows.add(self.actor, made.id, [RowDraft(row) for row in rows])
        return made.id

    async def work(self, run_id: UUID) -> dict[UUID, Any]:
        """Returns the inputs of every open job of a run, as a worker would get them."""
        run = await self.run(run_id)
        rows = await self.ledger.rows(
            "SELECT id FROM jobs WHERE run_id = :run AND state IN ('waiting', 'held')", run=run_id
        )
        jobs = [row.id for row in rows]
        return dict(await self.ledger.parts.subjects.of(run.kind).inputs(run, jobs)) if jobs else {}

    async def take(self, run_id: UUID, results: Sequence[JobResult], *, ended: bool = True) -> None:
        """The subject has taken what a worker brought, and heard that it was the last of it."""
        run = await self.run(run_id)
        subject = self.ledger.parts.subjects.of(run.kind)
        async with self.ledger.database.transaction(run.tenant) as session:
            await subject.take(session, run, results)
            if ended:
                await subject.ended(session, run)

    async def run(self, run_id: UUID) -> RunRef:
        row = await self.ledger.run(run_id)
        return RunRef(row.id, row.organisation_id, row.project_id, row.subject_id, row.kind)


def answered(job: UUID, text: str, cost: float | None = 0.25) -> JobResult:
    """Returns a model's answer."""
    usage = Usage(input_tokens=10, output_tokens=5, cost_usd=cost, calls=1)
    return JobResult(job=job, attempt=1, duration_ms=12.5, generated=Generated(text=text, model="stub-1", usage=usage))


def judged(job: UUID, value: float, label: str = "", cost: float | None = None, **more: Any) -> JobResult:
    """Returns a scorer's verdict; with a cost, a model was asked."""
    usage = Usage(input_tokens=10, output_tokens=5, cost_usd=cost, calls=1) if cost is not None else Usage()
    return JobResult(
        job=job, attempt=1, duration_ms=3.0, verdict=Verdict(value=value, label=label, usage=usage, **more)
    )


def failed(job: UUID, message: str = "the model said nothing") -> JobResult:
    """Returns what is brought when the last try failed."""
    return JobResult(job=job, attempt=3, duration_ms=1.0, error=JobError(kind="no-answer", message=message))


async def somebody(ledger: Ledger) -> Actor:
    """Returns somebody in a new project of a new organisation."""
    place = await ledger.place()
    return Actor(
        ActorKind.USER,
        new_id(),
        "Grace Hopper",
        MEMBER.permissions,
        place.organisation_id,
        place.project_id,
        frozenset({MEMBER.id}),
    )


@asynccontextmanager
async def desk_on(stored: MigratedDatabase, **settings: Any) -> AsyncIterator[Desk]:
    """Yields a new project on `stored`."""
    async with ledger_on(stored) as ledger:
        audit = AuditLog(ledger.database, CURSORS)
        chosen = EvaluationSettings(**settings)
        ground = Ground(ledger.database, audit, CURSORS, ledger.announcer, ledger.jobs, ledger.parts.subjects, chosen)
        scores, traces, rights, clock = FixedScores(), PlantedTraces(), FixedRights(), SetClock(now())
        datasets = build_datasets(ledger.database, audit, CURSORS, DatasetSettings(), traces)
        experiments = build_experiments(ground, FixedPrompts(), datasets.datasets)
        sources = Sources(datasets.datasets, scores, traces, rights, ListPrices())
        evaluations = build_evaluations(ground, sources, experiments.progress, clock)
        actor = await somebody(ledger)
        yield Desk(ledger, datasets, experiments, evaluations, scores, traces, rights, clock, actor)
