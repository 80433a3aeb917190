"""Word by word: the pieces of both texts make both texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arcane.experiments.difference import WORDS_MAX, Piece, difference


def test_words_that_changed_are_marked_whole() -> None:
    assert difference("It is 41.", "It is 42.") == (
        Piece("It is ", ""),
        Piece("41", "-"),
        Piece("42", "+"),
        Piece(".", ""),
    )


@given(st.text(alphabet="ab .\n", max_size=60), st.text(alphabet="ab .\n", max_size=60))
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = difference(before, after)
    assert pieces is not None
    assert "".join(piece.text for piece in pieces if piece.change != "+") == before
    assert "".join(piece.text for piece in pieces if piece.change != "-") == after


def test_what_would_take_long_is_not_compared() -> None:
    assert difference("a " * WORDS_MAX, "b") is None
