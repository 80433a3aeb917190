"""What is pushed to Tempo comes back as Arcane's answer, or as more, never as less.

Tempo is the model of its storage in `tests.support.tempo_semantics`, which agrees with recorded answers.
"""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.spi import Capabilities
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.evaluate import compile_filter, levels, mentioned_fields
from arcane.traceql.format import format_expr
from arcane.traceql.intrinsics import Level
from arcane.traceql.parse import parse
from datasources.tempo.compile import PUSH, PUSH_ABSENCE, compile_condition
from tests.support.tempo_semantics import matches

CAPABILITIES = Capabilities(push=(*PUSH, *PUSH_ABSENCE), push_or=True)
NUMBERS = st.sampled_from([0, 1, 2, 3, 5, -1, 2.0, 2.5, 3.0, -0.5, 1e30, -1e30, 2**53 - 1, 2**63 - 1, -(2**63) + 1])
TEXTS = st.sampled_from(["", "a", "b", "ab", "A", 'q"', "\n", "é"])
SCALARS = NUMBERS | TEXTS | st.booleans()
LISTS = (
    st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=3)
    | st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3)
    | st.lists(st.sampled_from([0.5, 2.0, 2.5]), min_size=1, max_size=2)
)
ATTRIBUTES = st.dictionaries(st.sampled_from("xyz"), SCALARS | LISTS, max_size=3)
TRACE_ID = TraceId("000000000000000000000000000000a1")
IDS = [SpanId(f"{number:016x}") for number in (1, 0xAB, 0xF0 << 56, 0xF1 << 56)]
RESOURCES = st.builds(lambda values: Resource({"service.name": "s", **values}), ATTRIBUTES)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    spans = []
    for index in range(draw(st.integers(1, 3))):
        start = 1_000 + index
        events = [SpanEvent(draw(TEXTS), start + 5, draw(ATTRIBUTES)) for _ in range(draw(st.integers(0, 2)))]
        links = [SpanLink(TRACE_ID, draw(st.sampled_from(IDS)), "", draw(ATTRIBUTES))] if draw(st.booleans()) else []
        parents = ["", *IDS[:index], "00000000000000ff"]
        spans.append(
            Span(
                TRACE_ID,
                IDS[index],
                draw(st.sampled_from(parents)),
                draw(TEXTS),
                draw(st.sampled_from(SpanKind)),
                start,
                start + draw(st.integers(0, 4)),
                draw(st.sampled_from(StatusCode)),
                draw(TEXTS),
                draw(ATTRIBUTES),
                tuple(events),
                tuple(links),
                draw(RESOURCES),
                InstrumentationScope(draw(TEXTS), draw(TEXTS), draw(ATTRIBUTES)),
            )
        )
    return Trace(TRACE_ID, spans)


FIELDS = st.one_of(
    st.builds(
        Field,
        st.sampled_from([scope for scope in Scope if scope not in (Scope.PARENT, Scope.INTRINSIC)]),
        st.sampled_from("xyz"),
    ),
    st.sampled_from(sorted({name for rule in PUSH if rule.names for name in rule.names})).map(
        lambda name: Field(Scope.INTRINSIC, name)
    ),
)
LITERALS = st.one_of(
    NUMBERS.filter(lambda number: isinstance(number, int)).map(lambda number: Literal(LiteralType.INT, number)),
    NUMBERS.map(lambda number: Literal(LiteralType.FLOAT, float(number))),
    st.sampled_from([0, 2, 3, 5]).map(lambda number: Literal(LiteralType.DURATION, number)),
    TEXTS.map(lambda text: Literal(LiteralType.STRING, text)),
    st.sampled_from(["a|b", "(?i)a.*", "", ".*"]).map(lambda text: Literal(LiteralType.STRING, text)),
    st.sampled_from([*IDS, "ab", "AB", TRACE_ID, "a1"]).map(lambda text: Literal(LiteralType.STRING, text)),
    st.booleans().map(lambda value: Literal(LiteralType.BOOL, value)),
    st.sampled_from(["ok", "error", "unset"]).map(lambda word: Literal(LiteralType.STATUS, word)),
    st.sampled_from(["client", "server"]).map(lambda word: Literal(LiteralType.KIND, word)),
    st.just(Literal(LiteralType.NIL, None)),
)
COMPARISONS = st.builds(
    Binary, st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.MATCH, Op.NOT_MATCH]), FIELDS, LITERALS
).filter(CAPABILITIES.covers)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(Binary, st.sampled_from([Op.AND, Op.OR]), inner, inner),
    max_leaves=4,
)


def is_meaningful(condition: Expr) -> bool:
    try:
        check(parse(f"{{ {format_expr(condition)} }}"))
    except TraceqlError:
        return False
    return True


def tempos(condition: Expr, trace: Trace) -> list[str]:
    """Returns the spans that Tempo finds for Arcane's wording of the condition."""
    query = parse(f"{{ {compile_condition(condition)} }}")
    check(query)
    assert query.filter is not None
    return [span.span_id for span in matches(query.filter.condition, trace)]


def asks_one_row_twice(condition: Expr) -> bool:
    found = [levels(field) for leaf in leaves(condition) for field in mentioned_fields(SpansetFilter(leaf))]
    return any(sum(level in one for one in found) > 1 for level in (Level.EVENT, Level.LINK))


def leaves(condition: Expr) -> list[Expr]:
    if isinstance(condition, Binary) and condition.op in (Op.AND, Op.OR):
        return [*leaves(condition.left), *leaves(condition.right)]
    return [condition]


def comparison(scope: Scope, op: Op, literal: Literal) -> Binary:
    return Binary(op, Field(scope, "x"), literal)


def span_with(value: object, resource: object = None) -> Trace:
    own = {} if value is None else {"x": value}
    shared = Resource({} if resource is None else {"x": resource})
    span = Span(TRACE_ID, IDS[0], "", "n", SpanKind.SERVER, 0, 1, attributes=own, resource=shared)  # type: ignore[arg-type]
    return Trace(TRACE_ID, [span])


@example(comparison(Scope.SPAN, Op.GT, Literal(LiteralType.FLOAT, 4.5)), span_with(4.2))
@example(comparison(Scope.NONE, Op.GT, Literal(LiteralType.FLOAT, 4.5)), span_with(4.2))
@example(comparison(Scope.NONE, Op.EQ, Literal(LiteralType.STRING, "a")), span_with("b", "a"))
@example(comparison(Scope.SPAN, Op.NE, Literal(LiteralType.STRING, "a")), span_with(["a", "b"]))
@example(comparison(Scope.SPAN, Op.NE, Literal(LiteralType.INT, 1)), span_with([1, 2]))
@example(comparison(Scope.SPAN, Op.EQ, Literal(LiteralType.DURATION, 5)), span_with(5.0))
@given(CONDITIONS, traces())
def test_pushing_to_tempo_fetches_a_superset_and_exactly_where_the_rules_say_so(condition: Expr, trace: Trace) -> None:
    assume(is_meaningful(condition))
    wanted = [span.span_id for span in compile_filter(SpansetFilter(condition)).matches(trace)]
    found = tempos(condition, trace)
    assert set(found) >= set(wanted)
    if CAPABILITIES.exact(condition) and not asks_one_row_twice(condition):
        assert found == wanted
