"""Hypothesis strategies for TraceQL: trees that the parser can give, and spans to ask of."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.traceql import intrinsics
from arcane.traceql.ast import (
    ARITHMETIC,
    COMPARISONS,
    Binary,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    Scope,
    SpansetFilter,
    Unary,
)
from arcane.traceql.ast_pipeline import (
    Aggregate,
    AggregateKind,
    Coalesce,
    GroupBy,
    Hint,
    Metrics,
    MetricsKind,
    MetricsOperation,
    Pipeline,
    Query,
    ScalarFilter,
    ScalarOperation,
    Select,
    SeriesFilter,
    SeriesLimit,
    SpansetOp,
    SpansetOperation,
)
from arcane.traceql.literals import INT_MAX, INT_MIN
from arcane.traceql.values import MIRRORED

STATUSES = ("error", "ok", "unset")
KINDS = ("unspecified", "internal", "client", "server", "producer", "consumer")
TRACE_ID = TraceId("000000000000000000000000000000aa")

# trees

_texts = st.text(st.characters(codec="utf-8"), max_size=12)
_names = st.one_of(st.text(string.ascii_letters + "._", min_size=1, max_size=8), _texts)
_attribute_scopes = st.sampled_from([one for one in Scope if one is not Scope.INTRINSIC])
_attributes = st.builds(Field, _attribute_scopes, _names)
_known = st.sampled_from([Field(Scope.INTRINSIC, one.name) for one in intrinsics.ALL])
fields = st.one_of(_attributes, _known)


def _literal(kind: LiteralType, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Literal]:
    return st.builds(Literal, st.just(kind), values)


_ints = _literal(LiteralType.INT, st.integers(INT_MIN, INT_MAX))
_floats = _literal(LiteralType.FLOAT, st.floats(allow_nan=False, allow_infinity=False))
_durations = _literal(LiteralType.DURATION, st.integers(-INT_MAX, INT_MAX))
literals = st.one_of(
    _ints,
    _floats,
    _durations,
    _literal(LiteralType.STRING, _texts),
    _literal(LiteralType.BOOL, st.booleans()),
    _literal(LiteralType.STATUS, st.sampled_from(STATUSES)),
    _literal(LiteralType.KIND, st.sampled_from(KINDS)),
    st.just(Literal(LiteralType.NIL, None)),
)

_infix_ops = st.sampled_from(sorted({*COMPARISONS, *ARITHMETIC, Op.AND, Op.OR}))
_prefix_ops = st.sampled_from([Op.NOT, Op.NEG])


def _grown(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(st.builds(Binary, _infix_ops, parts, parts), st.builds(Unary, _prefix_ops, parts))


expressions: st.SearchStrategy[Expr] = st.recursive(st.one_of(fields, literals), _grown, max_leaves=12)
spanset_filters = st.builds(SpansetFilter, st.one_of(st.none(), expressions))
_aggregates = st.one_of(
    st.just(Aggregate(AggregateKind.COUNT)),
    st.builds(
        Aggregate, st.sampled_from([one for one in AggregateKind if one is not AggregateKind.COUNT]), expressions
    ),
)
_comparisons = st.sampled_from(sorted(COMPARISONS))
_numbers_alone = st.one_of(_ints, _floats, _durations)
_scalars: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        _aggregates,
        _numbers_alone,
        st.builds(lambda spans, aggregate: Pipeline((spans, aggregate)), spanset_filters, _aggregates),
    ),
    lambda parts: st.builds(ScalarOperation, st.sampled_from(sorted(ARITHMETIC)), parts, parts),
    max_leaves=3,
)
_field_lists = st.lists(fields, min_size=1, max_size=3).map(tuple)
_starts = st.one_of(st.builds(ScalarFilter, _comparisons, _scalars, _scalars), st.builds(GroupBy, expressions))
_plain_stages = st.one_of(spanset_filters, _starts, st.just(Coalesce()), st.builds(Select, _field_lists))


def _operations(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    longer = st.builds(lambda first, rest: Pipeline((*stages_of(first), *rest)), parts, _later_stages)
    operands = st.one_of(parts, longer, _starts.map(lambda stage: Pipeline((stage,))))
    return st.builds(SpansetOperation, st.sampled_from(list(SpansetOp)), operands, operands)


def stages_of(part: Any) -> tuple[Any, ...]:
    return part.stages if isinstance(part, Pipeline) else (part,)


_later_stages = st.lists(_plain_stages, min_size=1, max_size=2)
_spansets = st.recursive(spanset_filters, _operations, max_leaves=4)
_stages = st.one_of(_spansets, _plain_stages)
_metrics = st.one_of(
    st.builds(Metrics, st.sampled_from([MetricsKind.RATE, MetricsKind.COUNT]), by=st.one_of(st.just(()), _field_lists)),
    st.builds(Metrics, st.sampled_from([MetricsKind.AVG, MetricsKind.HISTOGRAM]), fields),
    st.builds(Metrics, st.just(MetricsKind.QUANTILE), fields, st.tuples(st.just(Literal(LiteralType.FLOAT, 0.5)))),
    st.builds(Metrics, st.just(MetricsKind.COMPARE), spanset_filters),
)
_seconds = st.one_of(
    st.builds(SeriesFilter, _comparisons, st.one_of(_ints, _floats)),
    st.builds(SeriesLimit, st.integers(0, 1_000), st.booleans()),
)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Returns a pipeline of span sets, conditions and groups, or a metrics query."""
    stages = [draw(st.one_of(_spansets, _starts)), *draw(st.lists(_stages, max_size=3))]
    if len(stages) == 1 or draw(st.booleans()):
        stages += [draw(_metrics), *draw(st.lists(_seconds, max_size=2))]
    return Pipeline(tuple(stages))


_measured = st.builds(lambda spans, metrics: Pipeline((spans, metrics)), _spansets, _metrics)
_arithmetic = st.recursive(
    _measured,
    lambda parts: st.one_of(
        st.builds(MetricsOperation, st.sampled_from(sorted(ARITHMETIC)), parts, st.one_of(parts, _ints, _floats)),
        st.builds(MetricsOperation, st.sampled_from(sorted(ARITHMETIC)), st.one_of(_ints, _floats), parts),
    ),
    max_leaves=3,
)


@st.composite
def _computed(draw: st.DrawFn) -> Pipeline:
    """Returns arithmetic between metrics queries."""
    first = draw(_arithmetic)
    stages = first.stages if isinstance(first, Pipeline) else (first,)
    return Pipeline((*stages, *draw(st.lists(_seconds, max_size=2))))


_hints = st.lists(st.builds(Hint, st.text(string.ascii_letters, min_size=4, max_size=9).map("x_{}".format), literals))
queries = st.builds(Query, st.one_of(_spansets, pipelines(), _computed()), _hints.map(tuple))

# trees that mean something, and spans to ask of: few names and few values, so that they meet

_met_names = st.sampled_from(("a", "b", "c"))
_met_numbers = st.one_of(st.integers(-2, 3), st.sampled_from((0.0, 1.0, 1.5, -2.0)))
_met_texts = st.sampled_from(("", "x", "y", "00aa"))
_met_scalars = st.one_of(_met_numbers, _met_texts, st.booleans())
_met_values = st.one_of(_met_scalars, st.lists(_met_scalars, max_size=3), st.none(), st.just(b"x"), st.just({"a": 1}))
_met_attributes = st.dictionaries(_met_names, _met_values, max_size=3)
_met_scopes = st.sampled_from([one for one in Scope if one not in (Scope.INTRINSIC, Scope.PARENT)])
_met_attribute = st.builds(Field, _met_scopes, _met_names)
_status_literals = _literal(LiteralType.STATUS, st.sampled_from(STATUSES))
_kind_literals = _literal(LiteralType.KIND, st.sampled_from(KINDS))
_nil = st.just(Literal(LiteralType.NIL, None))
_equality = st.sampled_from([Op.EQ, Op.NE])
_order = st.sampled_from(sorted(MIRRORED))


def _intrinsics_of(*types: LiteralType) -> st.SearchStrategy[Field]:
    return st.sampled_from([Field(Scope.INTRINSIC, one.name) for one in intrinsics.ALL if one.type in types])


_numbers: st.SearchStrategy[Expr] = st.recursive(
    st.one_of(
        _met_attribute,
        _intrinsics_of(LiteralType.INT, LiteralType.DURATION),
        _literal(LiteralType.INT, st.integers(-2, 3)),
        _literal(LiteralType.FLOAT, st.sampled_from((0.0, 1.0, 1.5, -2.0))),
        _literal(LiteralType.DURATION, st.integers(-1, 3)),
    ),
    lambda parts: st.one_of(
        st.builds(Binary, st.sampled_from(sorted(ARITHMETIC)), parts, parts),
        st.builds(Unary, st.just(Op.NEG), parts),
    ),
    max_leaves=3,
)
_words = st.one_of(_met_attribute, _intrinsics_of(LiteralType.STRING), _literal(LiteralType.STRING, _met_texts))
_flags = st.one_of(_met_attribute, _literal(LiteralType.BOOL, st.booleans()))
_patterns = _literal(LiteralType.STRING, st.sampled_from(("", ".*", "x|y", "0*a+", "(?i)X")))
comparisons: st.SearchStrategy[Binary] = st.one_of(
    st.builds(Binary, _order, _numbers, _numbers),
    st.builds(Binary, _order, _words, _words),
    st.builds(Binary, _equality, _flags, _flags),
    st.builds(
        Binary, _equality, *[st.one_of(_met_attribute, _intrinsics_of(LiteralType.STATUS), _status_literals)] * 2
    ),
    st.builds(Binary, _equality, *[st.one_of(_met_attribute, _intrinsics_of(LiteralType.KIND), _kind_literals)] * 2),
    st.builds(Binary, _equality, st.one_of(_met_attribute, _nil), _nil),
    st.builds(Binary, st.just(Op.NE), _nil, _known),
)
"""Comparisons that `check` lets pass, without those by a pattern."""
_matches = st.builds(Binary, st.sampled_from([Op.MATCH, Op.NOT_MATCH]), _words, _patterns)


def _joined(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(Binary, st.sampled_from([Op.AND, Op.OR]), parts, parts),
        st.builds(Unary, st.just(Op.NOT), parts),
        st.builds(Binary, _equality, parts, _flags),
    )


conditions: st.SearchStrategy[Expr] = st.recursive(st.one_of(comparisons, _matches, _flags), _joined, max_leaves=5)
"""Conditions that `check` lets pass."""

_ids = st.sampled_from(("00000000000000aa", "00000000000000bb", "00000000000000cc", "00000000000000dd")).map(SpanId)
T = TypeVar("T")


def _made(made: Callable[..., T], /, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Returns `made` of the parts; st.builds cannot read the annotations of msgspec's structs."""
    return st.fixed_dictionaries(parts).map(lambda drawn: made(**drawn))


_events = _made(SpanEvent, name=st.sampled_from(("x", "y")), time=st.integers(0, 9), attributes=_met_attributes)
_links = _made(SpanLink, trace_id=st.just(TRACE_ID), span_id=_ids, attributes=_met_attributes)


def _spans(most_events: int) -> st.SearchStrategy[Span]:
    return _made(
        Span,
        trace_id=st.just(TRACE_ID),
        span_id=_ids,
        parent_span_id=st.one_of(st.just(""), _ids),
        name=_met_texts,
        kind=st.sampled_from(list(SpanKind)),
        start=st.integers(0, 3),
        end=st.integers(3, 6),
        status=st.sampled_from(list(StatusCode)),
        status_message=_met_texts,
        attributes=_met_attributes,
        events=st.lists(_events, max_size=most_events).map(tuple),
        links=st.lists(_links, max_size=most_events).map(tuple),
        resource=_made(Resource, attributes=_met_attributes),
        scope=_made(InstrumentationScope, name=_met_texts, version=_met_texts, attributes=_met_attributes),
    )


traces = st.lists(_spans(2), min_size=1, max_size=4).map(lambda spans: Trace(TRACE_ID, spans))
traces_without_events = st.lists(_spans(0), min_size=1, max_size=4).map(lambda spans: Trace(TRACE_ID, spans))
