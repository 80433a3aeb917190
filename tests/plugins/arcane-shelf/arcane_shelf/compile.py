"""Arcane's questions in Shelf's words. Pure."""

from __future__ import annotations

from arcane.spi import (
    NANOS_PER_MILLISECOND,
    Binary,
    Capabilities,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    Order,
    PushRule,
    ScanRequest,
    Scope,
)

CAPABILITIES = Capabilities(
    push=(
        # Shelf knows which services a trace passed through, not which span matched.
        PushRule(
            scopes=frozenset({Scope.RESOURCE}),
            ops=frozenset({Op.EQ}),
            literals=frozenset({LiteralType.STRING}),
            names=frozenset({"service.name"}),
            exact=False,
        ),
    ),
    order=Order.NEWEST_FIRST,
    whole_traces=True,
    max_limit=500,
    time_resolution_ns=NANOS_PER_MILLISECOND,
    concurrency=4,
)


def compile_scan(request: ScanRequest) -> list[tuple[str, str]]:
    """Returns the parameters of a search."""
    params = [
        ("from", str(request.within.start // NANOS_PER_MILLISECOND)),
        ("to", str(-(-request.within.end // NANOS_PER_MILLISECOND))),
        ("limit", str(request.limit)),
    ]
    return params + [("service", name) for name in _services(request.filter.condition)]


def _services(condition: Expr | None) -> list[str]:
    """Only what CAPABILITIES covers arrives here: comparisons of the service's name, joined by `&&`."""
    match condition:
        case Binary(Op.AND, left, right):
            return [*_services(left), *_services(right)]
        case Binary(Op.EQ, Field(), Literal(value=str(name))):
            return [name]
    return []
