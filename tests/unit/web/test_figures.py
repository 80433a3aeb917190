"""What is drawn of a comparison."""

from __future__ import annotations

from math import pi
from uuid import UUID

import pytest

from arcane.evaluations.service.figures import ScoreComparison
from arcane.evaluations.words import ScoreView
from arcane.statistics.comparisons import numeric
from web.figures import WIDTH, drawn

SCORE = ScoreView(UUID(int=1), "Faithfulness", "", "numeric", (), None, None, False, True, "exact_match", {})


def test_pairs_are_dots_whose_areas_are_their_numbers() -> None:
    a = [0.0] * 4 + [1.0]
    b = [1.0] * 4 + [0.0]
    scatter = drawn(ScoreComparison(SCORE, numeric(a, b), None)).scatter
    assert scatter is not None
    assert (scatter.low, scatter.high) == (0.0, 1.0)
    many, one = sorted(scatter.dots, key=lambda dot: -dot.count)
    assert (many.count, one.count) == (4, 1)
    assert many.x < WIDTH / 2 > many.y, "A is low and B is high: left, and at the top"
    assert one.x > WIDTH / 2 < one.y
    assert pi * many.radius**2 == pytest.approx(4 * pi * one.radius**2, rel=0.02)


def test_without_pairs_nothing_is_drawn() -> None:
    assert drawn(ScoreComparison(SCORE, numeric([None], [1.0]), None)).scatter is None
