"""A tree has one text, and the text gives the tree back."""

import pytest

from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.format import format_expr, format_field, format_filter, format_literal, format_query
from arcane.traceql.literals import spell_duration
from arcane.traceql.parse import parse
from tests.unit.traceql.observed import ROWS


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("{}", "{}"),
        ("{true}", "{ true }"),
        ("{.a=1&&span:status=error}", "{ .a = 1 && status = error }"),
        ("{ (.a = 1) }", "{ .a = 1 }"),
        ("{ (.a || .b) && .c }", "{ .a || .b && .c }"),
        ("{ .a || (.b && .c) }", "{ .a || (.b && .c) }"),
        ("{ !(.a = 1) }", "{ !(.a = 1) }"),
        ("{ !(.a) }", "{ !.a }"),
        ("{ !(!.a) }", "{ !!.a }"),
        ("{ -(.a + 1) = -(5) }", "{ -(.a + 1) = -(5) }"),
        ("{ -.a ^ 2 = -5 }", "{ -.a ^ 2 = -5 }"),
        ("{ (-2) ^ 2 = 4 }", "{ (-2) ^ 2 = 4 }"),
        ("{ .a - (1 - 2) = .a - -1 }", "{ .a - (1 - 2) = .a - (-1) }"),
        ("{ (2 ^ 3) ^ 2 = 2 ^ (3 ^ 2) }", "{ (2 ^ 3) ^ 2 = 2 ^ 3 ^ 2 }"),
        ("{ (.a = 1) = true }", "{ .a = 1 = true }"),
        ("{ .a = (1 = 1) }", "{ .a = (1 = 1) }"),
        ("{ .a = minInt || .a = maxInt }", "{ .a = minInt || .a = 9223372036854775807 }"),
        ("{ .a = 1e3 || .a = 1e300 }", "{ .a = 1000.0 || .a = 1e+300 }"),
        ("{ duration > 90m }", "{ duration > 1h30m }"),
        ("{ duration > 1d }", "{ duration > 24h }"),
        ("{ duration > 1500us }", "{ duration > 1.5ms }"),
        ('{ .a = `x"y` }', '{ .a = "x\\"y" }'),
        ('{ .a = "\\x00\\x7f\\n\\u00e9" }', '{ .a = "\\x00\\x7f\\né" }'),
        ('{ span."a b".c = 1 }', '{ span."a b.c" = 1 }'),
        ('{ ."plain" = 1 }', "{ .plain = 1 }"),
        ('{ ."5x" = 1 }', '{ ."5x" = 1 }'),
        ('{ ."" = 1 }', '{ ."" = 1 }'),
        ("{ .a\\b = 1 }", '{ ."a\\\\b" = 1 }'),
        ("{ parent.span.a = 1 }", "{ parent.span.a = 1 }"),
        ("({ .a })", "{ .a }"),
        ("{ .a } > ({ .b } > { .c })", "{ .a } > ({ .b } > { .c })"),
        ("({ .a } > { .b }) > { .c }", "{ .a } > { .b } > { .c }"),
        ("({ .a } && { .b }) > { .c }", "({ .a } && { .b }) > { .c }"),
        ("{.a}|{.b}|count()>1", "{ .a } | { .b } | count() > 1"),
        ("({}|by(.a))&&({}|count()>1)", "({} | by(.a)) && ({} | count() > 1)"),
        ("{}|(count()+1)*2>3", "{} | (count() + 1) * 2 > 3"),
        ("{}|count()^(-1)>3-(-1)", "{} | count() ^ (-1) > 3 - (-1)"),
        ("{}|by(.a=1)|coalesce()|select(.a,name)", "{} | by(.a = 1) | coalesce() | select(.a, name)"),
        ("{}|rate()by(.a)>5|topk(3)|bottomk(2)", "{} | rate() by(.a) > 5 | topk(3) | bottomk(2)"),
        ("{}|quantile_over_time(duration,.5,1)", "{} | quantile_over_time(duration, 0.5, 1)"),
        ("{}|compare({.a},5)", "{} | compare({ .a }, 5)"),
        ("({}|rate())/(2*({}|rate()))>1", "({} | rate()) / (2 * ({} | rate())) > 1"),
        ("({}|rate())/2", "({} | rate()) / 2"),
        ("({}|count())>({}|count())", "({} | count()) > ({} | count())"),
        ("{}with(b=true,a=-1)", "{} with(b=true, a=-1)"),
    ],
)
def test_there_is_one_text_for_a_tree(text: str, canonical: str) -> None:
    query = parse(text)
    assert format_query(query) == canonical
    assert parse(canonical) == query


@pytest.mark.parametrize("text", [row.query for row in ROWS if "400" not in str(row.http)])
def test_recorded_queries_survive_being_spelled(text: str) -> None:
    query = parse(text)
    assert parse(format_query(query)) == query


def _number(value: int) -> Expr:
    return Binary(Op.EQ, Field(Scope.NONE, "a"), Literal(LiteralType.INT, value))


def _leaning(count: int, op: Op, first: Expr) -> Expr:
    expr = first
    for number in range(1, count):
        expr = Binary(op, expr, _number(number))
    return expr


@pytest.mark.parametrize("count", [2, 31, 32, 33, 34, 40])
def test_chains_built_by_hand_survive_being_spelled(count: int) -> None:
    for expr in (
        _leaning(count, Op.OR, _number(0)),
        _leaning(count, Op.OR, _leaning(count, Op.AND, _number(0))),
        Binary(Op.OR, _number(0), _leaning(count, Op.OR, _number(0))),
        Binary(Op.OR, _read(count), _number(0)),
        Binary(Op.OR, _number(0), _read(count)),
        Binary(Op.AND, _read(count), _read(count)),
    ):
        assert parse(format_filter(SpansetFilter(expr))).filter == SpansetFilter(expr)


def _read(count: int) -> Expr:
    spanset = parse("{ " + " || ".join(f".a = {number}" for number in range(count)) + " }").filter
    assert spanset is not None
    assert spanset.condition is not None
    return spanset.condition


def test_a_long_chain_is_spelled_without_parentheses() -> None:
    expr = _read(1_000)
    assert format_expr(expr) == " || ".join(f".a = {number}" for number in range(1_000))


def test_a_sign_before_a_constant_is_kept_apart_from_a_negative_constant() -> None:
    five = Literal(LiteralType.INT, 5)
    for expr in (
        Unary(Op.NEG, five),
        Unary(Op.NEG, Literal(LiteralType.INT, -5)),
        Unary(Op.NEG, Unary(Op.NEG, five)),
        Literal(LiteralType.INT, -5),
        Unary(Op.NEG, Literal(LiteralType.INT, -(2**63))),
    ):
        condition = Binary(Op.EQ, Field(Scope.NONE, "a"), expr)
        assert parse(format_query(Query(SpansetFilter(condition)))).filter == SpansetFilter(condition)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (999, "999ns"),
        (1_500, "1.5us"),
        (46_000_000, "46ms"),
        (1_000_000_000, "1s"),
        (1_050_000_000, "1.05s"),
        (60_000_000_000, "1m"),
        (61_000_000_001, "1m1.000000001s"),
        (3_600_000_000_000, "1h"),
        (3_601_000_000_000, "1h1s"),
        (-1_500_000_000, "-1.5s"),
    ],
)
def test_durations_are_spelled_as_go_does_without_empty_units(nanos: int, text: str) -> None:
    assert spell_duration(nanos) == text


def test_fields_and_constants_are_spelled_alone() -> None:
    assert format_field(Field(Scope.NONE, "a b")) == '."a b"'
    assert format_field(Field(Scope.RESOURCE, "service.name")) == "resource.service.name"
    assert format_field(Field(Scope.INTRINSIC, "status")) == "status"
    assert format_literal(Literal(LiteralType.NIL, None)) == "nil"
    assert format_literal(Literal(LiteralType.BOOL, False)) == "false"
    assert format_literal(Literal(LiteralType.KIND, "server")) == "server"
