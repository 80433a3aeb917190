"""Queries are read once and remembered, each with its scope."""

from __future__ import annotations

import pytest

from arcane.access.scope import TraceFilter
from arcane.traceql.format import format_query
from arcane.traces.problems import BadQuery, HiddenAttribute, MetricsQuery, QueryTooLong
from arcane.traces.reading import QueryReader

RED = TraceFilter("team", "red")


@pytest.fixture
def reader() -> QueryReader:
    return QueryReader(max_bytes=200)


def test_the_same_question_is_read_once(reader: QueryReader) -> None:
    first = reader.read("{ span.a = 1 }", None, frozenset())
    assert reader.read("{ span.a = 1 }", None, frozenset()) is first
    assert reader.read("{ span.a = 1 }", RED, frozenset()) is not first


def test_only_the_latest_are_remembered(reader: QueryReader) -> None:
    first = reader.read("{}", None, frozenset())
    for number in range(1_100):
        reader.read(f"{{ span.a = {number} }}", None, frozenset())
    assert reader.read("{}", None, frozenset()) is not first


def test_no_text_means_every_trace(reader: QueryReader) -> None:
    assert reader.read(" ", None, frozenset()).canonical == "{}"


def test_the_scope_is_in_the_filter_and_not_in_what_the_caller_wrote(reader: QueryReader) -> None:
    read = reader.read("{ span.a = 1 }", RED, frozenset({"team"}))
    assert read.canonical == "{ span.a = 1 }"
    assert format_query(read.query) == '{ span.a = 1 && (resource.team = "red" || span.team = "red") }'
    assert [field.name for field in read.fields] == ["a"]


def test_a_remembered_query_is_refused_to_whom_it_is_hidden_from(reader: QueryReader) -> None:
    reader.read("{ span.a = 1 }", None, frozenset())
    with pytest.raises(HiddenAttribute):
        reader.read("{ span.a = 1 }", None, frozenset({"a"}))


@pytest.mark.parametrize(
    "text",
    [
        "{ span.a = 1 } >> {}",
        "{} | by(span.a)",
        "{} | select(span.a)",
        "{} | max(span.a) > 1",
        "({} | by(span.a) | count() > 1) || ({})",
    ],
)
def test_nothing_hidden_is_asked_or_shown_anywhere_in_a_query(reader: QueryReader, text: str) -> None:
    with pytest.raises(HiddenAttribute):
        reader.read(text, None, frozenset({"a"}))
    assert reader.read(text, None, frozenset({"b"})).fields


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", BadQuery),
        ("{} | rate()", MetricsQuery),
        ("x" * 201, QueryTooLong),
        ("{ span.a = `" + "ü" * 100 + "` }", QueryTooLong),
        ('{ span.a = "\ud800" }', BadQuery),
    ],
)
def test_a_text_that_cannot_be_asked_is_refused(
    reader: QueryReader, text: str, problem: type[BadQuery | QueryTooLong]
) -> None:
    with pytest.raises(problem):
        reader.read(text, None, frozenset())
