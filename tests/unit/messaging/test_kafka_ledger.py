"""What may be committed of a partition: never past a message that is out, and everything before it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arcane.messaging.kafka_ledger import Ledger


def test_the_settled_run_at_the_beginning_may_be_committed() -> None:
    ledger = Ledger()
    assert all(ledger.take(offset) for offset in (10, 11, 12))
    assert ledger.to_commit is None
    ledger.settle(11)
    assert ledger.to_commit is None
    ledger.settle(10)
    assert ledger.to_commit == 12
    ledger.settle(12)
    assert ledger.to_commit == 13


def test_what_kafka_knows_is_not_committed_again() -> None:
    ledger = Ledger()
    ledger.take(3)
    ledger.settle(3)
    ledger.committed = ledger.to_commit
    assert ledger.to_commit is None


def test_offsets_without_a_message_hold_nothing_up() -> None:
    ledger = Ledger()
    ledger.take(1)
    ledger.take(9)
    ledger.settle(1)
    ledger.settle(9)
    assert ledger.to_commit == 10


def test_what_is_out_or_settled_is_not_handed_out_again_after_a_rebalance() -> None:
    ledger = Ledger()
    for offset in range(4):
        ledger.take(offset)
    ledger.settle(0)
    ledger.settle(2)
    assert [ledger.take(offset) for offset in (1, 2, 3, 4)] == [False, False, False, True]


@given(st.lists(st.integers(0, 30), unique=True, min_size=1).map(sorted), st.randoms())
def test_the_position_is_the_first_that_is_out(offsets: list[int], random: object) -> None:
    ledger = Ledger()
    for offset in offsets:
        ledger.take(offset)
    order = list(offsets)
    random.shuffle(order)  # type: ignore[attr-defined]
    out = set(offsets)
    for offset in order:
        ledger.settle(offset)
        out.discard(offset)
        assert ledger.position is not None
        assert all(one >= ledger.position for one in out)
        assert all(one < ledger.position for one in offsets if not out or one < min(out))
