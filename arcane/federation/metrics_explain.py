"""A metrics question in words: what each datasource measures, of which the spans are read, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.federation.execute import Engine
from arcane.federation.explain import Explanation, conditions_of, reading_of
from arcane.federation.metrics import MetricsQuestion, metrics_runs
from arcane.federation.metrics_plan import Hindrance, MeasurePlan
from arcane.federation.metrics_run import MetricsRun, Task
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.notice import Notice
from arcane.model.series import Steps
from arcane.spi.capabilities import Capabilities
from arcane.spi.described import SentRequest
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.format import format_query, format_stage
from arcane.traceql.literals import spell_duration
from arcane.traceql.metrics_query import measurements
from arcane.traceql.query import metrics_part

_WHY = {
    Hindrance.SEVERAL_SPANS: Notice("the query is about several spans of a trace together"),
    Hindrance.CONDITION: Notice("a part of the condition is evaluated here"),
    Hindrance.COMPARISON: Notice("no datasource compares as Arcane does"),
    Hindrance.WHOLE_TRACE: Notice("it is about the whole trace, of which each datasource may hold a part"),
    Hindrance.UNSUPPORTED: Notice("the datasource does not measure this as Arcane does"),
}


@dataclass(frozen=True, slots=True)
class ExplainedMeasurement:
    """One measurement in one datasource. Without a `hindrance` it measures; else its spans are read, and measured here.

    `pushed` and `residual` are about the spans, as they are in a search for them.
    """

    query: str
    hindrance: Hindrance | None
    why: str | None
    pushed: str | None
    residual: str | None
    kept: tuple[Explanation, ...]
    steps: tuple[str, ...]
    requests: tuple[SentRequest, ...]


def explain_measurements(
    engine: Engine, question: MetricsQuestion, sources: Sequence[Source], deadline: Deadline
) -> list[tuple[ExplainedMeasurement, ...]]:
    """Returns for each datasource how its spans are measured; nothing is sent.

    A measurement that no span can be part of is not there: nobody is asked for it.
    """
    runs = metrics_runs(engine, question, measurements(question.query), engine.askings(sources, deadline))
    return [tuple(_explained(run, task) for task in run.tasks) for run in runs]


def finishing_steps(query: Query) -> tuple[str, ...]:
    """Returns what is made of all that was measured, a sentence a step."""
    steps = [Notice("Add up what was measured in all datasources.")]
    if len(measurements(query)) == 1:
        later = _behind_the_function(query)
        if later:
            steps.append(Notice("Of the series, keep %(stages)s.", stages=later))
    else:
        steps.append(Notice("Reckon %(query)s point by point.", query=format_query(Query(query.body))))
    return tuple(steps)


def _behind_the_function(query: Query) -> str:
    stages = metrics_part(query)[1:]
    return " | ".join(format_stage(one) for one in stages)


def _explained(run: MetricsRun, task: Task) -> ExplainedMeasurement:
    requests = run.describe(task)
    if requests is None:
        task = run.unmeasured(task)
        requests = run.describe(task) or ()
    plan = task.plan
    return ExplainedMeasurement(
        plan.text,
        plan.hindrance,
        None if plan.hindrance is None else _WHY[plan.hindrance],
        plan.scan.pushed_text,
        plan.scan.residual_text,
        conditions_of(plan.scan),
        _steps(plan, run.asking.source.adapter.capabilities, run.steps),
        requests,
    )


def _steps(plan: MeasurePlan, capabilities: Capabilities, steps: Steps) -> tuple[str, ...]:
    points = Notice("%(count)d points of %(width)s each", count=steps.count, width=spell_duration(steps.width))
    if plan.pushed:
        return (Notice("Ask it to measure %(query)s, in %(points)s.", query=plan.text, points=points),)
    measure = Notice("Measure their spans here: %(query)s, in %(points)s.", query=plan.text, points=points)
    return (*reading_of(plan.scan, capabilities, together=plan.whole_traces), measure)
