"""What a backend can do, as data: the planner reads it, no code asks an adapter to try and fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from arcane.traceql.ast import Field, LiteralType, Op, Scope


class Order(StrEnum):
    """Which traces a limited scan returns."""

    NEWEST_FIRST = "newest_first"  # the newest traces of the range, newest first
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
    native_attributes: bool = False
    """Attribute names and values come from an index, not from scanning."""
    concurrency: int = 8
    """Most requests at once that are polite towards this backend."""
