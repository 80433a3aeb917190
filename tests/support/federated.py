"""Corpora, filters, and backends that can do this or that: what the laws of federation are tried on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from arcane.federation.rewrite import without_constants
from arcane.federation.source import Source
from arcane.model.hit import MatchedSet, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi.capabilities import Capabilities, Order, PushRule
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Coalesce,
    GroupBy,
    Pipeline,
    Query,
    ScalarFilter,
    Select,
    SpansetExpr,
    SpansetOp,
    SpansetOperation,
    Stage,
)
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.hits import hit_of_sets
from arcane.traceql.query import compile_query
from datasources.memory.adapter import Faults, MemoryAdapter

ALL_TIME = TimeRange(0, 1_000)
RESOURCES = (
    Resource({"service.name": "shop", "a": 1}),
    Resource({"service.name": "db"}),
    Resource({"flag": True}),
)
VALUES: tuple[str | int | float | bool, ...] = ("x", 1, 2.5, True, False)
NAMES = ("a", "b", "flag")
LIMITS = LimitSettings()


def trace_id(number: int) -> TraceId:
    return TraceId(f"{number + 1:032x}")


def span_id(number: int) -> SpanId:
    return SpanId(f"{number + 1:016x}")


attributes = st.dictionaries(st.sampled_from(NAMES), st.sampled_from((*VALUES, ["x", "y"])), max_size=3)
_row_values = st.sampled_from(("x", 1))
row_attributes = st.fixed_dictionaries({}, optional={"a": _row_values, "b": _row_values})
"""Few names and few values: what is asked of one event is often there on two."""


@st.composite
def traces(draw: st.DrawFn, number: int) -> Trace:
    """A tree: one root, which begins first."""
    start = draw(st.integers(0, 60))
    spans: list[Span] = []
    for index in range(draw(st.integers(1, 4))):
        parent = draw(st.sampled_from(spans)) if spans else None
        begins = start if parent is None else parent.start + draw(st.integers(0, 5))
        events = draw(st.lists(row_attributes, max_size=3))
        links = draw(st.lists(row_attributes, max_size=2))
        spans.append(
            Span(
                trace_id(number),
                span_id(number * 10 + index),
                parent.span_id if parent else "",
                draw(st.sampled_from(("GET", "SELECT"))),
                draw(st.sampled_from((SpanKind.SERVER, SpanKind.CLIENT))),
                begins,
                begins + draw(st.integers(0, 20)),
                draw(st.sampled_from(StatusCode)),
                attributes=draw(attributes),
                events=tuple(SpanEvent("event", begins, one) for one in events),
                links=tuple(SpanLink(trace_id(99), span_id(99), "", one) for one in links),
                resource=draw(st.sampled_from(RESOURCES)),
            )
        )
    return Trace(trace_id(number), spans)


@st.composite
def corpora_of_rows(draw: st.DrawFn) -> tuple[Trace, ...]:
    """One trace whose spans have several events and links each."""
    spans = []
    for index in range(4):
        rows = draw(st.lists(row_attributes, min_size=2, max_size=3))
        events = tuple(SpanEvent("event", index, one) for one in rows)
        links = tuple(SpanLink(trace_id(99), span_id(99), "", one) for one in rows)
        parent = span_id(0) if index else ""
        spans.append(
            Span(trace_id(0), span_id(index), parent, "GET", SpanKind.SERVER, 0, 9, events=events, links=links)
        )
    return (Trace(trace_id(0), spans),)


corpora = st.integers(0, 8).flatmap(lambda count: st.tuples(*(traces(number) for number in range(count))))

_ROW_SCOPES = (Scope.EVENT, Scope.LINK)
_attribute_fields = st.builds(
    Field,
    st.sampled_from((Scope.NONE, Scope.SPAN, Scope.SPAN, Scope.RESOURCE, *_ROW_SCOPES)),
    st.sampled_from(NAMES),
)
_LITERALS = {
    str: lambda value: Literal(LiteralType.STRING, value),
    bool: lambda value: Literal(LiteralType.BOOL, value),
    int: lambda value: Literal(LiteralType.INT, value),
    float: lambda value: Literal(LiteralType.FLOAT, value),
}
_attribute_literals = st.sampled_from(
    [*(_LITERALS[type(value)](value) for value in VALUES), Literal(LiteralType.NIL, None)]
)


def _literals(kind: LiteralType, *values: str | int) -> st.SearchStrategy[Literal]:
    return st.sampled_from([Literal(kind, value) for value in values])


_SPAN_INTRINSICS = {
    "name": _literals(LiteralType.STRING, "GET", "SELECT"),
    "duration": _literals(LiteralType.DURATION, 0, 5, 12),
    "status": _literals(LiteralType.STATUS, "error", "ok", "unset"),
    "kind": _literals(LiteralType.KIND, "server", "client"),
    "event:name": _literals(LiteralType.STRING, "event"),
    "span:parentID": _literals(LiteralType.STRING, "", f"{1:016x}"),
}
_TRACE_INTRINSICS = {
    "traceDuration": _literals(LiteralType.DURATION, 3, 10, 20),
    "rootName": _literals(LiteralType.STRING, "GET", "SELECT"),
    "rootServiceName": _literals(LiteralType.STRING, "shop", "db"),
    "span:childCount": _literals(LiteralType.INT, 0, 1),
}
_ops = st.sampled_from(sorted(COMPARISONS, key=str))


def _is_meaningful(expr: Expr) -> bool:
    try:
        check(Query(SpansetFilter(expr)))
    except TraceqlError:
        return False
    return True


def _on_intrinsics(known: dict[str, st.SearchStrategy[Literal]]) -> st.SearchStrategy[Expr]:
    return st.sampled_from(sorted(known)).flatmap(
        lambda name: st.builds(Binary, _ops, st.just(Field(Scope.INTRINSIC, name)), known[name])
    )


_on_traces = _on_intrinsics(_TRACE_INTRINSICS)
_on_spans = st.one_of(
    st.builds(Binary, _ops, _attribute_fields, _attribute_literals),
    st.builds(Binary, _ops, _attribute_fields, _attribute_literals),
    _on_intrinsics(_SPAN_INTRINSICS),
    st.builds(Binary, st.sampled_from((Op.EQ, Op.LT, Op.GE)), _attribute_literals, _attribute_fields),
    _attribute_fields,
    st.sampled_from((Literal(LiteralType.BOOL, True), Literal(LiteralType.BOOL, False))),
    st.builds(
        lambda field: Binary(Op.EQ, Binary(Op.DIV, Literal(LiteralType.INT, 1), field), Literal(LiteralType.INT, 1)),
        _attribute_fields,
    ),
)


def _conditions(leaves: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    joined: st.SearchStrategy[Expr] = st.recursive(
        leaves.filter(_is_meaningful),
        lambda inner: st.one_of(
            st.builds(Binary, st.just(Op.AND), inner, inner),
            st.builds(Binary, st.just(Op.AND), inner, inner),
            st.builds(Binary, st.just(Op.OR), inner, inner),
            st.builds(Unary, st.just(Op.NOT), inner),
        ),
        max_leaves=5,
    )
    return joined.filter(_is_meaningful)


def _both(first: st.SearchStrategy[Expr], second: st.SearchStrategy[Expr]) -> st.SearchStrategy[SpansetFilter]:
    joined = st.builds(Binary, st.just(Op.AND), first, second)
    return joined.filter(_is_meaningful).map(SpansetFilter)


def filters(*, on_traces: bool = True) -> st.SearchStrategy[SpansetFilter]:
    """Filters that `check` lets pass; with `on_traces` they may ask about whole traces."""
    leaves = st.one_of(_on_spans, _on_spans, _on_traces) if on_traces else _on_spans
    return st.just(SpansetFilter()) | _conditions(leaves).map(SpansetFilter)


def filters_on_whole_traces() -> st.SearchStrategy[SpansetFilter]:
    """Filters of which one condition needs all spans of a trace."""
    alone = _on_traces.filter(_is_meaningful).map(SpansetFilter)
    return alone | _both(_on_traces, _conditions(_on_spans))


def filters_on_rows() -> st.SearchStrategy[SpansetFilter]:
    """Filters with several conditions about events, or about links, some of them negated."""
    values = _row_values.map(lambda value: _LITERALS[type(value)](value))
    ops = st.sampled_from((Op.EQ, Op.NE))

    def of(scope: Scope) -> st.SearchStrategy[SpansetFilter]:
        a, b = (st.builds(Binary, ops, st.just(Field(scope, name)), values) for name in ("a", "b"))
        negated = a | st.builds(Unary, st.just(Op.NOT), a)
        return (
            _both(a, b)
            | _both(a, b)
            | _both(negated, b)
            | _both(a, _conditions(_on_spans))
            | negated.map(SpansetFilter)
        )

    return st.sampled_from(_ROW_SCOPES).flatmap(of)


_measured = st.sampled_from((Field(Scope.INTRINSIC, "duration"), Field(Scope.SPAN, "a"), Field(Scope.NONE, "b")))
_aggregates = st.one_of(
    st.just(Aggregate(AggregateKind.COUNT)),
    st.builds(
        Aggregate, st.sampled_from([kind for kind in AggregateKind if kind is not AggregateKind.COUNT]), _measured
    ),
)
_numbers = st.sampled_from((Literal(LiteralType.INT, 1), Literal(LiteralType.INT, 5), Literal(LiteralType.FLOAT, 2.5)))
_scalar_filters = st.builds(
    ScalarFilter, _ops.filter(lambda op: op not in (Op.MATCH, Op.NOT_MATCH)), _aggregates, _numbers
)
_later_stages: st.SearchStrategy[Stage] = st.one_of(
    _scalar_filters,
    _scalar_filters,
    st.builds(GroupBy, st.one_of(_attribute_fields, st.just(Field(Scope.INTRINSIC, "name")))),
    st.just(Coalesce()),
    st.builds(lambda field: Select((field,)), _attribute_fields),
    _on_spans.filter(_is_meaningful).map(SpansetFilter),
)


def _is_answered(query: Query) -> bool:
    try:
        check(query)
    except TraceqlError:
        return False
    return True


@st.composite
def _pipelines(draw: st.DrawFn, first: st.SearchStrategy[SpansetExpr]) -> Pipeline:
    head = draw(first)
    stages = head.stages if isinstance(head, Pipeline) else (head,)
    return Pipeline((*stages, *draw(st.lists(_later_stages, min_size=1, max_size=3))))


def queries() -> st.SearchStrategy[Query]:
    """Queries of the whole search language: structure, union, groups, aggregates, pipelines within them."""
    leaves: st.SearchStrategy[SpansetExpr] = st.one_of(filters(), _on_spans.filter(_is_meaningful).map(SpansetFilter))
    operations: st.SearchStrategy[SpansetExpr] = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(SpansetOperation, st.sampled_from(SpansetOp), inner, inner),
            st.builds(SpansetOperation, st.sampled_from(SpansetOp), inner, inner),
            _pipelines(inner),
        ),
        max_leaves=3,
    )
    return st.one_of(operations, _pipelines(operations)).map(Query).filter(_is_answered)


_rules = st.builds(
    PushRule,
    scopes=st.frozensets(st.sampled_from([scope for scope in Scope if scope is not Scope.PARENT]), min_size=1),
    ops=st.frozensets(_ops, min_size=2),
    literals=st.frozensets(st.sampled_from(LiteralType), min_size=3),
    names=st.none() | st.frozensets(st.sampled_from((*NAMES, *sorted(_SPAN_INTRINSICS))), min_size=1),
    exact=st.booleans(),
)
_exact = st.sampled_from((True, True, False))
_everything = st.builds(
    PushRule, st.just(frozenset(Scope)), st.just(COMPARISONS), st.just(frozenset(LiteralType)), exact=_exact
)
_one_name = st.builds(
    PushRule,
    st.just(frozenset(Scope)),
    st.just(COMPARISONS),
    st.just(frozenset(LiteralType)),
    st.sampled_from(NAMES).map(lambda name: frozenset({name})),
    _exact,
)
_pushes = st.one_of(
    _everything.map(lambda rule: (rule,)), _one_name.map(lambda rule: (rule,)), st.lists(_rules, max_size=3).map(tuple)
)

capabilities = st.builds(
    Capabilities,
    push=_pushes,
    push_or=st.booleans(),
    push_not=st.booleans(),
    order=st.sampled_from(Order),
    whole_traces=st.booleans(),
    max_limit=st.sampled_from((3, 1_000, 1_000)),
    time_resolution_ns=st.sampled_from((1, 1, 1, 7)),
    max_range_ns=st.sampled_from((None, None, 13)),
    concurrency=st.sampled_from((1, 8)),
)


@dataclass(frozen=True, slots=True)
class Direct:
    """What one store that holds everything answers."""

    order: list[TraceId]
    matched: dict[TraceId, set[SpanId]]
    begins: dict[TraceId, tuple[int, str | None]]
    sets: dict[TraceId, tuple[MatchedSet, ...]]


def as_query(query: Query | SpansetFilter) -> Query:
    """Returns the query as it is asked: constants are gone, as from every query that was read."""
    return without_constants(query if isinstance(query, Query) else Query(query))


def direct(query: Query | SpansetFilter, corpus: Iterable[Trace], within: TimeRange = ALL_TIME) -> Direct:
    compiled = compile_query(query if isinstance(query, Query) else Query(query))
    found = [
        hit_of_sets(trace, sets, compiled.fields, 100)
        for trace in corpus
        if within.overlaps(trace.start, trace.end) and (sets := compiled(trace))
    ]
    found.sort(key=lambda hit: hit.position, reverse=True)
    return Direct([hit.trace_id for hit in found], matched_of(found), begins_of(found), sets_of(found))


def sets_of(hits: Iterable[TraceHit]) -> dict[TraceId, tuple[MatchedSet, ...]]:
    return {hit.trace_id: hit.span_sets for hit in hits}


def matched_of(hits: Iterable[TraceHit]) -> dict[TraceId, set[SpanId]]:
    return {hit.trace_id: {span.span_id for span in hit.spans} for hit in hits}


def begins_of(hits: Iterable[TraceHit]) -> dict[TraceId, tuple[int, str | None]]:
    """Returns when each trace began, and the name of its root."""
    return {hit.trace_id: (hit.start, hit.root_name) for hit in hits}


def source(index: int, corpus: Iterable[Trace], capabilities: Capabilities, faults: Faults | None = None) -> Source:
    adapter = MemoryAdapter(corpus, capabilities, faults=faults or Faults(), page_size=3)
    return Source(f"source-{index}", f"Source {index}", "memory", adapter)


def by_trace(corpus: Sequence[Trace], owners: Sequence[int], count: int) -> list[list[Trace]]:
    """Whole traces, each in one of `count` stores."""
    parts: list[list[Trace]] = [[] for _ in range(count)]
    for trace, owner in zip(corpus, owners, strict=False):
        parts[owner % count].append(trace)
    return parts


def by_span(corpus: Sequence[Trace], owners: Sequence[int], count: int) -> list[list[Trace]]:
    """Each span in one of `count` stores: a trace may have parts in all of them."""
    parts: list[list[Trace]] = [[] for _ in range(count)]
    numbers = iter(owners)
    for trace in corpus:
        spans: list[list[Span]] = [[] for _ in range(count)]
        for span in trace.spans:
            spans[next(numbers) % count].append(span)
        for part, members in zip(parts, spans, strict=True):
            if members:
                part.append(Trace(trace.trace_id, members))
    return parts
