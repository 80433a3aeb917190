"""What Jaeger is asked finds all that matches, on every storage: branches, tags, bounds and rows of an index.

Jaeger is one of the models in `tests.support.jaeger_storages`, made from its sources.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, StatusCode
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi import Expr, SpansetFilter
from arcane.traceql.ast import Binary, Field, Literal, LiteralType, Op, Scope
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_expr
from datasources.jaeger.compile import Branch, branches_of, with_service
from datasources.jaeger.search import ask_of
from datasources.jaeger.stores import STORES, Reach, reach_of
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_storages import STORAGES, Query, Refused, Storage

BASE = 1_795_225_800_000_000_000
ALL = TimeRange(BASE - 10_000, BASE + 100_000)
TEXTS = st.sampled_from(["a", "b", "ab", "A", "a.b", "a|b", "(", "", "x" * 300, "é", '["a","b"]', "true", "5", "2.5"])
VALUES = TEXTS | st.sampled_from([["a", "b"], ["a"], 5, 2.5, True, False, 2**60, [1, 2]])
NAMES = st.sampled_from(["x", "y", "error", "service.name", "span.kind", "event"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2)
SERVICES = st.sampled_from(["shop", "db"])
DURATIONS = st.sampled_from([0, 1, 999, 1_000, 1_001, 1_500, 2_000, 90_000_000_000_000])


@st.composite
def spans(draw: st.DrawFn, trace_id: TraceId, index: int) -> Span:
    start = BASE + draw(st.integers(0, 5_000))
    return Span(
        trace_id,
        SpanId(f"{index + 1:016x}"),
        "" if index == 0 else f"{1:016x}",
        draw(st.sampled_from(["GET", "POST", "x" * 300])),
        draw(st.sampled_from(SpanKind)),
        start,
        start + draw(DURATIONS),
        draw(st.sampled_from(StatusCode)),
        draw(st.sampled_from(["", "why"])),
        draw(ATTRIBUTES),
        tuple(SpanEvent("happened", start, draw(ATTRIBUTES)) for _ in range(draw(st.integers(0, 2)))),
        resource=Resource({"service.name": draw(SERVICES), **draw(ATTRIBUTES)}),
        scope=InstrumentationScope("http", "1"),
    )


@st.composite
def corpora(draw: st.DrawFn) -> list[Trace]:
    ids = [TraceId(f"{number + 1:032x}") for number in range(draw(st.integers(1, 4)))]
    return [Trace(one, [draw(spans(one, index)) for index in range(draw(st.integers(1, 3)))]) for one in ids]


def _intrinsic(name: str, op: Op, kind: LiteralType, value: str | int) -> Expr:
    return Binary(op, Field(Scope.INTRINSIC, name), Literal(kind, value))


SCOPES = st.sampled_from([Scope.NONE, Scope.SPAN, Scope.RESOURCE, Scope.EVENT])
BOUNDS = st.sampled_from([Op.EQ, Op.LT, Op.LE, Op.GT, Op.GE])
LEAVES: st.SearchStrategy[Expr] = st.one_of(
    st.builds(
        lambda scope, name, text: Binary(Op.EQ, Field(scope, name), Literal(LiteralType.STRING, text)),
        SCOPES,
        NAMES,
        TEXTS,
    ),
    SERVICES.map(lambda name: Binary(Op.EQ, Field(Scope.RESOURCE, "service.name"), Literal(LiteralType.STRING, name))),
    st.sampled_from(["GET", "POST", "x" * 300]).map(lambda name: _intrinsic("name", Op.EQ, LiteralType.STRING, name)),
    st.builds(lambda op, bound: _intrinsic("duration", op, LiteralType.DURATION, bound), BOUNDS, DURATIONS),
    st.sampled_from(SpanKind).map(lambda kind: _intrinsic("kind", Op.EQ, LiteralType.KIND, kind.word)),
    st.sampled_from(StatusCode).map(lambda code: _intrinsic("status", Op.EQ, LiteralType.STATUS, code.word)),
    st.just(Binary(Op.NE, Field(Scope.SPAN, "x"), Literal(LiteralType.STRING, "a"))),
)
CONDITIONS = st.recursive(
    LEAVES, lambda inner: st.builds(Binary, st.sampled_from([Op.AND, Op.OR]), inner, inner), max_leaves=6
)


IS_A: Expr = Binary(Op.EQ, Field(Scope.SPAN, "x"), Literal(LiteralType.STRING, "a"))
_ID = TraceId(f"{1:032x}")
LISTED = Trace(
    _ID,
    [
        Span(
            _ID,
            SpanId(f"{1:016x}"),
            "",
            "GET",
            SpanKind.SERVER,
            BASE,
            BASE,
            attributes={"x": ["a", "b"]},
            resource=Resource({"service.name": "shop"}),
        )
    ],
)
"""Memory compares the text of a list, which is not what one of its elements is."""


@pytest.mark.parametrize("first_api", [False, True], ids=["v3", "v1"])
@pytest.mark.parametrize("name", STORAGES)
def test_what_is_asked_finds_all_that_matches(name: str, first_api: bool) -> None:
    reach = reach_of(STORES[name], proven=False, first_api=first_api, attributes=True)

    @given(corpora(), CONDITIONS)
    @example([LISTED], IS_A)
    def holds(traces: list[Trace], condition: Expr) -> None:
        storage = STORAGES[name](traces)
        seen = as_v1(storage.traces) if first_api else storage.traces
        wanted = {trace.trace_id for trace in seen if any(compile_filter(SpansetFilter(condition)).matches(trace))}
        found = {trace.trace_id for trace in _found(storage, condition, reach)}
        assert found >= wanted, format_expr(condition)

    holds()


def _found(storage: Storage, condition: Expr, reach: Reach) -> Iterator[Trace]:
    for branch in branches_of(condition, reach):
        try:
            asked = [branch] if branch.service or reach.serviceless else _each(branch, storage)
            found = [trace for one in asked for trace in storage.find(_query(one))]
        except Refused:
            assert branch.tags
            assert not branch.service
            found = [trace for one in _each(branch, storage) for trace in storage.find(_query(one))]
        yield from found


def _each(branch: Branch, storage: Storage) -> list[Branch]:
    services = {span.service_name for trace in storage.traces for span in trace.spans}
    return [with_service(branch, service) for service in sorted(services)]


def _query(branch: Branch) -> Query:
    ask = ask_of(branch, ALL, 100)
    upper = branch.longest or (2**62 if branch.shortest else 0)
    return Query(
        branch.service,
        branch.operation,
        ask.start_us * 1_000,
        ask.end_us * 1_000,
        ask.depth,
        -(-(branch.shortest or 0) // 1_000) * 1_000,
        -(-upper // 1_000) * 1_000,
        dict(branch.tags),
    )
