"""What a Map column's texts are read as, and which names are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.clickhouse.settings import ClickHouseSettings, text_names
from datasources.clickhouse.spelling import Names, spells_text, typed
from tests.support.clickhouse import spelled


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", float(2**63)),
        ("2.5", 2.5),
        ("1e-7", 1e-7),
        ("true", True),
        ("false", False),
        ('["a","b"]', ["a", "b"]),
        ("[1,2.5,true]", [1, 2.5, True]),
        ("[]", []),
    ],
)
def test_what_the_exporter_writes_for_a_value_is_that_value(text: str, value: object) -> None:
    found = typed(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", "007", "+5", "5 ", "0x10", "1_000", "True", "NaN", "inf", "[1", '[{"a":1}]', "[null]", "[[1]]", '{"a":1}'],
)
def test_everything_else_is_a_text(text: str) -> None:
    assert typed(text) == text
    assert spells_text(text)


SCALARS = st.one_of(
    st.text(alphabet="abcxyz", min_size=1),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not value.is_integer()),
)


@given(st.one_of(SCALARS, st.lists(SCALARS)))
def test_values_survive_being_spelled(value: object) -> None:
    text = spelled(value)  # type: ignore[arg-type]
    if text not in ("true", "false") or isinstance(value, bool):
        assert typed(text) == value


@pytest.mark.parametrize("name", ["user.id", "session_id", "id", "gen_ai.prompt.0.content", "input.value"])
def test_ids_and_content_are_texts(name: str) -> None:
    assert Names(text_names(ClickHouseSettings(url="http://h"))).is_text(name)


@pytest.mark.parametrize("name", ["gen_ai.usage.input_tokens", "http.response.status_code", "identity", "ideas"])
def test_other_names_are_read_as_what_they_spell(name: str) -> None:
    assert not Names(text_names(ClickHouseSettings(url="http://h"))).is_text(name)


def test_without_patterns_no_name_is_a_text() -> None:
    assert not Names(()).is_text("user.id")
