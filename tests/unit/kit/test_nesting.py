"""JSON is walked without recursion, and however deep it is, the walk ends where it was told to."""

from __future__ import annotations

from typing import Any

import pytest

from arcane.kit.nesting import TooDeep, is_deeper, is_storable, values


def _within(levels: int, inmost: Any) -> Any:
    for level in range(levels):
        inmost = {"a": inmost} if level % 2 else [inmost]
    return inmost


@pytest.mark.parametrize("inmost", [[], {}, [1], {"a": "b"}])
@pytest.mark.parametrize("deepest", [1, 2, 7, 100])
def test_lists_and_objects_are_levels_whatever_they_hold(deepest: int, inmost: Any) -> None:
    assert not is_deeper(_within(deepest - 1, inmost), deepest)
    assert is_deeper(_within(deepest, inmost), deepest)


@pytest.mark.parametrize("inmost", ["x", 1, None, True])
def test_what_holds_nothing_is_no_level(inmost: Any) -> None:
    assert not is_deeper(inmost, 0)
    assert not is_deeper(_within(3, inmost), 3)
    assert is_deeper(_within(4, inmost), 3)


def test_all_that_a_document_holds_is_told_once_from_the_outside_in() -> None:
    document = {"a": [1, {"b": None}], "c": "d"}
    told = [one for one in values(document, 3) if not isinstance(one, dict | list)]
    assert told == ["a", "c", "d", 1, "b", None]


def test_nobody_is_told_what_lies_below_the_deepest_level() -> None:
    seen: list[Any] = []
    with pytest.raises(TooDeep):
        seen.extend(values(_within(50_000, "deep"), 4))
    assert [one for one in seen if isinstance(one, str)] == ["a", "a"]


@pytest.mark.parametrize(("text", "stored"), [("\u00e4 \U0001f600", True), ("\x00", False), ("a\ud83d", False)])
def test_half_a_character_and_nul_cannot_be_stored(text: str, stored: bool) -> None:
    assert is_storable(text) == stored
