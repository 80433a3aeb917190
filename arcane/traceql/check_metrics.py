"""Refuses metrics stages that cannot mean anything."""

from __future__ import annotations

from collections.abc import Sequence

from arcane.traceql.ast import Field, Literal, Position, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Metrics,
    MetricsKind,
    MetricsOperand,
    MetricsOperation,
    Pipeline,
    SeriesFilter,
    SeriesLimit,
    Stage,
)
from arcane.traceql.check_expr import NUMERIC, check_filter, type_of, with_article
from arcane.traceql.errors import TypeProblem, UnsupportedConstruct
from arcane.traceql.format import format_field, format_literal
from arcane.traceql.series_stages import SERIES_OPS
from arcane.traceql.values import MIRRORED

_LABELS = 5
_LABELS_BESIDE_ANOTHER = 4
_WITH_A_LABEL_OF_ITS_OWN = frozenset({MetricsKind.AVG, MetricsKind.QUANTILE, MetricsKind.HISTOGRAM})
_COMPARE_TOP_MAX = 1_000


def check_metrics(stages: Sequence[Stage]) -> None:
    """Returns if the stages, from a metrics function on, can be answered; raises what `check` does."""
    for stage in stages:
        if isinstance(stage, Metrics):
            _check_function(stage)
            if stage.kind is MetricsKind.COMPARE and len(stages) > 1:
                message = "nothing can stand behind compare()"
                raise UnsupportedConstruct(message, _position(stages[1].position), "end the query with it")
        elif isinstance(stage, SeriesLimit) and stage.count < 1:
            raise TypeProblem("the limit has to be at least 1", _position(stage.position), "as in topk(10)")
        elif isinstance(stage, SeriesFilter):
            _check_comparison(stage)
        elif isinstance(stage, MetricsOperation):
            _check_operation(stage)


def _check_comparison(stage: SeriesFilter) -> None:
    if stage.op not in MIRRORED:
        raise TypeProblem(
            f"`{stage.op}` matches text, and a series has numbers", _position(stage.position), "use = or !="
        )
    _check_number(stage.value)


def _check_number(literal: Literal) -> None:
    if literal.type not in NUMERIC:
        message = f"a series has numbers, and `{format_literal(literal)}` is {with_article(literal.type)}"
        raise TypeProblem(message, _position(literal.position), "as in rate() > 5, avg_over_time(duration) > 20ms")


def _check_operation(stage: MetricsOperation) -> None:
    if stage.op not in SERIES_OPS:
        message = f"`{stage.op}` cannot stand between metrics"
        raise UnsupportedConstruct(message, _position(stage.position), "metrics compute with + - * /")
    _check_operand(stage.left)
    _check_operand(stage.right)


def _check_operand(operand: MetricsOperand) -> None:
    if isinstance(operand, Literal):
        _check_number(operand)
    elif isinstance(operand, MetricsOperation):
        check_metrics((operand,))
    elif isinstance(operand, Pipeline):
        for stage in operand.stages:
            if isinstance(stage, Metrics) and stage.kind is MetricsKind.COMPARE:
                message = "compare() gives no series to compute with"
                raise UnsupportedConstruct(message, _position(stage.position), "ask it by itself")
        check_metrics([stage for stage in operand.stages if not _finds_spans(stage)])


def _finds_spans(stage: Stage) -> bool:
    return not isinstance(stage, Metrics | MetricsOperation | SeriesLimit | SeriesFilter)


def _check_function(metrics: Metrics) -> None:
    for field in metrics.by:
        type_of(field)
    if isinstance(metrics.of, SpansetFilter):
        check_filter(metrics.of)
    elif metrics.of is not None:
        _check_measured(metrics.kind, metrics.of)
    _check_labels(metrics)
    _check_numbers(metrics)


def _check_measured(kind: MetricsKind, of: Field) -> None:
    found = type_of(of)
    if found is not None and found not in NUMERIC:
        message = f"`{kind}` computes with numbers, and `{format_field(of)}` is {with_article(found)}"
        raise TypeProblem(message, _position(of.position), "measure duration or a number")


def _check_labels(metrics: Metrics) -> None:
    most = _LABELS_BESIDE_ANOTHER if metrics.kind in _WITH_A_LABEL_OF_ITS_OWN else _LABELS
    if len(metrics.by) > most:
        message = f"{metrics.kind} can be grouped by {most} fields at most, not by {len(metrics.by)}"
        raise UnsupportedConstruct(message, _position(metrics.by[most].position), "leave some out")


def _check_numbers(metrics: Metrics) -> None:
    for index, number in enumerate(metrics.numbers):
        value = number.value
        assert isinstance(value, int | float)  # noqa: S101 - the parser lets nothing else stand there
        if metrics.kind is MetricsKind.QUANTILE and not 0 <= value <= 1:
            raise TypeProblem(f"a quantile is between 0 and 1, not {value}", _position(number.position), "as in .99")
        if metrics.kind is MetricsKind.COMPARE and index == 0 and not 0 < value <= _COMPARE_TOP_MAX:
            message = f"compare() shows 1 to {_COMPARE_TOP_MAX} values of an attribute, not {value}"
            raise TypeProblem(message, _position(number.position), "as in compare({ status = error }, 10)")


def _position(position: Position | None) -> Position:
    return position or Position(1, 1)
