"""What may stand in a cell, and that text and cell say the same: by example, and for whatever anybody writes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.datasets.checking import checked_columns, checked_values
from arcane.datasets.columns import BadValue, Column, ColumnType, checked, column_name_error, is_message, read, written
from arcane.datasets.files.guarded import guarded, unguarded
from arcane.datasets.problems import DatasetLimit, InvalidDataset
from arcane.datasets.views import NewColumn
from arcane.settings import DatasetSettings

_MOST = 100_000
_LIMITS = DatasetSettings(columns_max=3)
_TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=40)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(_TEXTS)
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    cell = checked(ColumnType.TEXT, text, _MOST)
    assert (read(ColumnType.TEXT, written(ColumnType.TEXT, cell), _MOST) or "") == text


@given(_NUMBERS)
def test_a_number_is_read_as_it_was_written(number: float) -> None:
    cell = checked(ColumnType.NUMBER, number, _MOST)
    assert cell == number
    assert read(ColumnType.NUMBER, written(ColumnType.NUMBER, cell), _MOST) == cell


@given(_DOCUMENTS)
def test_json_is_read_as_it_was_written(document: Any) -> None:
    cell = checked(ColumnType.JSON, document, _MOST)
    assert read(ColumnType.JSON, written(ColumnType.JSON, cell), _MOST) == cell


@given(_TEXTS)
def test_what_a_spreadsheet_gets_is_no_formula_and_comes_back(text: str) -> None:
    given_out = guarded(text)
    assert not given_out.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert unguarded(given_out) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.TEXT, 3),
        (ColumnType.TEXT, "a\x00b"),
        (ColumnType.TEXT, "\ud800"),
        (ColumnType.NUMBER, True),
        (ColumnType.NUMBER, "3"),
        (ColumnType.NUMBER, math.inf),
        (ColumnType.NUMBER, 2**53 + 1),
        (ColumnType.JSON, [math.nan]),
        (ColumnType.JSON, {"a": 2**63}),
        (ColumnType.JSON, {"a\x00": 1}),
        (ColumnType.MESSAGES, {"role": "user", "content": "Hi"}),
        (ColumnType.MESSAGES, [{"role": "user"}]),
        (ColumnType.MESSAGES, [{"role": "", "content": "Hi"}]),
    ],
    ids=repr,
)
def test_what_does_not_belong_into_a_column_is_refused(kind: ColumnType, value: Any) -> None:
    with pytest.raises(BadValue):
        checked(kind, value, _MOST)


@pytest.mark.parametrize("text", ["1e", "0x10", "1_000", "NaN", "Infinity", "9007199254740993", "1e999", "--1", "١"])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(BadValue):
        read(ColumnType.NUMBER, text, _MOST)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0" * 9_000 + "7", 7), ("-0", 0), ("+1.50", 1.5), ("-9007199254740992", -(2**53))],
    ids=["zeros", "minus-zero", "plus", "least"],
)
def test_a_number_may_be_written_as_people_do(text: str, number: float) -> None:
    assert read(ColumnType.NUMBER, text, _MOST) == number


def test_json_has_a_depth_and_a_cell_a_length() -> None:
    deep: Any = "x"
    for _ in range(32):
        deep = [deep]
    assert checked(ColumnType.JSON, deep, _MOST) == deep
    deep = [deep]
    with pytest.raises(BadValue, match="levels deep"):
        checked(ColumnType.JSON, deep, _MOST)
    with pytest.raises(BadValue, match="not valid JSON"):
        read(ColumnType.JSON, "[" * 50_000, _MOST)
    assert checked(ColumnType.TEXT, "ä" * 5, 10) == "ä" * 5
    with pytest.raises(BadValue, match="may have 10 bytes"):
        checked(ColumnType.TEXT, "ä" * 6, 10)
    with pytest.raises(BadValue, match="may have 10 bytes"):
        read(ColumnType.JSON, json.dumps("x" * 20), 10)


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        ({"role": "user", "content": "Hi"}, True),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, True),
        ({"role": "assistant", "content": None}, True),
        ({"role": "assistant", "tool_calls": []}, True),
        ({"role": "assistant"}, False),
        ({"content": "Hi"}, False),
        ({"role": "user", "content": 3}, False),
        ("Hi", False),
    ],
    ids=repr,
)
def test_a_message_has_a_role_and_says_something(said: Any, is_one: bool) -> None:
    assert is_message(said) is is_one


@pytest.mark.parametrize(
    "name", ["", "  ", "a\nb", "arcane:split", "x" * 201], ids=["empty", "blank", "line", "ours", "long"]
)
def test_a_columns_name_can_be_read_and_is_not_ours(name: str) -> None:
    assert column_name_error(name)
    with pytest.raises(InvalidDataset) as refused:
        checked_columns([NewColumn("fine"), NewColumn(name)], (), 0, _LIMITS)
    assert refused.value.members["errors"][0]["pointer"] == "#/columns/1/name"


def test_columns_keep_their_ids_and_no_id_is_given_twice() -> None:
    made, count = checked_columns([NewColumn("a"), NewColumn("b")], (), 0, _LIMITS)
    assert [column.id for column in made] == ["c1", "c2"]
    wanted = [NewColumn("other", id="c2"), NewColumn("c")]
    changed, count = checked_columns(wanted, made, count, _LIMITS)
    assert changed == (Column("c2", "other", ColumnType.TEXT), Column("c3", "c", ColumnType.TEXT))
    assert count == 3
    with pytest.raises(InvalidDataset, match="an id is that of a column"):
        checked_columns([NewColumn("a", id="c9")], made, count, _LIMITS)
    with pytest.raises(InvalidDataset, match="the same name"):
        checked_columns([NewColumn("a"), NewColumn(" a ")], (), 0, _LIMITS)
    with pytest.raises(DatasetLimit):
        checked_columns([NewColumn(str(n)) for n in range(4)], (), 0, _LIMITS)


def test_values_come_by_name_and_are_kept_by_id() -> None:
    columns = (Column("c1", "n", ColumnType.NUMBER), Column("c2", "text", ColumnType.TEXT))
    assert checked_values(columns, {"text": "", "n": 2.0}, _LIMITS) == {"c2": None, "c1": 2}
    with pytest.raises(InvalidDataset) as refused:
        checked_values(columns, {"n": "two"}, _LIMITS)
    assert refused.value.members["column"] == "n"
    with pytest.raises(InvalidDataset, match="no column of that name"):
        checked_values(columns, {"c1": 2}, _LIMITS)
