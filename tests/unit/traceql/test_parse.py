"""What a text means as a tree: grouping, constants, names, and the constructs beyond one filter."""

import pytest

from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Position, Scope, SpansetFilter, Unary
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
from arcane.traceql.chain import run_of
from arcane.traceql.errors import SyntaxProblem
from arcane.traceql.format import format_query
from arcane.traceql.parse import parse


def _condition(text: str) -> Expr:
    spanset = parse(f"{{ {text} }}").filter
    assert spanset is not None
    assert spanset.condition is not None
    return spanset.condition


def _grouped(expr: Expr) -> str:
    """Returns the expression with parentheses around every operation."""
    match expr:
        case Binary():
            return f"({_grouped(expr.left)} {expr.op} {_grouped(expr.right)})"
        case Unary():
            return f"({'!' if expr.op is Op.NOT else '-'}{_grouped(expr.operand)})"
        case Field():
            return expr.name
        case Literal():
            return str(expr.value)


INT, FLOAT, DURATION, STRING = LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION, LiteralType.STRING
A, B, C = (Field(Scope.NONE, name) for name in "abc")
EVERY = SpansetFilter()


def _int(value: int) -> Literal:
    return Literal(INT, value)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        (".a || .b && .c", "((a || b) && c)"),
        (".a && .b || .c", "((a && b) || c)"),
        (".a || (.b && .c)", "(a || (b && c))"),
        (".a = 1 || .b = 2 && .c = 3", "(((a = 1) || (b = 2)) && (c = 3))"),
        (".a > 1 = true", "((a > 1) = True)"),
        (".a = .b != .c", "((a = b) != c)"),
        ("1 + 2 * 3 = 7", "((1 + (2 * 3)) = 7)"),
        ("10 - 3 - 2 = 5", "(((10 - 3) - 2) = 5)"),
        ("8 / 4 / 2 = 1", "(((8 / 4) / 2) = 1)"),
        ("7 % 4 * 2 = 6", "(((7 % 4) * 2) = 6)"),
        ("2 ^ 3 ^ 2 > 0", "((2 ^ (3 ^ 2)) > 0)"),
        ("2 * 3 ^ 2 = 18", "((2 * (3 ^ 2)) = 18)"),
        ("-2 ^ 2 = -4", "((-(2 ^ 2)) = -4)"),
        ("(-2) ^ 2 = 4", "((-2 ^ 2) = 4)"),
        ("2 ^ -1 = 0", "((2 ^ -1) = 0)"),
        ("2 * -3 * 4 = 1", "((2 * (-(3 * 4))) = 1)"),
        ("2 * -3 + 4 = 1", "(((2 * -3) + 4) = 1)"),
        ("1 - -1 = 2", "((1 - -1) = 2)"),
        ("-.a + 1 = 2", "(((-a) + 1) = 2)"),
        ("-.a * 2 = 2", "((-(a * 2)) = 2)"),
        ("- - .a = 2", "((-(-a)) = 2)"),
        ("!.a = true", "((!a) = True)"),
        ("!.a && .b", "((!a) && b)"),
        ("!(.a && .b)", "(!(a && b))"),
        ("!!.a", "(!(!a))"),
        ("!-.a = 1", "((!(-a)) = 1)"),
    ],
)
def test_operators_group_by_their_level(text: str, grouped: str) -> None:
    assert _grouped(_condition(text)) == grouped


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("5", _int(5)),
        ("007", _int(7)),
        ("-5", _int(-5)),
        ("-0", _int(0)),
        ("9223372036854775807", _int(2**63 - 1)),
        ("maxInt", _int(2**63 - 1)),
        ("minInt", _int(-(2**63))),
        ("5.0", Literal(FLOAT, 5.0)),
        ("5.", Literal(FLOAT, 5.0)),
        (".5", Literal(FLOAT, 0.5)),
        ("-.5", Literal(FLOAT, -0.5)),
        ("1e3", Literal(FLOAT, 1000.0)),
        ("1.5e-3", Literal(FLOAT, 0.0015)),
        (".5E+1", Literal(FLOAT, 5.0)),
        ("10ns", Literal(DURATION, 10)),
        ("1us", Literal(DURATION, 1_000)),
        ("1µs", Literal(DURATION, 1_000)),
        ("1μs", Literal(DURATION, 1_000)),
        ("100ms", Literal(DURATION, 100_000_000)),
        ("1.5s", Literal(DURATION, 1_500_000_000)),
        (".5s", Literal(DURATION, 500_000_000)),
        ("5.s", Literal(DURATION, 5_000_000_000)),
        ("1h30m", Literal(DURATION, 5_400_000_000_000)),
        ("1d", Literal(DURATION, 86_400_000_000_000)),
        ("1w", Literal(DURATION, 604_800_000_000_000)),
        ("1y", Literal(DURATION, 31_536_000_000_000_000)),
        ("0.0000000001s", Literal(DURATION, 0)),
        ("0000000000000000000000000001s", Literal(DURATION, 1_000_000_000)),
        ("-5ms", Literal(DURATION, -5_000_000)),
        ('"abc"', Literal(STRING, "abc")),
        ('""', Literal(STRING, "")),
        ("`a\\qb`", Literal(STRING, "a\\qb")),
        ("`two\r\nlines`", Literal(STRING, "two\nlines")),
        (r'"a\"b\\c"', Literal(STRING, 'a"b\\c')),
        (r'"\a\b\f\n\r\t\v"', Literal(STRING, "\a\b\f\n\r\t\v")),
        (r'"\x41\102\u00e9\U0001f600"', Literal(STRING, "ABé😀")),
        (r'"\xc3\xa9"', Literal(STRING, "é")),
        ('"é{}|"', Literal(STRING, "é{}|")),
        ("true", Literal(LiteralType.BOOL, True)),
        ("false", Literal(LiteralType.BOOL, False)),
        ("nil", Literal(LiteralType.NIL, None)),
        ("error", Literal(LiteralType.STATUS, "error")),
        ("unset", Literal(LiteralType.STATUS, "unset")),
        ("ok", Literal(LiteralType.STATUS, "ok")),
        ("server", Literal(LiteralType.KIND, "server")),
        ("unspecified", Literal(LiteralType.KIND, "unspecified")),
    ],
)
def test_a_constant_has_a_type_and_a_value(text: str, literal: Literal) -> None:
    comparison = _condition(f".a = {text}")
    assert comparison == Binary(Op.EQ, A, literal)
    assert isinstance(comparison, Binary)
    assert isinstance(comparison.right, Literal)
    assert type(comparison.right.value) is type(literal.value)


@pytest.mark.parametrize(
    ("text", "scope", "name"),
    [
        (".a", Scope.NONE, "a"),
        (".http.status_code", Scope.NONE, "http.status_code"),
        ("span.a", Scope.SPAN, "a"),
        ("resource.service.name", Scope.RESOURCE, "service.name"),
        ("event.a", Scope.EVENT, "a"),
        ("link.a", Scope.LINK, "a"),
        ("instrumentation.a", Scope.INSTRUMENTATION, "a"),
        ("parent.a", Scope.PARENT, "a"),
        ("parent.span.a", Scope.PARENT, "span.a"),
        ("span.span.a", Scope.SPAN, "span.a"),
        (".i+1", Scope.NONE, "i+1"),
        (".a-b/c*d%e:f\\g[0]'h`i", Scope.NONE, "a-b/c*d%e:f\\g[0]'h`i"),
        ('span."a b".c', Scope.SPAN, "a b.c"),
        ('."a{b}(c)=d"', Scope.NONE, "a{b}(c)=d"),
        (r'."odd \"name\" \\"', Scope.NONE, 'odd "name" \\'),
        ('."two\nlines"', Scope.NONE, "two\nlines"),
        ('.""', Scope.NONE, ""),
        (".5x", Scope.NONE, "5x"),
        (".名前", Scope.NONE, "名前"),
        ("span.duration", Scope.SPAN, "duration"),
    ],
)
def test_a_name_is_everything_up_to_white_space_or_an_operator(text: str, scope: Scope, name: str) -> None:
    assert _condition(f"{text} = 1") == Binary(Op.EQ, Field(scope, name), _int(1))


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("name", "name"),
        ("span:name", "name"),
        ("span:status", "status"),
        ("trace:duration", "traceDuration"),
        ("trace:rootName", "rootName"),
        ("trace:rootService", "rootServiceName"),
        ("childCount", "span:childCount"),
        ("trace:id", "trace:id"),
        ("nestedSetLeft", "nestedSetLeft"),
        ("parent", "parent"),
    ],
)
def test_an_intrinsic_has_one_name_whatever_the_spelling(spelling: str, name: str) -> None:
    assert _condition(f"{spelling} != nil") == Binary(
        Op.NE, Field(Scope.INTRINSIC, name), Literal(LiteralType.NIL, None)
    )


def test_white_space_and_line_breaks_mean_nothing() -> None:
    assert parse("{.a=1}") == parse(" {\n\t.a =\r\n1 } ")


def test_the_empty_filter_has_no_condition() -> None:
    assert parse("{}") == parse("{ }") == Query(EVERY)


def test_parentheses_around_a_filter_change_nothing() -> None:
    assert parse("(({ .a }))") == parse("{ .a }")


def test_a_node_knows_its_place() -> None:
    condition = _condition("\n  .a =\n 5 && (status = error)")
    assert isinstance(condition, Binary)
    assert condition.position == Position(2, 3, 27)
    assert condition.left.position == Position(2, 3, 7)
    assert isinstance(condition.right, Binary)
    assert condition.right.position == Position(3, 8, 14)
    assert condition.right.right.position == Position(3, 17, 5)


def test_places_do_not_make_trees_different() -> None:
    assert _condition(".a   = 1") == _condition(".a = 1")


@pytest.mark.parametrize("op", [Op.OR, Op.AND])
def test_a_thousand_alternatives_are_a_shallow_tree(op: Op) -> None:
    parts = [f".a = {number}" for number in range(1_000)]
    condition = _condition(f" {op} ".join(parts))
    assert [_grouped(one) for one in run_of(op, condition)] == [f"(a = {number})" for number in range(1_000)]
    assert _depth(condition) < 45


def _depth(expr: Expr) -> int:
    if isinstance(expr, Binary):
        return 1 + max(_depth(expr.left), _depth(expr.right))
    return 1


@pytest.mark.parametrize("op", list(SpansetOp))
def test_filters_combine_by_every_operator(op: SpansetOp) -> None:
    assert parse(f"{{ .a }} {op} {{}}") == Query(SpansetOperation(op, SpansetFilter(A), EVERY))


def test_span_sets_group_to_the_left_and_structure_binds_tighter() -> None:
    chain = parse("{ .a } > { .b } >> { .c }").body
    assert chain == SpansetOperation(
        SpansetOp.DESCENDANT,
        SpansetOperation(SpansetOp.CHILD, SpansetFilter(A), SpansetFilter(B)),
        SpansetFilter(C),
    )
    mixed = parse("{ .a } && { .b } > { .c }").body
    assert isinstance(mixed, SpansetOperation)
    assert mixed.op is SpansetOp.AND
    assert parse("{ .a } && ({ .b } > { .c })") == parse("{ .a } && { .b } > { .c }")


COUNT = Aggregate(AggregateKind.COUNT)
MANY = ScalarFilter(Op.GT, COUNT, _int(1))


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("{} | { .a }", (EVERY, SpansetFilter(A))),
        ("{} | count() > 1", (EVERY, MANY)),
        ("count() > 1", (MANY,)),
        ("(count() > 1)", (MANY,)),
        ("{} | avg(.a) >= 1.5", (EVERY, ScalarFilter(Op.GE, Aggregate(AggregateKind.AVG, A), Literal(FLOAT, 1.5)))),
        ("{} | 5 = count()", (EVERY, ScalarFilter(Op.EQ, _int(5), COUNT))),
        ("{} | min(.a) > -5", (EVERY, ScalarFilter(Op.GT, Aggregate(AggregateKind.MIN, A), _int(-5)))),
        (
            "{} | count() + 1 > 2",
            (EVERY, ScalarFilter(Op.GT, ScalarOperation(Op.ADD, COUNT, _int(1)), _int(2))),
        ),
        ("{} | by(.a) | coalesce()", (EVERY, GroupBy(A), Coalesce())),
        ("by(.a + 1) | count() > 1", (GroupBy(Binary(Op.ADD, A, _int(1))), MANY)),
        ("{} | select(.a, span.b)", (EVERY, Select((A, Field(Scope.SPAN, "b"))))),
        ("({} | by(.a)) | count() > 1", (EVERY, GroupBy(A), MANY)),
        ("{} | rate()", (EVERY, Metrics(MetricsKind.RATE))),
        ("{} | rate() by(.a, .b)", (EVERY, Metrics(MetricsKind.RATE, by=(A, B)))),
        ("{} | sum_over_time(.a)", (EVERY, Metrics(MetricsKind.SUM, A))),
        (
            "{} | quantile_over_time(.a, .5, 1) by(.b)",
            (EVERY, Metrics(MetricsKind.QUANTILE, A, (Literal(FLOAT, 0.5), _int(1)), (B,))),
        ),
        ("{} | compare({ .a }, 5)", (EVERY, Metrics(MetricsKind.COMPARE, SpansetFilter(A), (_int(5),)))),
        (
            "{} | rate() | topk(3) > 1",
            (EVERY, Metrics(MetricsKind.RATE), SeriesLimit(3), SeriesFilter(Op.GT, _int(1))),
        ),
        (
            "{} | rate() > 1 < 100 | topk(3) | bottomk(2)",
            (
                EVERY,
                Metrics(MetricsKind.RATE),
                SeriesFilter(Op.GT, _int(1)),
                SeriesFilter(Op.LT, _int(100)),
                SeriesLimit(3),
                SeriesLimit(2, largest=False),
            ),
        ),
    ],
)
def test_a_pipeline_is_its_stages(text: str, stages: tuple[object, ...]) -> None:
    body = parse(text).body
    assert isinstance(body, Pipeline)
    assert body.stages == stages


def test_pipelines_combine_in_parentheses() -> None:
    pipeline = Pipeline((EVERY, MANY))
    assert parse("({} | count() > 1) && ({ .a })") == Query(SpansetOperation(SpansetOp.AND, pipeline, SpansetFilter(A)))
    text = "({} | count() > 1) || ({} | count() > 1) || ({} | count() > 1)"
    assert parse(text) == Query(
        SpansetOperation(SpansetOp.OR, SpansetOperation(SpansetOp.OR, pipeline, pipeline), pipeline)
    )
    assert parse("({} | count()) > ({} | count())") == Query(
        Pipeline((ScalarFilter(Op.GT, Pipeline((EVERY, COUNT)), Pipeline((EVERY, COUNT))),))
    )


def test_metrics_compute_with_each_other_and_with_numbers() -> None:
    rate = Pipeline((EVERY, Metrics(MetricsKind.RATE)))
    assert parse("({} | rate()) / ({} | rate()) * 100") == Query(
        Pipeline((MetricsOperation(Op.MUL, MetricsOperation(Op.DIV, rate, rate), _int(100)),))
    )
    assert parse("({} | rate()) * 2 > 5 | topk(1)") == Query(
        Pipeline((MetricsOperation(Op.MUL, rate, _int(2)), SeriesFilter(Op.GT, _int(5)), SeriesLimit(1)))
    )
    assert parse("({} | rate()) > 5") == parse("{} | rate() > 5")


def test_hints_are_kept() -> None:
    query = parse('{} with(most_recent=true, sample=.1, n=-1, text="x")')
    assert query.hints == (
        Hint("most_recent", Literal(LiteralType.BOOL, True)),
        Hint("sample", Literal(FLOAT, 0.1)),
        Hint("n", _int(-1)),
        Hint("text", Literal(STRING, "x")),
    )


def test_only_a_lone_filter_is_one() -> None:
    assert parse("{ .a }").filter == SpansetFilter(A)
    assert parse("{ .a } with(a=1)").filter == SpansetFilter(A)
    assert parse("{ .a } | { .b }").filter is None
    assert parse("{ .a } || { .b }").filter is None


def test_comments_are_passed_over() -> None:
    text = """// what is slow
    { .a /* of
    two lines */ } // here
    | by(.a) // the end"""
    assert parse(text) == parse("{ .a } | by(.a)")
    assert parse('{ .a = "// no comment" }').filter != parse("{ .a }").filter
    assert parse("{ .a//b }").filter == SpansetFilter(Field(Scope.NONE, "a//b"))  # the name goes on


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("(count() > 1) && ({ .a })", "({} | count() > 1) && ({ .a })"),
        ("(by(.a)) > (count() > 1)", "({} | by(.a)) > ({} | count() > 1)"),
    ],
)
def test_a_pipeline_in_parentheses_may_begin_without_a_filter(text: str, same: str) -> None:
    query, longer = parse(text), parse(same)
    assert isinstance(query.body, SpansetOperation)
    assert isinstance(longer.body, SpansetOperation)
    assert isinstance(query.body.left, Pipeline)
    assert isinstance(longer.body.left, Pipeline)
    assert query.body.left.stages == longer.body.left.stages[1:]


def test_what_stands_beside_a_pipeline_is_written_in_parentheses() -> None:
    assert format_query(parse("(({} | by(.a)) > ({})) | { .b }")) == "({} | by(.a)) > ({}) | { .b }"
    text = "(({} | by(.a)) > ({}) && { .c }) > ({} | by(.b))"
    assert format_query(parse(text)) == text


def test_a_pipeline_has_a_bound() -> None:
    stages = " | ".join(["{ }"] * 100)
    assert isinstance(parse(stages).body, Pipeline)
    with pytest.raises(SyntaxProblem, match="100 stages at most"):
        parse(f"{stages} | count() > 1")
    with pytest.raises(SyntaxProblem, match="100 stages at most"):
        parse(f"{{ }} | ({stages})")
