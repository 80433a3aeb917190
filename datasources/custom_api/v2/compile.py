"""Arcane's questions in the words of the second contract. Pure."""

from __future__ import annotations

from math import isfinite

import msgspec

from arcane.spi import (
    COMPARISONS,
    AttributeQuery,
    Binary,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    ScanRequest,
    Scope,
    Unary,
    Unsupported,
    format_filter,
    listed_fields,
    mentioned_fields,
)
from datasources.custom_api.v2 import wire

_ENCODER = msgspec.json.Encoder()
_AS_TEXT = (LiteralType.INT, LiteralType.DURATION)


def compile_search(request: ScanRequest, limit: int, cursor: str | None = None) -> bytes:
    """Returns the body of a search for at most `limit` traces; `cursor` is the one that the page before gave.

    `began_within` is there only where it is wanted: servers that do not say they know it are never asked.
    """
    fields = dict.fromkeys((*mentioned_fields(request.filter), *request.select))
    condition = request.filter.condition
    return _ENCODER.encode(
        wire.SearchBody(
            start=str(request.within.start),
            end=str(request.within.end),
            limit=limit,
            filter=None if condition is None else compile_predicate(condition),
            traceql=format_filter(request.filter),
            spans_per_trace=request.spans_per_trace,
            fields=[compile_field(field) for field in listed_fields(tuple(fields))],
            cursor=cursor,
            began_within=True if request.began_within else msgspec.UNSET,
        )
    )


def compile_predicate(expr: Expr) -> wire.Predicate:
    """Returns a condition as a tree; raises Unsupported for what no rule of the contract covers."""
    match expr:
        case Binary(Op.AND | Op.OR as op):
            parts = [compile_predicate(part) for part in _run(expr, op)]
            return wire.And(parts) if op is Op.AND else wire.Or(parts)
        case Unary(Op.NOT, operand):
            return wire.Not(compile_predicate(operand))
        case Binary(op, Field() as field, Literal() as literal) if op in COMPARISONS:
            name = msgspec.convert(op.value, wire.OperatorName)
            kind = msgspec.convert(literal.type.value, wire.LiteralName)
            return wire.Comparison(compile_field(field), name, kind, _value(literal))
    raise Unsupported("The contract has no words for this condition.")


def compile_field(field: Field) -> wire.FieldName:
    """Returns a field; raises Unsupported for the scopes that the language refuses."""
    if field.scope is Scope.PARENT:
        raise Unsupported("The contract has no words for this condition.")
    return wire.FieldName(msgspec.convert(field.scope.value, wire.ScopeName), field.name)


def compile_attributes(query: AttributeQuery, field: Field | None = None) -> list[tuple[str, str]]:
    """Returns the parameters that ask for names, or for the values of `field`."""
    params = [
        ("start", str(query.within.start)),
        ("end", str(query.within.end)),
        ("limit", str(query.limit)),
        ("prefix", query.prefix),
    ]
    return params if field is None else [("scope", field.scope.value), ("name", field.name), *params]


def _run(expr: Expr, op: Op) -> list[Expr]:
    """Returns the operands of a chain of one operator, which a parser nests to the left; without recursion."""
    parts: list[Expr] = []
    while isinstance(expr, Binary) and expr.op is op:
        parts.append(expr.right)
        expr = expr.left
    return [expr, *reversed(parts)]


def _value(literal: Literal) -> str | float | bool | None:
    if isinstance(literal.value, float) and not isfinite(literal.value):
        raise Unsupported("JSON has no word for this number.")
    return str(literal.value) if literal.type in _AS_TEXT else literal.value
