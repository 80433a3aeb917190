"""Cursors keep every place, and fit one question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.federation.cursor import decode_cursor, encode_cursor, fingerprint
from arcane.federation.question import Resume, mark_of
from arcane.kit.pagination import BadCursor, Cursors, TamperedCursor
from arcane.kit.signing import Signer
from arcane.model.ids import TraceId
from arcane.model.time import TimeRange

CURSORS = Cursors(Signer.of((b"k" * 32,), "cursor"))
QUESTION = fingerprint("project", "{}", None)

nanos = st.integers(0, 2**63 - 1)
trace_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
places = st.none() | st.tuples(nanos, st.just("") | trace_ids)


@given(
    st.lists(nanos, min_size=2, max_size=2).map(sorted),
    st.dictionaries(st.text(max_size=36), places, max_size=16),
    st.lists(st.binary(min_size=8, max_size=8), max_size=20),
)
def test_a_cursor_gives_back_what_it_was_given(bounds: list[int], held: dict[str, object], seen: list[bytes]) -> None:
    resume = Resume(TimeRange(*bounds), held, tuple(seen))  # type: ignore[arg-type]
    assert decode_cursor(CURSORS, encode_cursor(CURSORS, QUESTION, resume), QUESTION) == resume


def test_a_cursor_of_another_question_is_refused() -> None:
    cursor = encode_cursor(CURSORS, QUESTION, Resume(TimeRange(0, 1), {}))
    with pytest.raises(BadCursor):
        decode_cursor(CURSORS, cursor, fingerprint("project", "{ status = error }", None))
    with pytest.raises(BadCursor):
        decode_cursor(CURSORS, CURSORS.encode("projects", ("a",)), QUESTION)


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    cursor = encode_cursor(CURSORS, QUESTION, Resume(TimeRange(0, 1), {"a": (5, "")}))
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_"))
    changed = cursor[:at] + letter + cursor[at + 1 :]
    if changed != cursor:
        with pytest.raises((TamperedCursor, BadCursor)):
            decode_cursor(CURSORS, changed, QUESTION)


def test_questions_differ_in_every_part() -> None:
    prints = {
        fingerprint("a", "b", None),
        fingerprint("a", "b", []),
        fingerprint("a", "b", ["c"]),
        fingerprint("ab", "", None),
        fingerprint("a", "", ["b"]),
    }
    assert len(prints) == 5


def test_a_trace_is_remembered_by_the_random_part_of_its_id() -> None:
    assert mark_of(TraceId("00112233445566778899aabbccddeeff")) == bytes.fromhex("8899aabbccddeeff")
