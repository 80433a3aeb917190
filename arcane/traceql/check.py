"""Refuses queries that read well and cannot mean anything: what TraceQL refuses, with the place and what to write."""

from __future__ import annotations

from arcane.traceql.ast import Field, Literal, Position, SpansetFilter
from arcane.traceql.ast_pipeline import (
    Aggregate,
    GroupBy,
    Pipeline,
    Query,
    Scalar,
    ScalarFilter,
    Select,
    SpansetOperation,
    Stage,
)
from arcane.traceql.check_expr import NUMERIC, check_filter, check_value, place_of, shown, type_of, with_article
from arcane.traceql.check_metrics import check_metrics
from arcane.traceql.errors import TraceqlError, TypeProblem, UnsupportedConstruct
from arcane.traceql.format import format_literal, format_stage
from arcane.traceql.query import metrics_part, search_part
from arcane.traceql.values import MIRRORED

__all__ = ["check", "check_filter"]


def check(query: Query) -> None:
    """Returns if the query can be answered; raises TypeProblem or UnsupportedConstruct with the place.

    Hints are never wrong: like Tempo, Arcane passes over those it does not know.
    """
    _check_stage(search_part(query).body)
    check_metrics(metrics_part(query))


def _check_stage(stage: Stage | Pipeline) -> None:
    match stage:
        case SpansetFilter():
            check_filter(stage)
        case SpansetOperation():
            _check_stage(stage.left)
            _check_stage(stage.right)
        case Pipeline():
            for one in stage.stages:
                _check_stage(one)
        case GroupBy():
            check_value(stage.by, "by()")
        case Select():
            for field in stage.fields:
                type_of(field)
        case ScalarFilter():
            _check_scalar(stage)


def _check_scalar(stage: ScalarFilter) -> None:
    left, right = stage.left, stage.right
    if not isinstance(left, Aggregate):
        raise _not_an_aggregate(stage)
    if not isinstance(right, Literal):
        message = f"an aggregate is compared with a number, and `{_text(right)}` is computed, too"
        raise UnsupportedConstruct(message, _place(right), "as in count() > 2")
    if stage.op not in MIRRORED:
        raise TypeProblem(f"`{stage.op}` matches text, and `{_text(left)}` is a number", _place(stage), "use = or !=")
    if right.type not in NUMERIC:
        message = f"`{_text(left)}` is a number and `{_text(right)}` is {with_article(right.type)}"
        raise TypeProblem(f"{message}: they cannot be compared", place_of(right), "as in count() > 2")
    _check_aggregate(left)


def _not_an_aggregate(stage: ScalarFilter) -> TraceqlError:
    left, right = stage.left, stage.right
    hint = "an aggregate stands on the left, a number on the right: count() > 2"
    if isinstance(left, Literal) and isinstance(right, Aggregate) and stage.op in MIRRORED:
        hint = f"write {_text(right)} {MIRRORED[stage.op]} {_text(left)}"
    if isinstance(left, Literal):
        return UnsupportedConstruct(f"`{_text(left)}` cannot stand on the left of `{stage.op}`", _place(left), hint)
    return UnsupportedConstruct("computing with aggregates is not supported", _place(left), hint)


def _check_aggregate(aggregate: Aggregate) -> None:
    if aggregate.of is None:
        return
    found = check_value(aggregate.of, f"{aggregate.kind}()")
    if found is not None and found not in NUMERIC:
        message = f"`{aggregate.kind}()` computes with numbers, and `{shown(aggregate.of)}` is {with_article(found)}"
        hint = "to look at durations write duration" if isinstance(aggregate.of, Field) else None
        raise TypeProblem(message, place_of(aggregate.of), hint)


def _text(scalar: Scalar) -> str:
    if isinstance(scalar, Literal):
        return format_literal(scalar)
    text = format_stage(scalar) if not isinstance(scalar, Pipeline) else "a pipeline"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(node: Scalar | ScalarFilter) -> Position:
    return node.position or Position(1, 1)
