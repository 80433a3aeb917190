"""The time range of a page: a preset that follows the clock, or two points in time that stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from arcane.model.time import TimeRange, nanos_of
from arcane.traces.times import EARLIEST, LATEST
from web.i18n import Language

CUSTOM: Final = "custom"
DEFAULT: Final = "1h"
PRESETS: Final[tuple[tuple[str, timedelta], ...]] = (
    ("5m", timedelta(minutes=5)),
    ("15m", timedelta(minutes=15)),
    ("1h", timedelta(hours=1)),
    ("3h", timedelta(hours=3)),
    ("6h", timedelta(hours=6)),
    ("12h", timedelta(hours=12)),
    ("24h", timedelta(hours=24)),
    ("2d", timedelta(days=2)),
    ("7d", timedelta(days=7)),
    ("30d", timedelta(days=30)),
)
_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice in the list."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the form shows: the preset or `custom`, the texts of both fields, and what is wrong with them."""

    key: str
    label: str
    from_text: str = ""
    to_text: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The range a page asks for. `range` is None when what was typed cannot be read."""

    chosen: Chosen
    range: TimeRange | None


def presets(language: Language) -> tuple[Preset, ...]:
    """Returns the presets in the words of `language`."""
    return tuple(Preset(key, _label(length, language)) for key, length in PRESETS)


def window_of(fields: tuple[str, str, str], now: datetime, zone: tzinfo, language: Language) -> Window:
    """Returns the window for the form fields (`range`, `from`, `to`); an unknown preset is the default one."""
    key, start, end = (field.strip() for field in fields)
    if key == CUSTOM or (not key and (start or end)):
        return _custom(start, end, now.astimezone(zone), language)
    known = dict(PRESETS)
    key = key if key in known else DEFAULT
    found = TimeRange(nanos_of(now - known[key]), nanos_of(now))
    return Window(Chosen(key, _label(known[key], language)), found)


def _custom(start: str, end: str, now: datetime, language: Language) -> Window:
    say = language.gettext
    label = f"{start or '…'} … {end or say('now')}"

    def wrong(error: str) -> Window:
        return Window(Chosen(CUSTOM, label, start, end, error), None)

    first, last = _moment(start, now), _moment(end, now) if end else now
    if first is None or last is None:
        return wrong(say("Write times as 2026-03-04 14:00:00, or as RFC 3339."))
    # As points in time: two datetimes of one zone compare as clocks, and a clock shows one hour twice a year.
    since, until = nanos_of(first), nanos_of(last)
    if since >= until:
        return wrong(say("The range ends before it starts."))
    if since < EARLIEST or until > LATEST:
        return wrong(say("These times are out of bounds."))
    return Window(Chosen(CUSTOM, label, start, end), TimeRange(since, until))


def _moment(text: str, now: datetime) -> datetime | None:
    """A point in time as a person or a link writes it; without an offset it is in the reader's zone."""
    if text == "now":
        return now
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=now.tzinfo)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _label(length: timedelta, language: Language) -> str:
    minutes = int(length.total_seconds()) // 60
    if minutes < 60:
        return language.ngettext("Last %(num)d minute", "Last %(num)d minutes", minutes) % {"num": minutes}
    hours = minutes // 60
    if hours <= 24:
        return language.ngettext("Last %(num)d hour", "Last %(num)d hours", hours) % {"num": hours}
    days = hours // 24
    return language.ngettext("Last %(num)d day", "Last %(num)d days", days) % {"num": days}
