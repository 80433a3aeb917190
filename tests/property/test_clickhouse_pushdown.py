"""What ClickHouse is asked means what Arcane's evaluation means: any filter, hostile values, Map and JSON columns."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.model.deadline import Deadline
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.spi import (
    COMPARISONS,
    Binary,
    Capabilities,
    Expr,
    Field,
    Literal,
    LiteralType,
    Op,
    Scope,
    SpansetFilter,
    Unary,
)
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.evaluate import compile_filter
from datasources.clickhouse.compile import PUSH, Binds, Compiler
from datasources.clickhouse.probe import Probe
from datasources.clickhouse.settings import ClickHouseSettings, headers_of, text_names
from datasources.clickhouse.spelling import Names, spells_text
from datasources.clickhouse.statements import Asking, Statement
from datasources.clickhouse.wire import Limits, Wire
from tests.support.clickhouse import MAP, ClickHouse, Databases, Exporter, read_back
from tests.support.egress import session

BASE = 1_795_225_800 * NANOS_PER_SECOND
CAPABILITIES = Capabilities(push=PUSH, push_or=True, push_not=True)
NAMES = ("a", "b", "user.id", 'odd "name"', "it's", "{p0:String}")
VALUES: tuple[AttributeValue, ...] = (
    "x",
    "5",
    "true",
    "",
    "it's",
    "back\\slash",
    "{p1:String}",
    "a\nb",
    "Zürich ✓",
    '["x"]',
    "[1]",
    "[",
    "007",
    "1e3",
    1,
    5,
    -3,
    9_007_199_254_740_993,
    2.5,
    0.1,
    1e300,
    -0.5,
    True,
    False,
    ["x", "y"],
    ["5"],
    [1, 2],
    [2.5, 7],
    [True],
    [],
)
LITERALS = (
    *(Literal(LiteralType.STRING, text) for text in ("x", "y", "5", "", "it's", "back\\slash", "{p1:String}", '["x"]')),
    *(Literal(LiteralType.INT, number) for number in (0, 1, 5, -3, 7, 9_007_199_254_740_993, 9_007_199_254_740_992)),
    *(Literal(LiteralType.FLOAT, number) for number in (0.1, 2.5, 5.0, 1e300)),
    Literal(LiteralType.BOOL, True),
    Literal(LiteralType.BOOL, False),
    Literal(LiteralType.NIL, None),
)
PATTERNS = ("x|y", "a.b", ".*", "(?i)zürich.*", "[0-9]+", "it's", "")


def corpus() -> list[Trace]:
    """Returns spans that have every value under every name, on the span, its resource, its events and its links."""
    made = []
    for number, value in enumerate(VALUES):
        trace_id, start = TraceId(f"{number + 1:032x}"), BASE + number * 1_000
        name, other = NAMES[number % len(NAMES)], VALUES[(number * 7 + 3) % len(VALUES)]
        held: tuple[Attributes, ...] = ({"a": value}, {name: other}, {"a": other, "b": value})
        spans = [
            Span(
                trace_id,
                SpanId(f"{number * 10 + index + 1:016x}"),
                "" if index == 0 and number % 5 else f"{number * 10 + 1:016x}",
                ("GET", "SELECT", "x")[index],
                SpanKind(number % 6),
                start + index,
                start + index + number * 3,
                StatusCode(number % 3),
                ("", "x", "card declined")[index],
                attributes,
                tuple(SpanEvent("e", start + event, held[event]) for event in range(index)),
                tuple(SpanLink(trace_id, SpanId(f"{7:016x}"), "", held[link]) for link in range(2 - index)),
                Resource({"service.name": ("shop", "db")[number % 2], **held[(index + 1) % 3]}),
            )
            for index, attributes in enumerate(held)
        ]
        made.append(Trace(trace_id, spans))
    return made


def _meaningful(expr: Expr) -> bool:
    try:
        check(Query(SpansetFilter(expr)))
    except TraceqlError:
        return False
    return CAPABILITIES.covers(expr)


attributes = st.builds(
    Field,
    st.sampled_from(
        (Scope.SPAN, Scope.SPAN, Scope.RESOURCE, Scope.NONE, Scope.EVENT, Scope.LINK, Scope.INSTRUMENTATION)
    ),
    st.sampled_from((*NAMES, "service.name", "missing")),
)
_ops = st.sampled_from(sorted(COMPARISONS - {Op.MATCH, Op.NOT_MATCH}, key=str))
_patterns = st.sampled_from([Literal(LiteralType.STRING, text) for text in PATTERNS])
_regexes = st.sampled_from((Op.MATCH, Op.NOT_MATCH))
_texts = st.sampled_from(("name", "statusMessage", "event:name", "rootName", "rootServiceName", "instrumentation:name"))
_durations = st.sampled_from(("duration", "traceDuration", "event:timeSinceStart"))
_ids = st.sampled_from(("span:parentID", "span:id", "trace:id", "link:spanID"))


def _intrinsics(names: st.SearchStrategy[str]) -> st.SearchStrategy[Field]:
    return st.builds(Field, st.just(Scope.INTRINSIC), names)


def _words(kind: LiteralType, *words: str) -> st.SearchStrategy[Literal]:
    return st.sampled_from([Literal(kind, word) for word in words])


comparisons = st.one_of(
    st.builds(Binary, _ops, attributes, st.sampled_from(LITERALS)),
    st.builds(Binary, _regexes, attributes, _patterns),
    st.builds(Binary, _ops, _intrinsics(_texts), _words(LiteralType.STRING, "GET", "x", "e", "db", "")),
    st.builds(Binary, _regexes, _intrinsics(_texts), _patterns),
    st.builds(
        Binary, _ops, _intrinsics(_durations), st.builds(Literal, st.just(LiteralType.DURATION), st.integers(0, 90))
    ),
    st.builds(Binary, _ops, _intrinsics(_ids), _words(LiteralType.STRING, "", "1", "7", "0B", f"{21:016x}")),
    st.builds(
        Binary, _ops, st.just(Field(Scope.INTRINSIC, "status")), _words(LiteralType.STATUS, "error", "ok", "unset")
    ),
    st.builds(Binary, _ops, st.just(Field(Scope.INTRINSIC, "kind")), _words(LiteralType.KIND, "server", "unspecified")),
).filter(_meaningful)
conditions = st.recursive(
    comparisons,
    lambda parts: st.one_of(
        st.builds(Binary, st.sampled_from((Op.AND, Op.OR)), parts, parts),
        st.builds(Unary, st.just(Op.NOT), parts),
    ),
    max_leaves=5,
)


def compares_as_stored(expr: Expr) -> bool:
    """True where a text is compared that spells another type: nobody can tell what it was."""
    match expr:
        case Binary(_, Field(), Literal(LiteralType.STRING, value)):
            return not spells_text(str(value))
        case Binary(_, left, right):
            return compares_as_stored(left) or compares_as_stored(right)
        case Unary(_, operand):
            return compares_as_stored(operand)
    return False


class Asked:
    """One table, asked for the spans that match."""

    def __init__(self, settings: ClickHouseSettings, exporter: Exporter) -> None:
        self.settings, self.exporter = settings, exporter
        self.names = Names(text_names(settings))
        self.traces = read_back(corpus(), exporter, self.names)

    async def spans(self, condition: Expr) -> set[tuple[str, str]]:
        async with session(self.settings.url, headers=headers_of(self.settings)) as http:
            wire, deadline = Wire(http, Limits(30, 2**32)), Deadline.after(60)
            layout = await Probe(self.settings).layout(wire, deadline)
            bind = Binds()
            window = Asking(layout, self.names, 0).between(BASE, BASE + NANOS_PER_SECOND, bind)
            where = Compiler(layout, self.names, bind, window).condition(condition)
            sql = f"SELECT TraceId, SpanId FROM {layout.source} WHERE {window} AND {where}"
            columns = await wire.select(Statement(sql, bind.values, 1_000), deadline)
            return set(zip(*columns, strict=True))

    def expected(self, condition: Expr) -> set[tuple[str, str]]:
        matches = compile_filter(SpansetFilter(condition))
        return {(span.trace_id, span.span_id) for trace in self.traces for span in matches(trace)}


@pytest.fixture(scope="module", params=[Exporter(MAP), Exporter("JSON")], ids=["map", "json"])
def asked(request: pytest.FixtureRequest, clickhouse: ClickHouse, databases: Databases) -> Asked:
    exporter: Exporter = request.param

    def fill(database: str) -> None:
        exporter.create(clickhouse, database)
        exporter.fill(clickhouse, database, corpus())

    database = databases(f"hostile {exporter}", fill)
    return Asked(ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials), exporter)


@given(condition=conditions)
def test_what_is_pushed_down_is_what_arcane_evaluates(asked: Asked, condition: Expr) -> None:
    if asked.exporter.attributes == MAP and compares_as_stored(condition):
        return
    assert anyio.run(asked.spans, condition) == asked.expected(condition)


@pytest.mark.parametrize("literal", [one for one in LITERALS if one.type is LiteralType.STRING], ids=str)
def test_a_text_is_found_whatever_it_spells(asked: Asked, literal: Literal) -> None:
    wanted = {
        (span.trace_id, span.span_id)
        for trace in corpus()
        for span in trace.spans
        if span.attributes.get("a") == literal.value
    }
    found = anyio.run(asked.spans, Binary(Op.EQ, Field(Scope.SPAN, "a"), literal))
    assert found >= wanted
