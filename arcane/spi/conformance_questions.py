"""What a datasource is asked about its own traces: each rule of its capabilities, with values that stand on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from re import escape

from arcane.model.notice import Notice
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi.capabilities import Capabilities, PushRule
from arcane.spi.sampling import names_in, values_in
from arcane.spi.scan import AttributeQuery
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError

Asked = tuple[str, list[SpansetFilter]]

_ANY = AttributeQuery(TimeRange(0, 2**63), limit=1_000)
_INTRINSICS = ("name", "status", "kind", "duration", "traceDuration", "rootName", "rootServiceName", "statusMessage")
_DURATIONS = frozenset({"duration", "traceDuration"})
_MOST_FIELDS = 4
_MOST_VALUES = 2
_PATTERNS = frozenset({Op.MATCH, Op.NOT_MATCH})


def questions(capabilities: Capabilities, traces: Sequence[Trace]) -> Iterator[Asked]:
    """Yields a sentence and the filters that show it; without filters, the traces have nothing to show it with."""
    alone: list[Expr] = []
    for number, rule in enumerate(capabilities.push, start=1):
        filters = [one for one in _of_rule(rule, traces) if _is_meant(one) and capabilities.covers(one)]
        alone += filters[:: max(1, len(filters) // _MOST_FIELDS)]
        scopes = ", ".join(sorted(scope.value or "unscoped" for scope in rule.scopes))
        sentence = Notice("Rule %(number)d (%(scopes)s) finds what it says.", number=number, scopes=scopes)
        yield sentence, [SpansetFilter(one) for one in filters]
    pairs = list(pairwise(alone))
    if capabilities.push:
        yield Notice("Conditions that are joined by && hold of one span."), _joined(capabilities, Op.AND, pairs)
    if capabilities.push_or:
        yield Notice("Alternatives are found, each of them."), _joined(capabilities, Op.OR, pairs)
    if capabilities.push_not:
        negated = [Unary(Op.NOT, one) for one in alone]
        found = [SpansetFilter(one) for one in negated if capabilities.covers(one) and _is_meant(one)]
        yield Notice("A negation holds also where the attribute is missing."), found


def _joined(capabilities: Capabilities, op: Op, pairs: Sequence[tuple[Expr, Expr]]) -> list[SpansetFilter]:
    joined = [Binary(op, left, right) for left, right in pairs]
    return [SpansetFilter(one) for one in joined if capabilities.covers(one)]


def _of_rule(rule: PushRule, traces: Sequence[Trace]) -> Iterator[Expr]:
    for field in _fields(rule, traces):
        for literal in _literals(field, traces):
            for op in sorted(rule.ops):
                if rule.covers(field, op, literal.type):
                    yield Binary(op, field, _pattern(literal) if op in _PATTERNS else literal)


def _fields(rule: PushRule, traces: Sequence[Trace]) -> Iterator[Field]:
    """Yields fields that the rule is about and that some span has, a few of each scope."""
    known = [one.field for one in names_in([(trace, trace.spans) for trace in traces], _ANY)]
    for scope in sorted(rule.scopes):
        if scope is Scope.INTRINSIC:
            there = [Field(scope, name) for name in _INTRINSICS]
        elif scope is Scope.NONE:
            there = [Field(scope, one.name) for one in known if one.scope in (Scope.SPAN, Scope.RESOURCE)]
        else:
            there = [one for one in known if one.scope is scope]
        wanted = [one for one in there if rule.names is None or one.name in rule.names]
        few = len(wanted) if scope is Scope.INTRINSIC else _MOST_FIELDS
        yield from wanted[:: max(1, len(wanted) // max(1, few))]


def _literals(field: Field, traces: Sequence[Trace]) -> Iterator[Literal]:
    """Yields values of the field as constants: the most frequent one and a rare one, and `nil`."""
    if field.scope is Scope.INTRINSIC and field.name in _DURATIONS:
        spans = sorted(span.duration for trace in traces for span in trace.spans)
        yield Literal(LiteralType.DURATION, spans[len(spans) // 2])
        return
    keywords = {"status": LiteralType.STATUS, "kind": LiteralType.KIND}
    found = values_in([(trace, trace.spans) for trace in traces], field, _ANY)
    for value in [*found[:1], *found[-1:]][:_MOST_VALUES]:
        kind = keywords.get(field.name) if field.scope is Scope.INTRINSIC else None
        yield Literal(kind or LiteralType(value.type), value.value)
    if field.scope is not Scope.INTRINSIC:
        yield Literal(LiteralType.NIL, None)


def _pattern(literal: Literal) -> Literal:
    """A pattern that the value matches, and others that begin alike."""
    text = str(literal.value)
    return Literal(literal.type, escape(text[: max(1, len(text) // 2)]) + ".*" if text else ".*")


def _is_meant(expr: Expr) -> bool:
    try:
        check(Query(SpansetFilter(expr)))
    except TraceqlError:
        return False
    return True
