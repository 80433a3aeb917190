"""When things happen: a day with a morning, a lunch break and a quiet night, ending at `end`."""

from __future__ import annotations

import random

from arcane.demo.play import MS

SECOND = 1_000 * MS
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 9, 16, 22, 24, 22, 15, 19, 24, 23, 20, 15, 10, 8, 7, 6, 4, 3)  # UTC
_STEP = 5 * MINUTE


def moments(rng: random.Random, end: int, count: int) -> list[int]:
    """Returns `count` moments of the 24 hours before `end`, dense where people work."""
    starts = range(end - DAY, end - 10 * MINUTE, _STEP)
    weights = [_BY_HOUR[start // (60 * MINUTE) % 24] for start in starts]
    return [start + rng.randrange(_STEP) for start in rng.choices(starts, weights, k=count)]


def turn_times(rng: random.Random, start: int, count: int, end: int) -> list[int]:
    """Returns when the turns of a conversation begin; the whole conversation is over before `end`."""
    times = [start]
    for _ in range(count - 1):
        times.append(times[-1] + rng.randrange(50 * SECOND, 6 * MINUTE))
    late = max(0, times[-1] - (end - 2 * MINUTE))
    return [time - late for time in times]


def shares(rng: random.Random, total: int, parts: int, spread: int) -> list[int]:
    """Returns `parts` numbers near their mean that sum to `total`."""
    numbers = [total // parts + (index < total % parts) for index in range(parts)]
    for _ in range(parts * spread):
        giver, taker = rng.randrange(parts), rng.randrange(parts)
        if numbers[giver] > total // parts - spread and numbers[taker] < total // parts + spread:
            numbers[giver] -= 1
            numbers[taker] += 1
    return numbers
