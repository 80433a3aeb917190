"""A datasource's part of an answer, as the strip words it."""

from __future__ import annotations

import pytest

from arcane.model.outcome import SourceError, SourceOutcome, SourceStatus
from web.i18n import Languages
from web.sources import source_lines

ENGLISH = Languages.load().by_code["en"]


@pytest.mark.parametrize(
    ("rows", "asks", "measures", "text"),
    [
        (5_000, True, False, "5,000 traces"),
        (1, True, False, "1 trace"),
        (0, True, False, "0 traces"),
        (5_000, False, False, "5,000 spans"),
        (1, False, False, "1 span"),
        (21, True, True, "21 series"),
    ],
)
def test_rows_are_counted_and_named(rows: int, asks: bool, measures: bool, text: str) -> None:
    outcome = SourceOutcome("a", "Tempo", "tempo", SourceStatus.OK, rows, 1.5)
    (line,) = source_lines((outcome,), ENGLISH, asks=asks, measures=measures)
    assert (line.rows_text, line.elapsed_text) == (text, "1.50 ms")


def test_one_that_failed_counts_nothing() -> None:
    error = SourceError("unavailable", "No answer before the deadline.")
    outcome = SourceOutcome("a", "Tempo", "tempo", SourceStatus.FAILED, 0, 1.5, error=error)
    (line,) = source_lines((outcome,), ENGLISH, asks=True)
    assert (line.rows_text, line.note) == ("–", "No answer before the deadline.")
