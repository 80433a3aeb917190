"""What is known of one partition: which offsets are out, and up to where everything is settled. Pure.

Kafka remembers one number a partition: everything below it is done. Messages are settled in any order, so
what may be committed is the settled run at the beginning, and never past a message that is still out.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Ledger:
    """One partition while it is ours. `position` is what may be committed: the first offset that is not settled."""

    position: int | None = None
    committed: int | None = None
    _out: set[int] = field(default_factory=set)
    _settled: set[int] = field(default_factory=set)

    def take(self, offset: int) -> bool:
        """Returns True when `offset` is new, and notes that it is out.

        After a rebalance a partition is read again from what was committed; what is out here already, or
        settled, is not handed out a second time.
        """
        if self.position is None:
            self.position = self.committed = offset
        if offset < self.position or offset in self._out or offset in self._settled:
            return False
        self._out.add(offset)
        return True

    def settle(self, offset: int) -> None:
        """The message at `offset` is done; `position` moves over the settled run at the beginning.

        Offsets that no message has (a compacted or transactional log has gaps) do not hold it up.
        """
        self._out.discard(offset)
        self._settled.add(offset)
        barrier = min(self._out, default=None)
        passed = [one for one in self._settled if barrier is None or one < barrier]
        if passed:
            self.position = max(passed) + 1
            self._settled.difference_update(passed)

    @property
    def to_commit(self) -> int | None:
        """The position to commit now, None where Kafka knows it."""
        return None if self.position == self.committed else self.position
