"""What a backend can do, as data: the planner reads it, no code asks an adapter to try and fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, Unary
from arcane.traceql.metrics_state import Measure


class Order(StrEnum):
    """Which traces a limited scan returns."""

    NEWEST_FIRST = "newest_first"  # the newest traces of the range, newest first, ties by id descending
    FIRST_FOUND = "first_found"  # any traces of the range, in any order


@dataclass(frozen=True, slots=True)
class PushRule:
    """Comparisons `field op literal` that a backend answers.

    `names` None means every name in the scopes. `exact` says the backend's answer for such a
    comparison is Arcane's answer; False says it is a superset that has to be filtered here.
    """

    scopes: frozenset[Scope]
    ops: frozenset[Op]
    literals: frozenset[LiteralType]
    names: frozenset[str] | None = None
    exact: bool = True

    def covers(self, field: Field, op: Op, literal: LiteralType) -> bool:
        """True when this rule is about `field op <a literal of that type>`."""
        return (
            field.scope in self.scopes
            and op in self.ops
            and literal in self.literals
            and (self.names is None or field.name in self.names)
        )


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of some scopes; `names` None means every name in them."""

    scopes: frozenset[Scope]
    names: frozenset[str] | None = None

    def __contains__(self, field: Field) -> bool:
        return field.scope in self.scopes and (self.names is None or field.name in self.names)


@dataclass(frozen=True, slots=True)
class MetricsRule:
    """Measures that a backend works out exactly as Arcane does: `of` which fields, grouped `by` which.

    A count is of spans and needs no `of`.
    """

    measures: frozenset[Measure]
    of: tuple[Fields, ...] = ()
    by: tuple[Fields, ...] = ()

    def covers(self, measure: Measure, of: Field | None, by: tuple[Field, ...]) -> bool:
        """True when this rule is about that measure of `of`, grouped `by` those fields."""
        return (
            measure in self.measures
            and (of is None or any(of in fields for fields in self.of))
            and all(any(one in fields for fields in self.by) for one in by)
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Everything the planner may rely on. The defaults describe a backend that can only list traces in a window."""

    push: tuple[PushRule, ...] = ()
    push_or: bool = False
    """`a || b` is answered as a whole."""
    push_not: bool = False
    """`!(a)` is answered with Arcane's semantics: true also where the attribute is missing."""
    order: Order = Order.FIRST_FOUND
    whole_traces: bool = False
    """Scan pages carry complete traces, so nothing needs to be fetched to evaluate a residual."""
    max_limit: int = 1_000
    """Most traces one scan may ask for."""
    time_resolution_ns: int = 1
    """Windows are rounded outwards to this."""
    max_range_ns: int | None = None
    """Longest window the backend accepts."""
    metrics: tuple[MetricsRule, ...] = ()
    """What `Adapter.metrics` answers, where the filter is exact as well."""
    native_attributes: bool = False
    """Attribute names and values come from an index, not from scanning."""
    concurrency: int = 8
    """Most requests at once that are polite towards this backend."""

    def covers(self, expr: Expr | None) -> bool:
        """True when the backend answers the condition, maybe with a superset; None, as in `{}`, always is.

        A negation needs an operand that is exact: what is left out of a superset's complement
        would be missing from the answer.
        """
        match expr:
            case None:
                return True
            case Binary(Op.AND, left, right):
                return self.covers(left) and self.covers(right)
            case Binary(Op.OR, left, right):
                return self.push_or and self.covers(left) and self.covers(right)
            case Unary(Op.NOT, operand):
                return self.push_not and self.exact(operand)
        return any(True for _ in self._rules(expr))

    def exact(self, expr: Expr | None) -> bool:
        """True when the backend answers the condition, and its answer is Arcane's."""
        match expr:
            case None:
                return True
            case Binary(Op.AND, left, right):
                return self.exact(left) and self.exact(right)
            case Binary(Op.OR, left, right):
                return self.push_or and self.exact(left) and self.exact(right)
            case Unary(Op.NOT, operand):
                return self.push_not and self.exact(operand)
        return any(rule.exact for rule in self._rules(expr))

    def measures(self, measure: Measure, of: Field | None, by: tuple[Field, ...]) -> bool:
        """True when the backend works out that measure of the spans of a filter that is exact."""
        return any(rule.covers(measure, of, by) for rule in self.metrics)

    def _rules(self, expr: Expr) -> Iterator[PushRule]:
        match expr:
            case Binary(op, Field() as field, Literal() as literal) if op in COMPARISONS:
                yield from (rule for rule in self.push if rule.covers(field, op, literal.type))
