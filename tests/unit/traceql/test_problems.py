"""What is wrong with a query is said at its place, with a hint that helps."""

import pytest

from arcane.traceql.check import check
from arcane.traceql.errors import SyntaxProblem, TraceqlError, TypeProblem, UnsupportedConstruct
from arcane.traceql.parse import parse


def _problem(text: str) -> TraceqlError:
    with pytest.raises(TraceqlError) as raised:
        check(parse(text))
    return raised.value


# text, column, length, part of the message, part of the hint
SYNTAX: list[tuple[str, int, int, str, str]] = [
    ("", 1, 1, "the query is empty", "{ }"),
    ("  \n ", 1, 1, "the query is empty", "{ }"),
    ("{", 2, 1, "closing brace is missing", "}"),
    ("{ .i = 5", 9, 1, "closing brace is missing", "}"),
    ("{ .i = ", 7, 1, "missing at the end", ""),
    ("{ .a && (.b", 12, 1, "closing parenthesis is missing", ")"),
    ("{ (.a = 1 }", 11, 1, "unexpected `}`", "closing parenthesis is missing"),
    ("{ .a = 1 &&", 12, 1, "missing at the end", ""),
    ("({ .a }", 8, 1, "closing parenthesis is missing", ")"),
    ("{ .a } | by", 12, 1, "ends too early", "opening parenthesis"),
    ("{ .a } with(a", 14, 1, "ends too early", ""),
    ("{ .i = 5 } }", 12, 1, "unexpected `}`", "closes no brace"),
    ("{ .i = 5 ) }", 10, 1, "unexpected `)`", "closes no parenthesis"),
    ("()", 2, 1, "unexpected `)`", ""),
    ("{ .a = }", 8, 1, "unexpected `}`", "operand is missing"),
    ("{ (.a = ) }", 9, 1, "unexpected `)`", "operand is missing"),
    ("{ .i == 5 }", 6, 2, "`==` is not an operator", "`=`"),
    ("{ .i === 5 }", 6, 3, "`===` is not an operator", "`=`"),
    ("{ .i <> 5 }", 6, 2, "`<>` is not an operator", "`!=`"),
    ("{ .i => 5 }", 6, 2, "`=>` is not an operator", "`>=`"),
    ("{ .i =< 5 }", 6, 2, "`=<` is not an operator", "`<=`"),
    ('{ .s ~ "x" }', 6, 1, "`~` is not an operator", "`=~`"),
    ("{ .a and .b }", 6, 3, "unexpected `and`", "&&"),
    ("{ .a OR .b }", 6, 2, "unexpected `OR`", "||"),
    ("{ .i in (5) }", 6, 2, "unexpected `in`", "no lists"),
    ("{ .a | .b }", 6, 1, "unexpected `|`", "||"),
    ("{ .a & .b }", 6, 1, "unexpected `&`", "&&"),
    ('{ .i = 5, .s = "abc" }', 9, 1, "unexpected `,`", "&&"),
    ("{ .a = [1] }", 8, 1, "unexpected `[`", "no lists"),
    ("{ .a = 1; }", 9, 1, "unexpected `;`", ""),
    ("{ .a = \x00 }", 8, 1, "unexpected character U+0000", ""),
    ("{ .a 5 }", 6, 1, "unexpected `5`", "operator"),
    ("{ .a = .b .c }", 11, 2, "unexpected `.c`", "operator"),
    ("= 5", 1, 1, "unexpected `=`", "a filter in braces"),
    ("{} | >", 6, 1, "unexpected `>`", "a filter in braces"),
    ("{} | by = 1", 9, 1, "unexpected `=`", "opening parenthesis"),
    ("{} | count( = 1", 13, 1, "unexpected `=`", "attribute or a value"),
    ("{} | topk(.a)", 11, 2, "unexpected `.a`", ""),
    ("{} with(a 1)", 11, 1, "unexpected `1`", ""),
    ("{} | avg(.a .b", 13, 2, "unexpected `.b`", "closing parenthesis"),
    ("{ = 5 }", 3, 1, "unexpected `=`", "attribute or a value"),
    (".a = 1", 1, 2, "unexpected `.a`", "braces: { .a = 1 }"),
    ("{ .a } .b", 8, 2, "unexpected `.b`", ""),
    ("status = error", 1, 6, "`status` cannot stand here", "braces: { status"),
    ("{ .a } { .b }", 8, 1, "unexpected `{`", "| or another"),
    ("{ .a } | .b", 10, 2, "unexpected `.b`", "braces"),
    ("{ .a = 'abc' }", 8, 5, "double quotes", '"abc"'),
    ("{ .a = 'a\"c' }", 8, 5, "double quotes", "`backquotes`"),
    ("{ .a = ' }", 8, 1, "double quotes", '"..."'),
    ('{ .a = "abc }', 8, 6, "closing quote is missing", 'add "'),
    ('{ .a = "abc\n" }', 8, 4, "closing quote is missing", "\\n"),
    ("{ .a = `abc }", 8, 6, "closing quote is missing", "add `"),
    ('{ span."abc = 1 }', 7, 11, "closing quote is missing", 'add "'),
    ('{ .a = "\\q" }', 9, 2, "`\\q` is not an escape", "\\\\"),
    ('{ .a = "\n\\q" }', 8, 1, "closing quote is missing", "\\n"),
    ('{ .a = "\\777" }', 9, 4, "`\\777` is not an escape", "\\\\"),
    ('{ .a = "\\ud800" }', 9, 6, "`\\ud800` is not an escape", ""),
    ('{ .a = "\\xff" }', 8, 6, "not valid UTF-8", ""),
    ('{ span."a\\nb" = 1 }', 10, 2, "`\\n` is not an escape", 'only \\" and \\\\'),
    ("{ .a = 12abc }", 8, 5, "`12abc` is neither a number nor a duration", "100ms"),
    ("{ .a = 5s7 }", 8, 3, "`5s7` is neither", "100ms"),
    ("{ .a = 0x10 }", 8, 4, "`0x10` is neither", ""),
    ("{ .a = 9223372036854775808 }", 8, 19, "out of range", "64 bits"),
    ("{ .a = 1e999 }", 8, 5, "out of range", ""),
    ("{ .a = 1000y }", 8, 5, "out of range", ""),
    ("{ .a = 99999999999999999999s }", 8, 21, "out of range", ""),
    ("{ . = 1 }", 3, 1, "name is missing", ""),
    ("{ foo = 1 }", 3, 3, "unknown identifier `foo`", "`.foo`"),
    ("{ stat = error }", 3, 4, "unknown identifier `stat`", "`status`"),
    ("{ .a = foo }", 8, 3, "unknown identifier `foo`", '"foo"'),
    ("{ status = eror }", 12, 4, "unknown identifier `eror`", "`error`"),
    ("{ .a = null }", 8, 4, "unknown identifier `null`", "`nil`"),
    ("{ .a = foo.bar }", 8, 7, "unknown identifier `foo.bar`", '"foo.bar"'),
    ("{ http.method = 1 }", 3, 11, "unknown scope in `http.method`", "`.http.method`"),
    ("{ resuorce.a = 1 }", 3, 10, "unknown scope", "`resource.a`"),
    ("{ trace.duration > 1s }", 3, 14, "unknown scope", "`trace:duration`"),
    ("{ span:foo = 1 }", 3, 8, "unknown intrinsic `span:foo`", "span:name"),
    ("{ event:nam = 1 }", 3, 9, "unknown intrinsic", "`event:name`"),
    ("{ foo:bar = 1 }", 3, 7, "unknown intrinsic", "begin with span"),
    ("{ rate = 1 }", 3, 4, "unknown identifier `rate`", "`.rate`"),
    ("coalesce()", 1, 10, "begins with a filter", "{ }"),
    ("select(.a) | { .b }", 1, 10, "begins with a filter", "{ }"),
    ("rate()", 1, 6, "begins with a filter", ""),
    ("rate() > 5", 1, 10, "begins with a filter", ""),
    ("{} | count()", 1, 12, "not compared", "count() > 2"),
    ("5", 1, 1, "not compared", ""),
    ("{} | 5", 6, 1, "a number alone", "count() > 2"),
    ("{} | count() | { .a }", 16, 6, "has to be compared", ""),
    ("{} | rate() | { .a }", 15, 6, "topk, bottomk", ""),
    ("{} | topk(5)", 6, 7, "behind a metrics function", "rate()"),
    ("{} | count(.a) > 1", 6, 9, "count does not take that", "count()"),
    ("{} | avg() > 1", 6, 5, "avg does not take that", "avg(duration)"),
    ("{} | rate(.a)", 6, 8, "rate does not take that", "rate()"),
    ("{} | sum_over_time(.a + 1)", 6, 21, "does not take that", ""),
    ("{} | sum_over_time()", 6, 15, "does not take that", ""),
    ("{} | quantile_over_time(.a)", 6, 22, "does not take that", ""),
    ('{} | quantile_over_time(.a, "x")', 6, 27, "does not take that", ""),
    ("{} | compare(.a)", 6, 11, "does not take that", ""),
    ("{} | compare({}) by(.a)", 6, 18, "does not take that", ""),
    ("{} | rate() by(1)", 16, 1, "only fields", ""),
    ("{} | select(.a + 1)", 13, 6, "only fields", ""),
    ("{} = {}", 4, 1, "cannot stand between span sets", ">>"),
    ("{} && count() > 1", 4, 2, "cannot stand between spans and", ""),
    ("{} > count()", 4, 1, "cannot stand between spans and a number", "`|`"),
    ("{} | count() > 1 && avg(.a) > 1", 18, 2, "cannot stand between", "one condition behind the other"),
    ("{} | count() && 1", 14, 2, "cannot stand between a number", ""),
    ("{} | -count() > 1", 6, 8, "a sign stands before a number", ""),
    ("({} | by(.a)) > {}", 17, 2, "in parentheses", "({ ... } | ...) >"),
    ("{} > ({} | by(.a))", 1, 2, "in parentheses", ""),
    ("{ .a } | ", 9, 1, "a stage is missing at the end", "by(name)"),
    ("{ .a } | rat()", 10, 3, "there is no stage `rat`", "did you mean `rate`?"),
    ("{ .a } | rat", 10, 3, "`rat` cannot stand here", "did you mean `rate()`?"),
    ("({ } | Rate ()) / ({ } | rate())", 8, 4, "there is no stage `Rate`", "did you mean `rate`?"),
    ("{ .a } | by(name) | percentile(duration, .9)", 21, 10, "there is no stage", "`quantile_over_time`"),
    ("{ .a } | rate() | limit(5)", 19, 5, "there is no stage `limit`", "`topk`"),
    ("{ .a } | where(.a = 1)", 10, 5, "there is no stage `where`", "conditions stand in braces"),
    ("{ .a } | frobnicate(1)", 10, 10, "there is no stage", "stages are count, min, max"),
    (f"{{ .a }} | {'x' * 90}(1)", 100, 1, "unexpected `(`", ""),
    ("{ .a } ||", 10, 1, "a filter in braces is missing", "add { }"),
    ("{ .a } /* x", 8, 2, "the comment is not closed", "add */"),
    ("(coalesce()) && ({})", 1, 12, "a pipeline begins with a filter", ""),
    ("({} | rate()) + (rate())", 17, 8, "a pipeline begins with a filter", ""),
    ("{} | rate() / 2", 6, 10, "whole metrics queries", "({ } | rate())"),
    ("{} | 5 < rate()", 8, 1, "cannot stand beside time series", "rate() > 5"),
    ("{} | avg(.a) != nil", 17, 3, "never nil", ""),
    ("{} with(a=-true)", 9, 7, "a sign stands before a number", ""),
    ("{} with(a=b)", 11, 1, "`b` cannot stand here", ""),
    ("{} | topk(99999999999999999999)", 11, 20, "out of range", ""),
]


@pytest.mark.parametrize(("text", "column", "length", "message", "hint"), SYNTAX, ids=lambda value: repr(value))
def test_a_text_that_is_not_traceql(text: str, column: int, length: int, message: str, hint: str) -> None:
    problem = _problem(text)
    assert isinstance(problem, SyntaxProblem)
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert (problem.position.line, problem.position.column, problem.position.length) == (1, column, length)


TYPES: list[tuple[str, int, int, str, str]] = [
    ('{ kind = "server" }', 3, 15, "`kind` is a kind and", "without quotes: server"),
    ('{ "error" = status }', 3, 16, "`status` is a status", "without quotes: error"),
    ("{ kind = status }", 3, 13, "cannot be compared", ""),
    ('{ 1 = "1" }', 3, 7, "`1` is an int", ""),
    ("{ name = 1 }", 3, 8, "cannot be compared", ""),
    ('{ duration > "1s" }', 3, 15, "`duration` is a duration", ""),
    ("{ (.a = 1) = 1 }", 3, 12, "is a bool", ""),
    ("{ status > ok }", 3, 11, "no order", "use ="),
    ("{ .b > false }", 3, 10, "no order", "use ="),
    ("{ kind <= .a }", 3, 10, "no order", ""),
    ("{ .a > nil }", 3, 8, "nil has no order", ""),
    ("{ name = nil }", 3, 10, "`name` cannot be nil", 'name = ""'),
    ("{ nil = status }", 3, 12, "`status` cannot be nil", ""),
    ("{ event:name = nil }", 3, 16, "cannot be nil", "!(event:name != nil)"),
    ("{ resource.service.name = nil }", 3, 27, "cannot be nil", "!(resource.service.name != nil)"),
    ('{ "x" }', 3, 3, "is not a condition", 'name = "x"'),
    ("{ 1 + .a }", 3, 6, "is not a condition", ""),
    ("{ nil }", 3, 3, "is not a condition", ""),
    ("{ name }", 3, 4, "is not a condition", ""),
    ("{ !1 }", 3, 2, "`!` needs a condition", "!(.a = 1)"),
    ("{ -name = 1 }", 3, 5, "`-` needs a number", ""),
    ("{ .a && 5 }", 9, 1, "`&&` joins conditions", ""),
    ("{ name || .a }", 3, 4, "`||` joins conditions", ""),
    ('{ .a + "x" = 1 }', 8, 3, "`+` computes with numbers", ""),
    ("{ status ^ 2 = 1 }", 3, 6, "`^` computes with numbers", ""),
    ("{ nil + 1 = 1 }", 3, 3, "`+` computes with numbers", ""),
    ('{ .s =~ "[" }', 9, 3, "does not compile: missing ]", "RE2"),
    ('{ .s !~ "(?=x)" }', 9, 7, "does not compile", "look-around"),
    ("{ .s =~ `\\Qabc` }", 9, 7, "does not compile: a \\Q is not closed with \\E", "RE2"),
    ("{ .s =~ .only }", 9, 5, "regular expression in quotes", "=~"),
    ("{ .s =~ 5 }", 9, 1, "regular expression in quotes", ""),
    ('{ duration =~ "1.*" }', 3, 8, "matches text", ""),
    ("{} | { name }", 8, 4, "is not a condition", ""),
    ("{} >> { name }", 9, 4, "is not a condition", ""),
    ("({} | { 1 }) && ({})", 9, 1, "is not a condition", ""),
    ("{} | by(1)", 9, 1, "`by()` needs something that differs between spans", "resource.service.name"),
    ("{} | by(-name)", 9, 5, "`-` needs a number", ""),
    ("{} | avg(1) > 2", 10, 1, "`avg()` needs something that differs", ""),
    ("{} | max(name) > 1", 10, 4, "`max()` computes with numbers", ""),
    ("{} | sum(.a = 1) > 1", 10, 6, "`sum()` computes with numbers", ""),
    ('{} | count() > "1"', 16, 3, "cannot be compared", ""),
    ("{} | count() = true", 16, 4, "cannot be compared", ""),
    ('{} | count() =~ "1"', 6, 14, "matches text", "use = or !="),
    ("{ name } | rate()", 3, 4, "is not a condition", ""),
    ("{} | rate() | topk(0)", 15, 7, "at least 1", "topk(10)"),
    ("{} | quantile_over_time(duration, 1.5)", 35, 3, "between 0 and 1", ""),
    ("{} | max_over_time(name)", 20, 4, "computes with numbers", ""),
    ("{} | compare({ name })", 16, 4, "is not a condition", ""),
    ("{} | compare({ .a }, 0)", 22, 1, "1 to 1000 values", ""),
    ("({} | rate()) / ({ name } | rate())", 20, 4, "is not a condition", ""),
    ("({} | rate()) / ({} | rate() | topk(0))", 32, 7, "at least 1", ""),
]


@pytest.mark.parametrize(("text", "column", "length", "message", "hint"), TYPES, ids=lambda value: repr(value))
def test_a_query_that_cannot_mean_anything(text: str, column: int, length: int, message: str, hint: str) -> None:
    problem = _problem(text)
    assert isinstance(problem, TypeProblem)
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert (problem.position.line, problem.position.column, problem.position.length) == (1, column, length)


UNSUPPORTED: list[tuple[str, int, str]] = [
    ("{} | 5 = count()", 6, "`5` cannot stand on the left"),
    ("{} | 1 < 2", 6, "`1` cannot stand on the left"),
    ("{} | count() + 1 > 2", 6, "computing with aggregates"),
    ("({} | count()) > ({} | count())", 2, "computing with aggregates"),
    ("{} | count() > avg(.i)", 16, "`avg(.i)` is computed, too"),
    ("{} | count() > 1 + 2", 16, "`1 + 2` is computed, too"),
    ("{} | select(parent.a)", 13, "`parent` is reserved"),
    ("{} | by(parent.a)", 9, "`parent` is reserved"),
    ("{} | rate() by(.a, .b, .c, .d, .e, .f)", 36, "grouped by 5 fields at most"),
    ("{} | avg_over_time(.x) by(.a, .b, .c, .d, .e)", 43, "grouped by 4 fields at most"),
    ("{} | compare({ .a }) | topk(5)", 24, "nothing can stand behind compare()"),
    ("({} | compare({ .a })) / 2", 7, "compare() gives no series"),
    ("{ parent.a = 1 }", 3, "`parent` is reserved"),
    ("{ parent = nil }", 3, "`parent` is reserved"),
]


@pytest.mark.parametrize(("text", "column", "message"), UNSUPPORTED, ids=lambda value: repr(value))
def test_what_arcane_does_not_answer(text: str, column: int, message: str) -> None:
    problem = _problem(text)
    assert isinstance(problem, UnsupportedConstruct)
    assert message in problem.message
    assert problem.hint
    assert (problem.position.line, problem.position.column) == (1, column)


def test_the_line_is_told_where_there_are_several() -> None:
    problem = _problem("{ .a = 1 &&\n  .b == 2\n}")
    assert (problem.position.line, problem.position.column) == (2, 6)
    assert str(problem) == "line 2, column 6: `==` is not an operator; write `=`"


def test_an_escape_behind_a_line_break_in_a_name_is_told_where_it_stands() -> None:
    problem = _problem('{ span."a\n\\n" = 1 }')
    assert (problem.position.line, problem.position.column) == (2, 1)


def test_a_problem_without_a_hint_reads_well() -> None:
    assert str(_problem("{ . = 1 }")) == "line 1, column 3: an attribute name is missing behind the dot"


def test_text_that_is_not_unicode_is_told() -> None:
    problem = _problem('{ .a = 1 &&\n .b = "\ud800" }')
    assert isinstance(problem, SyntaxProblem)
    assert (problem.position.line, problem.position.column) == (2, 8)


def test_long_tokens_are_cut_in_messages() -> None:
    assert len(_problem("{ .a ." + "b" * 5_000 + " }").message) < 100
    assert len(_problem("{ " + "b" * 5_000 + " = 1 }").message) < 100
    assert len(_problem("{ .a = " + "9" * 5_000 + " }").message) < 100
    assert len(_problem("{ " + "9" * 5_000 + "x = .a }").message) < 150
    assert len(_problem('{ "' + "b" * 5_000 + '" }').message) < 100


@pytest.mark.parametrize(
    "text",
    [
        "{ " + "!" * 50_000 + ".a }",
        "{ " + "-" * 50_000 + ".a = 1 }",
        "{ " + "!(" * 50_000 + ".a" + ")" * 50_000 + " }",
        "{ .a = " + "(1 + " * 20_000 + "1" + ")" * 20_000 + " }",
        "{ .a = 1" + " + 1" * 20_000 + " }",
        "{ .a = 2" + " ^ 2" * 20_000 + " }",
        "{ .a" + " && .b || .c" * 10_000 + " }",
        "{}" + " > {}" * 20_000,
    ],
    ids=lambda text: text[:20],
)
def test_deep_nesting_is_refused_and_not_a_crash(text: str) -> None:
    assert "nested more than 100 levels" in _problem(text).message


@pytest.mark.parametrize("text", ["(" * 50_000, "{ " + "(" * 50_000, "{ .a = " * 10_000, "{}" * 10_000, '"' * 9_999])
def test_unfinished_nesting_is_refused_and_not_a_crash(text: str) -> None:
    assert isinstance(_problem(text), SyntaxProblem)


def test_redundant_parentheses_cost_no_depth() -> None:
    check(parse("{ " + "(" * 5_000 + ".a" + ")" * 5_000 + " }"))
    check(parse("(" * 5_000 + "{}" + ")" * 5_000))
