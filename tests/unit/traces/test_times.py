"""Times go out and come in to the nanosecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.traces.times import LATEST, format_time, parse_time


@given(st.integers(0, LATEST))
def test_a_time_that_was_written_is_read_as_it_was(nanos: int) -> None:
    assert parse_time(format_time(nanos)) == nanos


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000_000),
        ("1970-01-01 01:00:00.000000001+01:00", 1),
        ("1969-12-31T23:00:01-01:00", 1_000_000_000),
    ],
)
def test_rfc_3339_is_read_in_all_its_spellings(text: str, nanos: int) -> None:
    assert parse_time(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-08-01",
        "2026-08-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "2026-08-01T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-08-01T12:00:00.1234567890Z",
        "2026-08-01T12:00:00+99:00",
        "1969-12-31T23:59:59Z",
        "2263-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "２０２６-08-01T12:00:00Z",
        1_700_000_000,
        None,
    ],
)
def test_what_is_not_a_time_between_1970_and_2262_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)
