"""How numbers, times and ids are written. Pure; web/src/format.ts writes them the same way in the browser."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from arcane.model.time import NANOS_PER_SECOND, datetime_of

_MICRO, _MILLI = 1_000, 1_000_000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def duration_text(nanos: int) -> str:
    """Returns three significant digits and a unit: `412 µs`, `3.21 ms`, `8.87 s`, `12 min 04 s`.

    >>> [duration_text(n) for n in (0, 950, 1_500, 3_214_000, 210_000_000, 8_874_000_000, 724_000_000_000)]
    ['0 ns', '950 ns', '1.50 µs', '3.21 ms', '210 ms', '8.87 s', '12 min 04 s']
    """
    if nanos < _MICRO:
        return f"{nanos} ns"
    if nanos < _MILLI:
        return f"{_significant(nanos / _MICRO)} µs"
    if nanos < NANOS_PER_SECOND:
        return f"{_significant(nanos / _MILLI)} ms"
    seconds = nanos / NANOS_PER_SECOND
    if seconds < _MINUTE:
        return f"{_significant(seconds)} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def _significant(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def clock_text(nanos: int, zone: tzinfo, now: datetime) -> str:
    """Returns the wall clock with milliseconds; the date stands in front where it is not today.

    >>> noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    >>> clock_text(1_772_625_483_754_000_000, UTC, noon), clock_text(1_772_539_083_000_000_000, UTC, noon)
    ('11:58:03.754', '03-03 11:58:03.000')
    """
    moment = datetime_of(nanos).astimezone(zone)
    clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1_000:03d}"
    today = now.astimezone(zone)
    if moment.date() == today.date():
        return clock
    return f"{moment:%m-%d} {clock}" if moment.year == today.year else f"{moment:%Y-%m-%d} {clock}"


def iso_text(nanos: int) -> str:
    """Returns RFC 3339 in UTC with milliseconds."""
    moment = datetime_of(nanos).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1_000:03d}Z"


def short_id(text: str, *, keep: int = 8) -> str:
    """Returns `text` shortened in the middle.

    >>> short_id("7c41f0aa11112222333344445b3e90d1"), short_id("7c41f0aa1111")
    ('7c41f0aa…5b3e90d1', '7c41f0aa1111')
    """
    return text if len(text) <= 2 * keep + 1 else f"{text[:keep]}…{text[-keep:]}"


def cost_text(amount: float) -> str:
    """Returns dollars with as many digits as say something: `$0.0417`, `$1.20`, `$0`.

    >>> [cost_text(a) for a in (0.0, 0.00004, 0.0417, 1.2, 1234.5)]
    ['$0', '<$0.0001', '$0.0417', '$1.20', '$1,234.50']
    """
    if amount == 0:
        return "$0"
    if amount < 0.0001:
        return "<$0.0001"
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"


def count_text(number: float) -> str:
    """Returns a number of things with its thousands apart.

    >>> [count_text(n) for n in (0, 999, 10_000, 1_234_567)]
    ['0', '999', '10,000', '1,234,567']
    """
    return f"{number:,.0f}"


def day_text(moment: datetime, zone: tzinfo) -> str:
    """Returns date and minute, as lists of things that are days old show them.

    >>> day_text(datetime(2026, 3, 4, 11, 58, 3, tzinfo=UTC), UTC)
    '2026-03-04 11:58'
    """
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
