"""Metrics, asked for an actor: scoped to its project, over its datasources, without what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.access.scope import ProjectScope
from arcane.federation.hints import effects_of
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.metrics_explain import explain_measurements, finishing_steps
from arcane.federation.rewrite import narrowed
from arcane.kit.actor import Actor
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceOutcome
from arcane.model.series import Series, Steps
from arcane.model.time import NANOS_PER_SECOND, TimeRange, nanos_of
from arcane.traceql.ast import Position
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError, UnsupportedConstruct
from arcane.traceql.format import format_expr, format_query
from arcane.traceql.metrics_query import Unit, bucket_unit, exemplars_wanted, is_comparison, unit_of
from arcane.traceql.parse import parse
from arcane.traceql.query import is_metrics, query_fields
from arcane.traces.problems import AllDatasourcesFailed, BadQuery, UnsupportedQuery, bad_query, position_of
from arcane.traces.questions import MeasuringSource, MetricsPlanAnswer
from arcane.traces.reading import refuse_hidden, scope_condition
from arcane.traces.service import TraceService
from arcane.traces.steps import chosen_width, one_step, steps_of


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """A metrics query. No `step` means one that fits; with `instant` the whole range is one point."""

    text: str
    datasources: tuple[str, ...] = ()
    within: TimeRange | None = None
    step: int | None = None
    instant: bool = False
    exemplars: int | None = None


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """Series over `steps`, and what each datasource contributed. `warnings` are about the answer as a whole.

    `buckets` is the unit of a histogram's buckets, None where the series are lines.
    """

    canonical: str
    unit: Unit
    comparison: bool
    buckets: Unit | None
    steps: Steps
    series: tuple[Series, ...]
    sources: tuple[SourceOutcome, ...]
    warnings: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class MetricsService:
    """The one way to metrics. What it may see and whom it asks is decided as for traces."""

    traces: TraceService

    async def measure(self, actor: Actor, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer:
        """Returns the series.

        Raises the problems of a query that cannot be asked, StepTooSmall and AllDatasourcesFailed.
        """
        scope = await self.traces.scopes.of(actor)
        query = self._allowed(request.text, scope)
        asked, skipped = await self.traces.chosen(actor, request.datasources)
        question = self._question(query, request, scope)
        found = await measure(self.traces.engine, question, asked, deadline)
        if found.all_failed:
            raise AllDatasourcesFailed("every datasource that was asked failed", sources=found.outcome.sources)
        return _answer(query, question.steps, found, skipped)

    async def explain(self, actor: Actor, request: MetricsRequest, deadline: Deadline) -> MetricsPlanAnswer:
        """Returns how `request` would be measured; no datasource is asked. Raises the problems of the query."""
        scope = await self.traces.scopes.of(actor)
        query = self._allowed(request.text, scope)
        asked, _ = await self.traces.chosen(actor, request.datasources)
        question = self._question(query, request, scope)
        condition = scope_condition(scope.trace_filter)
        made = explain_measurements(self.traces.engine, question, asked, deadline)
        return MetricsPlanAnswer(
            format_query(query),
            format_expr(condition) if condition else None,
            effects_of(query, self.traces.limits.metrics_exemplars_max),
            finishing_steps(query),
            tuple(MeasuringSource(one.id, one.name, one.kind, own) for one, own in zip(asked, made, strict=True)),
        )

    def _allowed(self, text: str, scope: ProjectScope) -> Query:
        query = self.read(text)
        refuse_hidden(query_fields(query), scope.hidden_attributes)
        return query

    def read(self, text: str) -> Query:
        """Returns the query; raises BadQuery, UnsupportedQuery or QueryTooLong."""
        self.traces.reader.bounded(text)
        try:
            query = parse(text)
            check(query)
        except UnsupportedConstruct as exc:
            raise bad_query(exc, UnsupportedQuery) from exc
        except TraceqlError as exc:
            raise bad_query(exc, BadQuery) from exc
        if not is_metrics(query):
            raise BadQuery(
                "this query finds traces, and a metrics query ends in a function",
                position=position_of(Position(1, 1, max(1, len(text.splitlines()[0])))),
                hint="add | rate() or | quantile_over_time(duration, .5, .99)",
            )
        return query

    def _steps(self, query: Query, request: MetricsRequest) -> Steps:
        """Returns the buckets; raises StepTooSmall. A comparison is a table: without a step it is one point."""
        limits = self.traces.limits
        within = self.traces.within(request.within)
        settled = nanos_of(self.traces.clock.now()) - round(limits.metrics_settle_s * NANOS_PER_SECOND)
        if request.instant or (request.step is None and is_comparison(query)):
            return one_step(within, settled)
        width = request.step or chosen_width(within, limits.metrics_points_default)
        return steps_of(within, width, limits.metrics_points_max, settled)

    def _question(self, query: Query, request: MetricsRequest, scope: ProjectScope) -> MetricsQuestion:
        steps = self._steps(query, request)
        hinted = exemplars_wanted(query)
        exemplars = request.exemplars if hinted is None else hinted
        most = self.traces.limits.metrics_exemplars_max
        asked = narrowed(query, scope_condition(scope.trace_filter))
        return MetricsQuestion(asked, steps, min(exemplars or 0, most), scope.hidden_attributes)


def _answer(query: Query, steps: Steps, found: MetricsFound, skipped: Sequence[SourceOutcome]) -> MetricsAnswer:
    return MetricsAnswer(
        format_query(query),
        unit_of(query),
        is_comparison(query),
        bucket_unit(query),
        steps,
        found.series,
        (*found.outcome.sources, *skipped),
        found.warnings,
        found.outcome.complete and not skipped and not found.left_out,
    )
