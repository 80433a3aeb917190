from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.kit.pagination import BadCursor, Cursors, ExpiredCursor, TamperedCursor
from arcane.kit.signing import Signer
from tests.support.clock import SetClock

SIGNER = Signer.of([bytes(range(32))], "cursors")
CURSORS = Cursors(SIGNER)
Position = tuple[str, UUID, datetime, int]


@given(st.tuples(st.text(), st.uuids(), st.datetimes(timezones=st.just(UTC)), st.integers(-(2**63), 2**63 - 1)))
def test_a_position_comes_back(position: Position) -> None:
    assert CURSORS.decode("list", CURSORS.encode("list", position), Position) == position


def test_a_cursor_belongs_to_its_list_and_shape() -> None:
    cursor = CURSORS.encode("datasources", ("a", 1))
    with pytest.raises(BadCursor, match="another list"):
        CURSORS.decode("members", cursor, tuple[str, int])
    with pytest.raises(BadCursor, match="another release"):
        CURSORS.decode("datasources", cursor, tuple[int, str])


def test_what_is_wrong_with_a_cursor_has_its_own_problem() -> None:
    clock = SetClock(datetime(2026, 11, 21, tzinfo=UTC))
    cursors = Cursors(SIGNER, clock, max_age=timedelta(hours=1))
    cursor = cursors.encode("list", 1)
    with pytest.raises(BadCursor) as bad:
        cursors.decode("list", "???", int)
    with pytest.raises(TamperedCursor) as tampered:
        cursors.decode("list", ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:])), int)
    assert cursors.decode("list", cursor, int) == 1
    clock.pass_time(timedelta(hours=1))
    with pytest.raises(ExpiredCursor) as expired:
        cursors.decode("list", cursor, int)
    slugs = [failure.value.slug for failure in (bad, tampered, expired)]
    assert slugs == ["bad-cursor", "tampered-cursor", "expired-cursor"]
    assert {failure.value.status for failure in (bad, tampered, expired)} == {400}


@given(st.text(max_size=60))
def test_any_text_is_answered_with_a_problem(text: str) -> None:
    with pytest.raises((BadCursor, TamperedCursor)):
        CURSORS.decode("list", text, int)
