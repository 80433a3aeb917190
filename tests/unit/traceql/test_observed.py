"""Every query that a real Tempo was asked of one small trace: the same answer, or a difference with a reason."""

import pytest

from arcane.traceql.check import check
from arcane.traceql.errors import SyntaxProblem, TraceqlError, TypeProblem, UnsupportedConstruct
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.parse import parse
from tests.unit.traceql.observed import ROWS, Row, engine_trace, names_of, recorded_sets, stored_traces

NUMBERS = "numbers compare by value; live Tempo looks only into the column of the literal's type"
ABSENT = "unscoped `= nil` means absent on span and resource; live Tempo: on either, so nearly always"
NEGATION = "`!(...)` negates; live Tempo pushes the condition down without its negation"
LITERAL_LEFT = "`4 < x` means `x > 4`; live Tempo pushes it down unturned"
IDS = "ids compare without regard to case and leading zeros, in `=~` too"
ROOT_PARENT = "the parent id of a root is the empty text; live Tempo finds it neither equal nor unequal to that"
POWER = "`2 ^ 3` is 8; Tempo swaps the sides for integers"
NO_VALUE = "an expression without a value is no match, and is counted; Tempo answers with an error"
ARRAYS = "`!=` and `!~` of an array: all elements differ (Tempo's engine); live Tempo: any element"
EMPTY_ARRAY = "an empty array is there (Tempo's engine); Tempo's storage drops it"

DIFFERENCES: dict[str, tuple[str, str]] = {
    "{ .i = 5.0 }": ("b1,orph,root", NUMBERS),
    "{ .i = 5. }": ("b1,orph,root", NUMBERS),
    "{ .f = 5 }": ("root", NUMBERS),
    "{ .i > 4.5 }": ("a2,b1,orph,root", NUMBERS),
    "{ .f > 2 }": ("a2,root", NUMBERS),
    "{ .f >= 2 }": ("a2,root", NUMBERS),
    "{ .f > 1 && .f < 10 }": ("a2,root", NUMBERS),
    "{ .i = 5ns }": ("b1,orph,root", NUMBERS),
    "{ .iarr = 1.0 }": ("root", NUMBERS),
    "{ resource.n = 7.0 }": ("a2,a3,root", NUMBERS),
    "{ .only = nil }": ("a3,b1,orph,root", ABSENT),
    "{ nil = .only }": ("a3,b1,orph,root", ABSENT),
    "{ .only = nil || .i = 5 }": ("a3,b1,orph,root", ABSENT),
    "{ .i != nil && .only = nil }": ("a3,b1,orph,root", ABSENT),
    "{ !(.i = 5) }": ("a2,a3", NEGATION),
    "{ !(.missing = 5) }": ("a2,a3,b1,orph,root", NEGATION),
    "{ !(.i = 5) || .zz = 1 }": ("a2,a3", NEGATION),
    "{ !(.missing = 5) || .zz = 1 }": ("a2,a3,b1,orph,root", NEGATION),
    "{ 4 < .i }": ("a2,b1,orph,root", LITERAL_LEFT),
    '{ trace:id = "5af7651916cd43dd8448eb211c80319c" && 4 < .i }': (
        "53995c3f42cd8ad8,a1b2c3d4e5f60718,b1,orph",
        LITERAL_LEFT,
    ),
    '{ link:traceID = "0000000000000000aaaaaaaaaaaaaaaa" }': ("a2", IDS),
    '{ link:spanID = "00000000000000bb" }': ("a2", IDS),
    '{ link:spanID = "bb" }': ("a2", IDS),
    '{ span:id = "00000000000000a2" }': ("a2", IDS),
    '{ span:id = "a2" }': ("a2", IDS),
    '{ span:id = "00000000000000a3" }': ("a3", IDS),
    '{ span:id = "53995C3F42CD8AD8" }': ("53995c3f42cd8ad8", IDS),
    '{ span:id =~ "00000000000000a2" }': ("a2", IDS),
    '{ span:parentID = "0000000000000001" }': ("a2,a3", IDS),
    '{ trace:id = "0AF7651916CD43DD8448EB211C80319C" }': ("a2,a3,b1,orph,root", IDS),
    '{ span:parentID = "" }': ("root", ROOT_PARENT),
    '{ trace:id = "5af7651916cd43dd8448eb211c80319c" && span:parentID = "" }': ("53995c3f42cd8ad8", ROOT_PARENT),
    "{ 2 ^ 3 = 8 }": ("a2,a3,b1,orph,root", POWER),
    "{ 2 ^ 3 = 9 }": ("-", POWER),
    "{ .i ^ 2 = 25 }": ("b1,orph,root", POWER),
    "{ .i ^ 2 = 32 }": ("-", POWER),
    "{ !.s }": ("-", NO_VALUE),
    "{ .i / 0 = 1 }": ("-", NO_VALUE),
    "{ .i % 0 = 1 }": ("-", NO_VALUE),
    "{ .iarr + 1 = 2 }": ("-", NO_VALUE),
    "{ !.missing }": ("-", NO_VALUE),
    "{ -.missing < 0 }": ("-", NO_VALUE),
    "{ !.b = true }": ("a2", NO_VALUE),
    '{ .arr != "x" }': ("-", ARRAYS),
    '{ .arr !~ "y" }': ("-", ARRAYS),
    '{ .arr != "x" && .i = 5 }': ("-", ARRAYS),
    '{ .arr != "x" || .zzz = 1 }': ("-", ARRAYS),
    '{ .arr = "x" && .arr != "y" }': ("-", ARRAYS),
    "{ .iarr != 1 }": ("-", ARRAYS),
    '{ .empty != "x" }': ("root", EMPTY_ARRAY),
    "{ .empty != nil }": ("root", EMPTY_ARRAY),
}


def _answer(row: Row) -> set[str]:
    query = parse(row.query)
    check(query)
    assert query.filter is not None
    compiled = compile_filter(query.filter)
    if row.http is None:
        return {names_of(compiled(engine_trace()))}
    return {names_of(compiled(trace)) for trace in stored_traces(row.query)} - {"-"} or {"-"}


def _refusal(row: Row) -> str:
    """Returns how Tempo refused the row, or the empty text where it answered."""
    for answer, marks in ((row.http, ("400",)), (row.engine, ("PARSE", "VALIDATE"))):
        if answer is not None and answer.startswith(marks):
            return answer
    return ""


REFUSED = [row for row in ROWS if _refusal(row)]
ANSWERED = [row for row in ROWS if not _refusal(row)]


def _is_filter(row: Row) -> bool:
    try:
        return parse(row.query).filter is not None
    except TraceqlError:
        return False


FILTERS = [row for row in ANSWERED if _is_filter(row)]
LATER = [row for row in ANSWERED if not _is_filter(row)]


def test_the_recordings_are_all_here() -> None:
    assert len(ROWS) == 424
    assert (len(FILTERS), len(LATER), len(REFUSED)) == (297, 90, 37)
    assert DIFFERENCES.keys() <= {row.query for row in FILTERS}


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.query)
def test_a_filter_is_answered_as_tempo_does_or_as_the_table_says(row: Row) -> None:
    recorded = row.http if row.http is not None else row.engine
    assert recorded is not None
    is_error = recorded.startswith(("500", "ERROR"))
    if row.query in DIFFERENCES:
        expected, _ = DIFFERENCES[row.query]
        assert _answer(row) == {expected}
        assert is_error or {expected} != recorded_sets(recorded), "no difference any more: take it out of the table"
    else:
        assert not is_error
        assert _answer(row) == recorded_sets(recorded)


@pytest.mark.parametrize("row", LATER, ids=lambda row: row.query)
def test_what_is_more_than_a_filter_is_read_and_refused_as_unsupported(row: Row) -> None:
    query = parse(row.query)
    with pytest.raises(UnsupportedConstruct) as refused:
        check(query)
    assert refused.value.hint


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.query)
def test_what_tempo_refuses_is_refused(row: Row) -> None:
    if "parse error" in _refusal(row):
        expected: type[TraceqlError] = SyntaxProblem
    else:
        is_for_later = not _is_filter(row) or row.query.startswith("{ parent")
        expected = UnsupportedConstruct if is_for_later else TypeProblem
    with pytest.raises(expected):
        check(parse(row.query))
