"""Structural operators: which spans of one side stand in a relation to a span of the other.

Relations go by the ids of spans and their parents, so they hold as well in a trace whose root is missing, and
between spans that an input left out. `Trace.parents` is a forest, so nothing here can run in a circle; every
relation is found in one walk, whatever the depth or the number of children.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast_pipeline import SpansetOp

Spans: TypeAlias = Sequence[Span]
Relation: TypeAlias = Callable[[Trace, Spans], set[str]]
"""The ids of all spans that stand in the relation to one of the given ones."""


def related(op: SpansetOp, left: Spans, right: Spans, trace: Trace) -> list[Span]:
    """Returns the answer of `left op right` in order of start; both sides are of `trace` and in that order.

    Those of `right` for which a span of `left` is what the operator says; negated, those for which none is;
    as union, those of both sides that found one another.
    """
    if op is SpansetOp.OR or (op is SpansetOp.AND and left and right):
        return united(left, right)
    if op is SpansetOp.AND or not right:
        return []
    negated = _NEGATED.get(op)
    if negated:
        found = negated(trace, left)
        return [span for span in right if span.span_id not in found]
    union = _UNIONS.get(op)
    if union:
        forth, back = union
        return united(_among(left, back(trace, right)), _among(right, forth(trace, left)))
    return _among(right, _RELATIONS[op](trace, left))


def united(left: Spans, right: Spans) -> list[Span]:
    """Returns each span of both sides once, in order of start."""
    both = {span.span_id: span for span in left} | {span.span_id: span for span in right}
    return sorted(both.values(), key=lambda span: (span.start, span.span_id))


def _among(spans: Spans, ids: set[str]) -> list[Span]:
    return [span for span in spans if span.span_id in ids]


def _children(trace: Trace, spans: Spans) -> set[str]:
    children = trace.children
    return {child.span_id for span in spans for child in children.get(span.span_id, ())}


def _descendants(trace: Trace, spans: Spans) -> set[str]:
    children = trace.children
    found: set[str] = set()
    waiting = [span.span_id for span in spans]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.span_id not in found:
                found.add(child.span_id)
                waiting.append(child.span_id)
    return found


def _parents(trace: Trace, spans: Spans) -> set[str]:
    parents = trace.parents
    return {parents[span.span_id].span_id for span in spans if span.span_id in parents}


def _ancestors(trace: Trace, spans: Spans) -> set[str]:
    parents = trace.parents
    found: set[str] = set()
    for span in spans:
        above = parents.get(span.span_id)
        while above is not None and above.span_id not in found:
            found.add(above.span_id)
            above = parents.get(above.span_id)
    return found


def _siblings(trace: Trace, spans: Spans) -> set[str]:
    """Children of one parent, known or missing, but no span for its own sake."""
    only: dict[str, str] = {}  # parent id -> its one child among `spans`, "" where there are several
    for span in spans:
        parent_id = _parent_id(trace, span)
        only[parent_id] = "" if parent_id in only else span.span_id
    only.pop("", None)
    return {span.span_id for span in trace.spans if only.get(_parent_id(trace, span), span.span_id) != span.span_id}


def _parent_id(trace: Trace, span: Span) -> str:
    """Returns the id of the parent, "" for a root and where a circle was cut."""
    is_cut = span.parent_span_id in trace.by_id and span.span_id not in trace.parents
    return "" if is_cut else span.parent_span_id


_RELATIONS: Mapping[SpansetOp, Relation] = MappingProxyType(
    {
        SpansetOp.CHILD: _children,
        SpansetOp.DESCENDANT: _descendants,
        SpansetOp.PARENT: _parents,
        SpansetOp.ANCESTOR: _ancestors,
        SpansetOp.SIBLING: _siblings,
    }
)
_NEGATED: Mapping[SpansetOp, Relation] = MappingProxyType(
    {
        SpansetOp.NOT_CHILD: _children,
        SpansetOp.NOT_DESCENDANT: _descendants,
        SpansetOp.NOT_PARENT: _parents,
        SpansetOp.NOT_ANCESTOR: _ancestors,
        SpansetOp.NOT_SIBLING: _siblings,
    }
)
_UNIONS: Mapping[SpansetOp, tuple[Relation, Relation]] = MappingProxyType(
    {
        SpansetOp.UNION_CHILD: (_children, _parents),
        SpansetOp.UNION_DESCENDANT: (_descendants, _ancestors),
        SpansetOp.UNION_PARENT: (_parents, _children),
        SpansetOp.UNION_ANCESTOR: (_ancestors, _descendants),
        SpansetOp.UNION_SIBLING: (_siblings, _siblings),
    }
)
