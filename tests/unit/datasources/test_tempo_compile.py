"""Arcane's questions in Tempo's words."""

from __future__ import annotations

import pytest

from arcane.model.time import TimeRange
from arcane.spi import Binary, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary, Unsupported
from arcane.traceql.parse import parse
from datasources.tempo.compile import compile_condition, compile_query, compile_window

SECOND = 1_000_000_000
SHOWN = (Field(Scope.INTRINSIC, "name"), Field(Scope.RESOURCE, "service.name"))


@pytest.mark.parametrize(
    ("query", "worded"),
    [
        ("{ status = error }", "status = error"),
        ('{ resource.service.name = "shop" && kind != server }', 'resource.service.name = "shop" && kind != server'),
        ("{ span.a = 5 }", "(span.a = 5 || span.a = 5.0)"),
        ("{ span.a = 5.0 }", "(span.a = 5 || span.a = 5.0)"),
        ("{ span.a = 5ns }", "(span.a = 5 || span.a = 5.0)"),
        ("{ span.a = 4.5 }", "span.a = 4.5"),
        ("{ span.a > 4.5 }", "(span.a >= 5 || span.a > 4.5)"),
        ("{ span.a <= -4.5 }", "(span.a <= -5 || span.a <= -4.5)"),
        ("{ span.a > 1e30 }", "span.a > 1000000000000000000000000000000.0"),
        ("{ span.a = 9007199254740993 }", "span.a = 9007199254740993"),
        ("{ span.a > 9007199254740993 }", "(span.a > 9007199254740993 || span.a >= 9007199254740994.0)"),
        ('{ span.a != "x" }', '(span.a != "x" && span.a != nil)'),
        ("{ span.a != 5 }", "((span.a != 5 || span.a != 5.0) && span.a != nil)"),
        ("{ span.a != nil }", "span.a != nil"),
        ('{ .a = "x" }', '(.a = "x" && .a != nil)'),
        ('{ event.a != "x" }', 'event.a != "x"'),
        ("{ event.a != 4.5 }", "event.a != nil"),
        ("{ duration > 1500ms }", "duration > 1.5s"),
        ("{ duration = 0.5 }", "false"),
        ("{ duration != 0.5 }", "true"),
        ("{ traceDuration < 90s }", "traceDuration < 1m30s"),
        ('{ trace:id = "00AB" }', 'trace:id = "00ab"'),
        ('{ span:id = "ff000000000000a2" }', 'span:id = "ff000000000000a2"'),
        ('{ span:id = "a2" }', 'span:id =~ "0*a2"'),
        ('{ span:parentID = "" }', "true"),
        ('{ link:traceID = "00000000000000000000000000000abc" }', 'link:traceID = "abc"'),
        ("{ nestedSetParent < 0 }", "nestedSetParent < 0"),
        ("{ nestedSetParent = -1 }", "nestedSetParent < 0"),
        ("{ nestedSetParent = 7 }", "true"),
        ('{ span.a = "x" || span.b = true && name = "n" }', '(span.a = "x" || span.b = true) && name = "n"'),
        ('{ span."odd \\"x\\"" =~ "a\\n.*" }', 'span."odd \\"x\\"" =~ "a\\n.*"'),
    ],
)
def test_a_condition_is_worded_so_that_it_means_the_same(query: str, worded: str) -> None:
    spanset = parse(query).filter
    assert spanset is not None
    assert compile_condition(spanset.condition) == worded


def test_a_query_has_what_to_show_and_the_hint() -> None:
    assert compile_query(SpansetFilter(), (), most_recent=False) == "{}"
    everything = compile_query(SpansetFilter(), SHOWN, most_recent=True)
    assert everything == "{} | select(name, resource.service.name) with (most_recent=true)"


@pytest.mark.parametrize(
    "condition",
    [
        Unary(Op.NOT, Field(Scope.SPAN, "a")),
        Field(Scope.SPAN, "a"),
        Binary(Op.EQ, Literal(LiteralType.INT, 5), Field(Scope.SPAN, "a")),
        Binary(Op.EQ, Field(Scope.SPAN, "a"), Field(Scope.SPAN, "b")),
        Binary(Op.EQ, Field(Scope.SPAN, "a"), Literal(LiteralType.FLOAT, float("nan"))),
    ],
)
def test_what_cannot_be_worded_is_refused(condition: object) -> None:
    with pytest.raises(Unsupported):
        compile_condition(condition)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("within", "wanted"),
    [
        (TimeRange(10 * SECOND, 20 * SECOND), (10, 20)),
        (TimeRange(10 * SECOND + 1, 20 * SECOND + 1), (10, 21)),
        (TimeRange(10 * SECOND, 10 * SECOND), (10, 11)),
        (TimeRange(10 * SECOND + 5, 10 * SECOND + 6), (10, 11)),
    ],
)
def test_a_window_is_rounded_outwards_and_never_empty(within: TimeRange, wanted: tuple[int, int]) -> None:
    assert compile_window(within) == wanted
