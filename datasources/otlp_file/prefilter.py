"""What a trace must have for a filter to match in it, told without looking at its spans."""

from __future__ import annotations

from collections.abc import Callable

from arcane.spi import Binary, Expr, Field, Literal, Op, Scope
from datasources.otlp_file.index import Entry

Prefilter = Callable[[Entry], bool]

_SERVICE = Field(Scope.RESOURCE, "service.name")
_STATUS = Field(Scope.INTRINSIC, "status")


def prefilter_of(condition: Expr | None) -> Prefilter:
    """Returns a test that is true for every trace the condition may match in, and cheap."""
    services, needs_error = _required(condition)
    if not services and not needs_error:
        return lambda entry: True
    return lambda entry: services <= entry.services and (not needs_error or entry.trace.error_count > 0)


def _required(condition: Expr | None) -> tuple[frozenset[str], bool]:
    """Only `&&` is walked: every side of it has to hold of the span that matches."""
    match condition:
        case Binary(Op.AND, left, right):
            services, error = _required(left)
            more, other = _required(right)
            return services | more, error or other
        case Binary(Op.EQ, Field() as field, Literal(value=str(value))):
            if field == _SERVICE and value:
                return frozenset({value}), False
            return frozenset(), field == _STATUS and value == "error"
    return frozenset(), False
