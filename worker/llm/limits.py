"""How many calls go out at once and how fast: per key of a provider, and per organisation.

A provider that says when it takes the next call (Retry-After) is asked by nobody with that key until then. All of it
is per worker process: so many workers, so many times the limits.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import anyio

_LANES_MAX = 4_096


@dataclass(slots=True)
class TokenBucket:
    """Lets `per_minute` through a minute, evenly, after a first burst of `burst`; 0 lets everybody through."""

    per_minute: float
    burst: int = 10
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)
    _not_before: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)
        self._filled_at = time.monotonic()

    def hold(self, seconds: float) -> None:
        """Nobody gets through before `seconds` have passed."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    async def through(self) -> None:
        """Waits for our turn."""
        while True:
            wait = self._wait(time.monotonic())
            if wait <= 0:
                return
            await anyio.sleep(wait)

    def _wait(self, now: float) -> float:
        """Returns how long to wait, 0 when we may go, in which case a token is gone."""
        if now < self._not_before:
            return self._not_before - now
        if self.per_minute <= 0:
            return 0.0
        rate = self.per_minute / 60
        self._tokens = min(float(self.burst), self._tokens + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / rate


@dataclass(slots=True)
class Lane:
    """What goes through one key, or for one organisation."""

    limiter: anyio.CapacityLimiter
    bucket: TokenBucket
    users: int = 0


@dataclass(slots=True, eq=False)
class Place:
    """Somebody's place in a lane; not a task's, for a stream may be closed by another one."""

    lane: Lane

    def leave(self) -> None:
        """There is room for somebody else."""
        self.lane.limiter.release_on_behalf_of(self)
        self.lane.users -= 1


@dataclass(slots=True)
class Lanes:
    """The lanes of one kind, made as they are needed; those nobody is in are forgotten, longest unused first."""

    at_once: int
    per_minute: float
    most: int = _LANES_MAX
    _lanes: OrderedDict[Hashable, Lane] = field(default_factory=OrderedDict)

    async def enter(self, key: Hashable) -> Place:
        """Returns a place in the lane of `key` once there is room in it; leave it."""
        lane = self._lane(key)
        place = Place(lane)
        lane.users += 1
        try:
            try:
                lane.limiter.acquire_on_behalf_of_nowait(place)  # without giving way to all who are about to call
            except anyio.WouldBlock:
                await lane.limiter.acquire_on_behalf_of(place)
        except BaseException:
            lane.users -= 1
            raise
        try:
            await lane.bucket.through()
        except BaseException:
            place.leave()
            raise
        return place

    def _lane(self, key: Hashable) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= self.most:
                idle = next((name for name, other in self._lanes.items() if not other.users), None)
                if idle is not None:
                    del self._lanes[idle]
            lane = Lane(anyio.CapacityLimiter(self.at_once), TokenBucket(self.per_minute))
            self._lanes[key] = lane
        self._lanes.move_to_end(key)
        return lane
