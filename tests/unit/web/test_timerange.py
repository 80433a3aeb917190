from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from arcane.model.time import datetime_of
from web.i18n import Languages
from web.timerange import PRESETS, Window, presets, window_of

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH = Languages.load().by_code["en"]


def asked(key: str = "", start: str = "", end: str = "") -> Window:
    return window_of((key, start, end), NOW, BERLIN, ENGLISH)


@pytest.mark.parametrize(("key", "length"), PRESETS)
def test_a_preset_ends_now(key: str, length: object) -> None:
    window = asked(key)
    assert window.range is not None
    assert datetime_of(window.range.end) == NOW
    assert datetime_of(window.range.end) - datetime_of(window.range.start) == length


@pytest.mark.parametrize("key", ["", "1y", "custom-ish", "'; drop table"])
def test_an_unknown_preset_is_the_last_hour(key: str) -> None:
    assert asked(key).chosen.key == "1h"


def test_times_without_an_offset_are_in_the_readers_zone() -> None:
    window = asked("custom", "2026-03-04 14:00", "2026-03-04 15:30:30")
    assert window.range is not None
    assert datetime_of(window.range.start) == datetime(2026, 3, 4, 13, 0, tzinfo=UTC)
    assert datetime_of(window.range.end) == datetime(2026, 3, 4, 14, 30, 30, tzinfo=UTC)


def test_times_of_a_link_carry_their_offset_and_survive_exactly() -> None:
    first = asked("1h").range
    assert first is not None
    texts = (datetime_of(first.start).isoformat(), datetime_of(first.end).isoformat())
    assert asked("custom", *texts).range == first


def test_an_open_end_is_now() -> None:
    window = asked("custom", "2026-03-04 14:00")
    assert window.range is not None
    assert datetime_of(window.range.end) == NOW


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("yesterday", ""),
        ("2026-03-04 14:00", "2026-03-04 13:00"),
        ("2026-13-01", "now"),
        ("", "now"),
        ("9999-99-99", ""),
        ("2026-03-04", "9999-12-31"),
        ("1969-12-31", "now"),
        ("0001-01-01", "now"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(start: str, end: str) -> None:
    window = asked("custom", start, end)
    assert window.range is None
    assert window.chosen.error
    assert (window.chosen.from_text, window.chosen.to_text) == (start, end)


def test_a_range_may_begin_in_the_hour_that_a_clock_shows_twice() -> None:
    after = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 in Berlin, for the second time
    window = window_of(("custom", "2026-10-25 02:45", "now"), after, BERLIN, ENGLISH)
    assert window.range is not None
    assert window.range.duration == 30 * 60 * 10**9


def test_every_preset_has_a_label() -> None:
    labels = [preset.label for preset in presets(ENGLISH)]
    assert labels[0] == "Last 5 minutes"
    assert "Last 1 hour" in labels
    assert len(set(labels)) == len(PRESETS)
