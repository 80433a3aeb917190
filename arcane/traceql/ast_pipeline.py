"""What TraceQL has beyond one span-set filter: structure, pipelines, aggregates, metrics, hints."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from arcane.traceql.ast import Expr, Field, Literal, Op, Position, SpansetFilter


class SpansetOp(StrEnum):
    """Operators between span sets. The answer is the right side's spans, of a union both sides'."""

    AND = "&&"
    OR = "||"
    CHILD = ">"
    DESCENDANT = ">>"
    PARENT = "<"
    ANCESTOR = "<<"
    SIBLING = "~"
    NOT_CHILD = "!>"
    NOT_DESCENDANT = "!>>"
    NOT_PARENT = "!<"
    NOT_ANCESTOR = "!<<"
    NOT_SIBLING = "!~"
    UNION_CHILD = "&>"
    UNION_DESCENDANT = "&>>"
    UNION_PARENT = "&<"
    UNION_ANCESTOR = "&<<"
    UNION_SIBLING = "&~"


@dataclass(frozen=True, slots=True)
class SpansetOperation:
    """`left op right` between span sets."""

    op: SpansetOp
    left: SpansetExpr
    right: SpansetExpr
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GroupBy:
    """`by(expression)`."""

    by: Expr
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Coalesce:
    """`coalesce()`."""

    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Select:
    """`select(field, ...)`."""

    fields: tuple[Field, ...]
    position: Position | None = field(default=None, compare=False, repr=False)


class AggregateKind(StrEnum):
    """Aggregates over the spans of a set."""

    COUNT = "count"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count()`, `avg(expression)`."""

    kind: AggregateKind
    of: Expr | None = None
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScalarOperation:
    """Arithmetic between aggregates and numbers."""

    op: Op
    left: Scalar
    right: Scalar
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ScalarFilter:
    """`count() > 2`: keeps span sets for which the comparison holds."""

    op: Op
    left: Scalar
    right: Scalar
    position: Position | None = field(default=None, compare=False, repr=False)


class MetricsKind(StrEnum):
    """Functions that turn spans into time series."""

    RATE = "rate"
    COUNT = "count_over_time"
    MIN = "min_over_time"
    MAX = "max_over_time"
    AVG = "avg_over_time"
    SUM = "sum_over_time"
    QUANTILE = "quantile_over_time"
    HISTOGRAM = "histogram_over_time"
    COMPARE = "compare"


@dataclass(frozen=True, slots=True)
class Metrics:
    """`quantile_over_time(duration, .5, .9) by(resource.service.name)`.

    `of` is the field measured, or compare's selection; `numbers` are the constants that follow it.
    """

    kind: MetricsKind
    of: Field | SpansetFilter | None = None
    numbers: tuple[Literal, ...] = ()
    by: tuple[Field, ...] = ()
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """`> 5` behind a metrics function: keeps points for which the comparison holds."""

    op: Op
    value: Literal
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SeriesLimit:
    """`topk(n)`; with `largest` False, `bottomk(n)`."""

    count: int
    largest: bool = True
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MetricsOperation:
    """Arithmetic between metrics queries, and between those and numbers."""

    op: Op
    left: MetricsOperand
    right: MetricsOperand
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages, each working on what the one before left; at least two, or one that is not a span-set expression."""

    stages: tuple[Stage, ...]
    position: Position | None = field(default=None, compare=False, repr=False)


SpansetExpr: TypeAlias = "SpansetFilter | SpansetOperation | Pipeline"
Scalar: TypeAlias = "Aggregate | ScalarOperation | Literal | Pipeline"
MetricsOperand: TypeAlias = "MetricsOperation | Literal | Pipeline"
Stage: TypeAlias = (
    "SpansetFilter | SpansetOperation | GroupBy | Coalesce | Select | Aggregate | ScalarOperation | ScalarFilter"
    " | Metrics | SeriesFilter | SeriesLimit | MetricsOperation"
)


@dataclass(frozen=True, slots=True)
class Hint:
    """`name=value` in `with(...)`."""

    name: str
    value: Literal
    position: Position | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. A query of one span-set expression has that as its body, every other one a Pipeline."""

    body: SpansetExpr
    hints: tuple[Hint, ...] = ()

    @property
    def filter(self) -> SpansetFilter | None:
        """The filter of a query that is nothing but one span-set filter, else None; hints change no answer."""
        return self.body if isinstance(self.body, SpansetFilter) else None
