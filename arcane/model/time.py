"""Points and ranges of time in integer nanoseconds since the Unix epoch, as OTLP has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NewType

import msgspec

Nanos = NewType("Nanos", int)

NANOS_PER_SECOND = 1_000_000_000
NANOS_PER_MILLISECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanos_of(moment: datetime) -> Nanos:
    """Returns an aware datetime as nanoseconds; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a point in time needs its UTC offset")
    delta = moment - _EPOCH
    return Nanos((delta.days * 86_400 + delta.seconds) * NANOS_PER_SECOND + delta.microseconds * 1_000)


def datetime_of(nanos: int) -> datetime:
    """Returns the UTC datetime at `nanos`, cut to microseconds."""
    seconds, rest = divmod(nanos, NANOS_PER_SECOND)
    return datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=rest // 1_000)


class TimeRange(msgspec.Struct, frozen=True):
    """From `start` to `end`, both included, in nanoseconds; `start <= end` holds."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError("a time range starts before it ends")

    @property
    def duration(self) -> int:
        """Nanoseconds between start and end."""
        return self.end - self.start

    def overlaps(self, start: int, end: int) -> bool:
        """True when [start, end] shares at least one point with this range."""
        return start <= self.end and end >= self.start
