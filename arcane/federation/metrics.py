"""Metrics over several datasources: each measures, or its spans are read; the states are merged and become series.

States are added, so spans count once for each datasource that holds them. Of datasources whose spans
Arcane reads, copies are known by their ids and count once; what a datasource measured itself has no
ids, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from arcane.federation.asking import Asking
from arcane.federation.execute import Engine
from arcane.federation.metrics_measure import Measured, MetricsBounds, Seen, merge_measured, nothing, series_of
from arcane.federation.metrics_plan import MeasurePlan, is_whole, plan_measurement
from arcane.federation.metrics_run import MetricsRun, Task, Together
from arcane.federation.required import matches_nothing
from arcane.federation.rewrite import without_constants
from arcane.federation.source import Source
from arcane.federation.walk import Bounds
from arcane.model.deadline import Deadline
from arcane.model.notice import Notice
from arcane.model.outcome import QueryOutcome
from arcane.model.series import Series, Steps
from arcane.spi.capabilities import Capabilities
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.metrics_compare import ATTRIBUTES_MAX, Comparison
from arcane.traceql.metrics_query import Measurement, answer, is_comparison, measurements, unheeded_hints

_TWICE = Notice(
    "Measured by the datasource itself: a span that is also stored in another datasource counts once for each of them."
)

_PASSED_OVER = Notice(
    "A datasource failed after its spans were counted: those that others hold as well may be missing from their part."
)


@dataclass(frozen=True, slots=True)
class MetricsQuestion:
    """A metrics query over the steps. `query` holds the project's scope; `hidden` is what compare() leaves out."""

    query: Query
    steps: Steps
    exemplars: int = 0
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MetricsFound:
    """The series, and how complete they are. `all_failed` when not one datasource gave anything."""

    series: tuple[Series, ...]
    outcome: QueryOutcome
    warnings: tuple[str, ...] = ()
    """About the query and the answer as a whole."""
    left_out: bool = False
    """There were more series than an answer may have."""
    all_failed: bool = False


def _plans(engine: Engine, measurement: Measurement, asked: Sequence[Capabilities]) -> list[MeasurePlan]:
    alone = len(asked) == 1
    scans = engine.plans(without_constants(measurement.spans), asked, alone=alone)
    return [
        plan_measurement(measurement, scan, capabilities, alone=alone)
        for scan, capabilities in zip(scans, asked, strict=True)
    ]


async def measure(
    engine: Engine, question: MetricsQuestion, sources: Sequence[Source], deadline: Deadline
) -> MetricsFound:
    """Returns the series. A datasource that fails costs its own spans only, and is named; nothing is raised for it.

    Cancelling the call ends all upstream requests.
    """
    wanted = measurements(question.query)
    askings = engine.askings(sources, deadline)
    runs = metrics_runs(engine, question, wanted, askings)
    async with anyio.create_task_group() as group:
        for run in runs:
            group.start_soon(run.measure)
    return _found(engine, question, wanted, runs)


def metrics_runs(
    engine: Engine, question: MetricsQuestion, wanted: Sequence[Measurement], askings: Sequence[Asking]
) -> list[MetricsRun]:
    """Returns each datasource's part of the question, not begun yet."""
    limits = engine.limits
    bounds = MetricsBounds(limits.metrics_series_max, question.exemplars, question.hidden)
    walked = Bounds(limits.metrics_traces_max, limits.metrics_scans_max)
    tasks: list[list[Task]] = [[] for _ in askings]
    asked = [asking.source.adapter.capabilities for asking in askings]
    for measurement in wanted:
        if matches_nothing(without_constants(measurement.spans)):
            continue
        together = Together(askings, Seen(wanted=len(askings) > 1 and not is_whole(measurement)))
        for own, plan in zip(tasks, _plans(engine, measurement, asked), strict=True):
            own.append(Task(plan, together))
    return [MetricsRun(asking, own, question.steps, bounds, walked) for asking, own in zip(askings, tasks, strict=True)]


def _found(
    engine: Engine, question: MetricsQuestion, wanted: Sequence[Measurement], runs: Sequence[MetricsRun]
) -> MetricsFound:
    limits = engine.limits
    most = limits.metrics_compared_max if is_comparison(question.query) else limits.metrics_series_max
    merged: dict[Measurement, Measured] = {one: nothing(one) for one in wanted}
    for run in runs:
        for number, state in run.state.items():
            merge_measured(merged[run.tasks[number].plan.measurement], state, most)
    measured = {one: series_of(one, state, question.steps, question.exemplars) for one, state in merged.items()}
    series = answer(question.query, measured, question.steps)
    several = len(runs) > 1
    outcomes = [run.outcome(_rows(run), (_TWICE,) if several and run.answered else ()) for run in runs]
    failed = [run.failed for run in runs]
    left_out = len(series) > most or any(state.left_out for state in merged.values())
    warnings = _warnings(question.query, len(series) > most, most, left_out)
    if several and any(run.withdrawn for run in runs):
        warnings = (*warnings, _PASSED_OVER)
    return MetricsFound(
        tuple(series[:most]),
        QueryOutcome(tuple(outcomes)),
        warnings,
        left_out,
        bool(failed) and all(failed),
    )


def _rows(run: MetricsRun) -> int:
    return sum(
        sum(map(len, state.sides.values())) if isinstance(state, Comparison) else len(state.series)
        for state in run.state.values()
    )


def _warnings(query: Query, is_cut: bool, most: int, left_out: bool) -> tuple[str, ...]:
    found: list[str] = []
    if left_out and not is_cut and is_comparison(query):
        found.append(
            Notice(
                "Spans have more attributes than the %(count)d that are compared; some are left out.",
                count=ATTRIBUTES_MAX,
            )
        )
    elif left_out:
        found.append(
            Notice("There are more series than the %(count)d that an answer may have; group by less.", count=most)
        )
    found += [
        Notice("with(%(hint)s) has no effect: every span is counted.", hint=hint) for hint in unheeded_hints(query)
    ]
    return tuple(found)
