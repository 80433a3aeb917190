"""Numbers, times and ids as people read them. The browser writes the same (web/src/format.test.ts)."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import web.formatting
from web.formatting import duration_text, short_id

UNITS = {"ns", "µs", "ms", "s", "min", "h", "d"}


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(web.formatting).failed == 0


@given(st.integers(min_value=0, max_value=10**18))
def test_a_duration_has_a_unit_and_stays_short(nanos: int) -> None:
    text = duration_text(nanos)
    assert text.split()[-1] in UNITS
    assert len(text) <= 12


@given(st.text("0123456789abcdef", min_size=1, max_size=64))
def test_a_short_id_keeps_both_ends(text: str) -> None:
    short = short_id(text)
    assert len(short) <= 17
    assert text.startswith(short.split("…")[0])
    assert text.endswith(short.split("…")[-1])


@pytest.mark.parametrize(("nanos", "text"), [(59_999_999_999, "60.0 s"), (60_000_000_000, "1 min 00 s")])
def test_minutes_begin_where_seconds_end(nanos: int, text: str) -> None:
    assert duration_text(nanos) == text
