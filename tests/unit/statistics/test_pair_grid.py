"""Where the pairs of two numeric scores lie: counted one by one, and at the edges of what a float can say."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.statistics import comparisons
from arcane.statistics.shapes import PairCell

pairs = st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), min_size=1, max_size=40)


@given(pairs)
def test_every_pair_is_in_the_square_of_its_two_values(drawn: list[tuple[int, int]]) -> None:
    a, b = zip(*drawn, strict=True)
    grid = comparisons.numeric([float(one) for one in a], [float(one) for one in b]).pairs
    assert grid is not None
    low, high = min(*a, *b), max(*a, *b)
    if low == high:
        assert (len(grid.cells), grid.cells[0].count) == (1, len(drawn))
        assert grid.low < low < grid.high
        return
    assert (grid.low, grid.high) == (low, high)

    def place(value: int) -> int:
        return min(grid.bins - 1, (value - low) * grid.bins // (high - low))

    counted = Counter((place(one), place(other)) for one, other in drawn)
    assert {(cell.a, cell.b): cell.count for cell in grid.cells} == counted


def test_values_that_differ_by_rounding_are_one_place_in_the_middle() -> None:
    grid = comparisons.numeric([0.1 + 0.2, 0.3], [0.3, 0.1 + 0.2]).pairs
    assert grid is not None
    assert grid.cells == (PairCell(grid.bins // 2, grid.bins // 2, 2),)


@pytest.mark.parametrize(("a", "b"), [([None, 1.0], [1.0, None]), ([-1e307], [1e308])])
def test_there_is_no_grid_of_nothing_and_of_what_has_no_width(a: list[float | None], b: list[float | None]) -> None:
    assert comparisons.numeric(a, b).pairs is None
