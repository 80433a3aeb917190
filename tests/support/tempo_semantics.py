"""How a running Tempo answers a spanset filter: a model of what was observed, not of what TraceQL says.

It is written on its own, without Arcane's evaluator, so that an adapter which forgets a quirk is
caught: `tests/unit/datasources/test_tempo_semantics.py` holds it against recorded answers. What it knows:

- of an attribute, only those values are read that pass a comparison which the query makes with it,
  and the type of the literal selects the column: `5` does not see `5.0`; an attribute that is asked to
  exist is read whole
- on what was read, the engine compares numbers by value, and `!=` of a list by all its elements; so a
  lone `!=` holds for a list when one element differs: the others were not read
- an attribute without a scope is the span's if that was read, else the resource's
- conditions on events have to hold of one event where nothing is joined by `||`, else of any
- ids: eight bytes that begin with zero are never found by `=`, links' trace ids lose leading zeros
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import re2

from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope

_TESTS: dict[Op, Callable[[object, object], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.MATCH: lambda value, pattern: re2.fullmatch(f"(?s:{pattern})", value) is not None,
    Op.NOT_MATCH: lambda value, pattern: re2.fullmatch(f"(?s:{pattern})", value) is None,
}
_CHILD = (Scope.EVENT, Scope.LINK)
_NUMBERS = (int, float)


def matches(condition: Expr | None, trace: Trace) -> list[Span]:
    """Returns the spans of `trace` that Tempo would return."""
    if condition is None:
        return list(trace.spans)
    leaves: dict[Field, list[_Leaf]] = {}
    for leaf in _leaves(condition):
        leaves.setdefault(leaf.field, []).append(leaf)
    has_or = any(isinstance(node, Binary) and node.op is Op.OR for node in _nodes(condition))
    query = _Query(condition, leaves, has_or)
    return [span for span in trace.spans if query.matches(span, trace)]


@dataclass(frozen=True)
class _Leaf:
    field: Field
    op: Op
    literal: Literal


@dataclass(frozen=True)
class _Query:
    condition: Expr
    leaves: dict[Field, list[_Leaf]]
    has_or: bool

    def matches(self, span: Span, trace: Trace) -> bool:
        if self.has_or:
            return self._holds(self.condition, span, trace, None)
        rows = max(len(span.events), len(span.links), 1)
        return any(self._holds(self.condition, span, trace, row) for row in range(rows))

    def _holds(self, expr: Expr, span: Span, trace: Trace, row: int | None) -> bool:
        match expr:
            case Literal(type=LiteralType.BOOL, value=value):
                return value is True
            case Binary(Op.AND, left, right):
                return self._holds(left, span, trace, row) and self._holds(right, span, trace, row)
            case Binary(Op.OR, left, right):
                return self._holds(left, span, trace, row) or self._holds(right, span, trace, row)
            case Binary(op, Field() as field, Literal() as literal):
                return self._leaf(_Leaf(field, op, literal), span, trace, row)
        raise NotImplementedError(f"the model of Tempo does not know {expr}")

    def _leaf(self, leaf: _Leaf, span: Span, trace: Trace, row: int | None) -> bool:
        field = leaf.field
        if field.scope is Scope.INTRINSIC:
            return _intrinsic(leaf, span, trace, row)
        if field.scope in _CHILD:
            children: Sequence[object] = span.events if field.scope is Scope.EVENT else span.links
            picked = children if row is None else children[row : row + 1]
            values = [self._read(leaf.field, child.attributes.get(field.name)) for child in picked]  # type: ignore[attr-defined]
            return any(_engine(leaf, value) for value in values)
        if field.scope is Scope.NONE:
            own = self._read(field, span.attributes.get(field.name))
            return _engine(
                leaf, own if own is not None else self._read(field, span.resource.attributes.get(field.name))
            )
        holder = {
            Scope.SPAN: span.attributes,
            Scope.RESOURCE: span.resource.attributes,
            Scope.INSTRUMENTATION: span.scope.attributes,
        }[field.scope]
        return _engine(leaf, self._read(field, holder.get(field.name)))

    def _read(self, field: Field, value: object) -> object:
        """What storage hands to the engine of an attribute's value."""
        if isinstance(value, list):
            return [one for one in value if self._read(field, one) is not None] or None
        return value if any(_column(leaf, value) for leaf in self.leaves[field]) else None


def _column(leaf: _Leaf, value: object) -> bool:
    if leaf.literal.type is LiteralType.NIL:
        return True
    column = {LiteralType.STRING: str, LiteralType.INT: int, LiteralType.FLOAT: float, LiteralType.BOOL: bool}
    return type(value) is column.get(leaf.literal.type) and _TESTS[leaf.op](value, leaf.literal.value)


def _engine(leaf: _Leaf, value: object) -> bool:
    wanted = leaf.literal.value
    if leaf.literal.type is LiteralType.NIL:
        return (value is None) == (leaf.op is Op.EQ)
    if isinstance(value, list):
        results = [_engine(leaf, one) for one in value]
        return all(results) if leaf.op in (Op.NE, Op.NOT_MATCH) else any(results)
    numbers = type(value) in _NUMBERS and type(wanted) in _NUMBERS
    return (numbers or type(value) is type(wanted)) and _TESTS[leaf.op](value, wanted)


def _intrinsic(leaf: _Leaf, span: Span, trace: Trace, row: int | None) -> bool:
    wanted = leaf.literal.value
    values = list(_intrinsic_values(leaf.field.name, span, trace, row))
    if leaf.literal.type is LiteralType.NIL:
        return bool(values)
    if leaf.field.name in ("span:id", "span:parentID", "link:spanID"):
        values = [value for value in values if value and (leaf.op is not Op.EQ or not str(value).startswith("00"))]
    if leaf.field.name == "trace:id" and leaf.op is Op.EQ:
        wanted = str(wanted).lstrip("0")
    if leaf.literal.type is LiteralType.FLOAT:
        return False
    return any(_TESTS[leaf.op](value, wanted) for value in values)


def _intrinsic_values(name: str, span: Span, trace: Trace, row: int | None) -> Iterator[object]:
    events = span.events if row is None else span.events[row : row + 1]
    links = span.links if row is None else span.links[row : row + 1]
    root = trace.root
    match name:
        case "name":
            yield span.name
        case "duration":
            yield span.duration
        case "status":
            yield span.status.word
        case "statusMessage":
            yield span.status_message
        case "kind":
            yield span.kind.word
        case "traceDuration":
            yield trace.duration
        case "rootName":
            yield root.name if root else ""
        case "rootServiceName":
            yield root.service_name if root else ""
        case "instrumentation:name":
            yield span.scope.name
        case "instrumentation:version":
            yield span.scope.version
        case "span:id":
            yield span.span_id
        case "span:parentID":
            yield span.parent_span_id
        case "trace:id":
            yield span.trace_id.lstrip("0")
        case "nestedSetParent":
            yield -1 if not span.parent_span_id else 1 if span.parent_span_id in trace.by_id else 0
        case "event:name":
            yield from (event.name for event in events)
        case "event:timeSinceStart":
            yield from (event.time - span.start for event in events)
        case "link:traceID":
            yield from (link.trace_id.lstrip("0") for link in links)
        case "link:spanID":
            yield from (link.span_id for link in links)
        case _:
            raise NotImplementedError(f"the model of Tempo does not know {name}")


def _nodes(expr: Expr) -> Iterator[Expr]:
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Binary):
            waiting += [node.left, node.right]


def _leaves(expr: Expr) -> Iterator[_Leaf]:
    for node in _nodes(expr):
        match node:
            case Binary(op, Field() as field, Literal() as literal):
                yield _Leaf(field, op, literal)
