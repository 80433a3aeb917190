"""How a trace becomes a row: what fits a column, what does not, and which source a column usually wants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcane.datasets.captures import NothingSaid, Origin, fitted, usual_source, values_of
from arcane.datasets.columns import BadValue, Column, ColumnType
from arcane.datasets.sources import ABSENT, Scope, read_source
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace

_MOST = 1_000


def _trace(**attributes: Any) -> Trace:
    span = Span(TraceId("a" * 32), SpanId("b" * 16), "", "chat", SpanKind.CLIENT, 1, 2, attributes=attributes)
    return Trace(span.trace_id, [span])


def _values(trace: Trace, span_id: str = "", **wanted: tuple[ColumnType, str]) -> dict[str, Any]:
    pairs = [
        (Column(f"c{n}", name, kind), read_source(source, Scope.TRACES))
        for n, (name, (kind, source)) in enumerate(wanted.items())
    ]
    return values_of(trace, Origin(trace.trace_id, span_id), pairs, _MOST)


def test_each_column_gets_what_its_source_says() -> None:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Rain?"}]}])
    trace = _trace(**{"gen_ai.operation.name": "chat", "gen_ai.input.messages": said, "http.status": 200})
    assert _values(
        trace,
        "b" * 16,
        question=(ColumnType.TEXT, "trace:input"),
        status=(ColumnType.NUMBER, "span:http.status"),
        answer=(ColumnType.TEXT, "trace:output"),
        all=(ColumnType.MESSAGES, "trace:messages"),
        set=(ColumnType.TEXT, "text:seen"),
    ) == {
        "question": "Rain?",
        "status": 200,
        "answer": None,
        "all": [{"role": "user", "content": "Rain?"}],
        "set": "seen",
    }


@pytest.mark.parametrize(
    ("kind", "said", "cell"),
    [
        (ColumnType.TEXT, ("a", "b"), '["a", "b"]'),
        (ColumnType.TEXT, b"raw", "raw"),
        (ColumnType.TEXT, 3, "3"),
        (ColumnType.NUMBER, "3.5", 3.5),
        (ColumnType.JSON, {"a": (b"x",)}, {"a": ["x"]}),
        (ColumnType.MESSAGES, "Hi", [{"role": "user", "content": "Hi"}]),
        (ColumnType.TEXT, ABSENT, None),
        (ColumnType.TEXT, "", None),
    ],
)
def test_a_value_becomes_a_cell_of_its_column(kind: ColumnType, said: Any, cell: Any) -> None:
    assert fitted(kind, said, _MOST) == cell


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (ColumnType.NUMBER, "three"),
        (ColumnType.MESSAGES, {"role": "user"}),
        (ColumnType.TEXT, "x" * (_MOST + 1)),
        (ColumnType.TEXT, "NUL \x00"),
        (ColumnType.JSON, float("nan")),
    ],
)
def test_what_does_not_fit_is_refused(kind: ColumnType, said: Any) -> None:
    with pytest.raises(BadValue):
        fitted(kind, said, _MOST)


def test_a_trace_that_says_nothing_of_it_gives_no_row() -> None:
    with pytest.raises(NothingSaid, match="says nothing"):
        _values(_trace(), question=(ColumnType.TEXT, "trace:input"))
    with pytest.raises(NothingSaid, match="no such span"):
        _values(_trace(), "c" * 16, name=(ColumnType.TEXT, "trace:name"))
    with pytest.raises(NothingSaid, match=r"^n: the cell has to be a number$"):
        _values(_trace(a="text"), n=(ColumnType.NUMBER, "span:a"))


@pytest.mark.parametrize(
    ("name", "kind", "source"),
    [
        ("Question", ColumnType.TEXT, "trace:input"),
        ("answer", ColumnType.TEXT, "trace:output"),
        ("user input", ColumnType.TEXT, "trace:input"),
        ("chat", ColumnType.MESSAGES, "trace:messages"),
        ("model", ColumnType.TEXT, "span:gen_ai.request.model"),
        ("weight", ColumnType.NUMBER, ""),
    ],
)
def test_a_columns_name_suggests_its_source(name: str, kind: ColumnType, source: str) -> None:
    assert usual_source(Column("c1", name, kind)) == source
