"""What is kept in memory between requests: bounded, short-lived, and forgotten the moment a change is announced."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from arcane.kit.announce import Announcer

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Monotonic = Callable[[], float]


class Memory(Generic[K, V]):
    """A least-recently-used memory of at most `entries` values that are at most `max_age_s` old.

    It answers only while the announcer listens: a process that cannot hear of a revoked key asks
    Postgres every time instead of trusting what it remembers.
    """

    def __init__(
        self, announcer: Announcer, *, entries: int, max_age_s: float, clock: Monotonic = time.monotonic
    ) -> None:
        self._announcer = announcer
        self._entries = entries
        self._max_age_s = max_age_s
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Returns what is known about `key`, None when it has to be asked again."""
        found = self._kept.get(key)
        if found is None or not self._announcer.listening:
            return None
        if self._clock() - found[0] > self._max_age_s:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return found[1]

    async def get_or_load(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """Returns what is known about `key`, or what `load` finds.

        What was loaded while something was forgotten is returned but not kept: it may have been
        read just before the change.
        """
        found = self.get(key)
        if found is not None:
            return found
        generation, since = self._generation, self._clock()
        loaded = await load()
        if loaded is not None and generation == self._generation:
            self._kept[key] = (since, loaded)
            self._kept.move_to_end(key)
            if len(self._kept) > self._entries:
                self._kept.popitem(last=False)
        return loaded

    def forget(self, which: Callable[[V], bool] | None = None) -> None:
        """The values for which `which` holds, or all, have to be asked again."""
        self._generation += 1
        if which is None:
            self._kept.clear()
            return
        for key in [key for key, (_, value) in self._kept.items() if which(value)]:
            del self._kept[key]
