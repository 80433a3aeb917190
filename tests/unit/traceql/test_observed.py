"""Every query that a real Tempo was asked of one small trace: the same answer, or a difference with a reason."""

import pytest

from arcane.traceql.ast import SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.errors import SyntaxProblem, TraceqlError, TypeProblem, UnsupportedConstruct
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query
from tests.unit.traceql.observed import (
    DIFFERENCES,
    ROWS,
    Row,
    answer_of,
    engine_trace,
    recorded_sets,
    stored_traces,
)

DIFFERENT = {row["query"]: set(row["answer"].split(" | ")) for row in DIFFERENCES["observed"]}


def _answer(row: Row) -> set[str]:
    query = parse(row.query)
    check(query)
    compiled = compile_query(query)
    traces = [engine_trace()] if row.http is None else stored_traces(row.query)
    return answer_of(found for trace in traces for found in compiled(trace))


def _refusal(row: Row) -> str:
    """Returns how Tempo refused the row, or the empty text where it answered."""
    for answer, marks in ((row.http, ("400",)), (row.engine, ("PARSE", "VALIDATE"))):
        if answer is not None and answer.startswith(marks):
            return answer
    return ""


REFUSED = [row for row in ROWS if _refusal(row)]
ANSWERED = [row for row in ROWS if not _refusal(row)]


def test_the_recordings_are_all_here() -> None:
    assert len(ROWS) == 424
    assert (len(ANSWERED), len(REFUSED)) == (387, 37)
    assert sum(not isinstance(parse(row.query).body, SpansetFilter) for row in ANSWERED) == 89
    assert DIFFERENT.keys() <= {row.query for row in ANSWERED}
    assert {row["reason"] for row in DIFFERENCES["observed"]} <= DIFFERENCES["reasons"].keys()


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: row.query)
def test_a_query_is_answered_as_tempo_does_or_as_the_table_says(row: Row) -> None:
    recorded = row.http if row.http is not None else row.engine
    assert recorded is not None
    is_error = recorded.startswith(("500", "ERROR"))
    if row.query in DIFFERENT:
        expected = DIFFERENT[row.query]
        assert _answer(row) == expected
        assert is_error or expected != recorded_sets(recorded), "no difference any more: take it out of the table"
    else:
        assert not is_error
        assert _answer(row) == recorded_sets(recorded)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.query)
def test_what_tempo_refuses_is_refused(row: Row) -> None:
    refusal = _refusal(row)
    expected: type[TraceqlError] = TypeProblem
    if "parse error" in refusal:
        expected = SyntaxProblem
    elif "not yet supported" in refusal:
        expected = UnsupportedConstruct
    with pytest.raises(expected):
        check(parse(row.query))
