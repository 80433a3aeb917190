"""Whatever the text: a query or a problem with a place. Whatever the query: its text gives it back."""

import string

from hypothesis import example, given
from hypothesis import strategies as st

from arcane.model.trace import Trace
from arcane.traceql.ast import Expr, SpansetFilter
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check, check_filter
from arcane.traceql.errors import TraceqlError
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.format import format_query
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query, search_part
from tests.support.traceql import conditions, queries, traces
from tests.unit.traceql.observed import ROWS

_FRAGMENTS = r"""
{ } ( ) | || && = != =~ !~ > >> !> &> ~ ! - + * / % ^ , .a span.b resource."c" span:id name status error nil true 1 2.5
10ms "x" `y` count() avg by rate() topk with coalesce() select ' " ` . \ é minInt in and [ ] : ; @ 99999999999999999999
"""
_fragments = st.sampled_from([*_FRAGMENTS.split(), " ", "\n", "\x00"])
_texts = st.one_of(
    st.text(),
    st.text(string.printable),
    st.lists(_fragments, max_size=25).map(" ".join),
    st.lists(_fragments, max_size=25).map("".join),
)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """Returns a recorded query with a few characters taken out, doubled, or replaced."""
    text = draw(st.sampled_from(ROWS)).query
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        text = text[:at] + draw(st.one_of(_fragments, st.just(""), st.characters())) + text[at + cut :]
    return text


def _read(text: str) -> Query | None:
    """Returns the query, or None for a problem, whose place has to lie in the text or right behind it."""
    try:
        query = parse(text)
        check(query)
    except TraceqlError as raised:
        problem = raised
    else:
        return query
    place, lines = problem.position, text.split("\n")
    assert 1 <= place.line <= len(lines)
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1
    assert place.length >= 1
    assert problem.message
    return None


@given(_texts)
@example('{ .a = "\\')
@example("{ ." + '"' * 101)
@example("\ud800")
def test_any_text_is_a_query_or_a_problem(text: str) -> None:
    _read(text)


@given(_mutated())
def test_a_query_with_typing_errors_is_a_query_or_a_problem(text: str) -> None:
    _read(text)


@given(_mutated(), traces)
def test_what_passes_the_check_can_be_asked(text: str, trace: Trace) -> None:
    query = _read(text)
    if query is not None:
        compile_query(search_part(query))(trace)


@given(queries, traces)
def test_a_query_of_the_grammar_is_refused_or_answered(query: Query, trace: Trace) -> None:
    read = _read(format_query(query))
    if read is not None:
        compile_query(search_part(read))(trace)


@given(queries)
def test_the_text_of_a_query_gives_it_back(query: Query) -> None:
    text = format_query(query)
    assert parse(text) == query
    assert format_query(parse(text)) == text


@given(conditions, traces)
def test_a_condition_that_passes_the_check_has_an_answer(condition: Expr, trace: Trace) -> None:
    check_filter(SpansetFilter(condition))
    found = compile_filter(SpansetFilter(condition))(trace)
    assert [span for span in trace.spans if span in found] == found
