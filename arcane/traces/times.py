"""Times of the API: RFC 3339 to the nanosecond, in and out."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from arcane.model.time import NANOS_PER_SECOND, datetime_of, nanos_of

EARLIEST: Final = 0
LATEST: Final = (1 << 63) - 1  # 2262: OTLP's nanoseconds as a signed number, which is what backends take
EXAMPLE_TIME: Final = "2026-08-01T12:30:00.500000000Z"
_SHAPE: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")


def parse_time(text: object) -> int:
    """Returns an RFC 3339 time as nanoseconds since the epoch; raises ValueError with a sentence."""
    found = _SHAPE.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if found is None:
        raise ValueError("a time is written as in RFC 3339: 2026-08-01T12:30:00.5Z")
    day, clock, fraction, offset = found.groups()
    zone = "+00:00" if offset in "Zz" else offset
    whole = nanos_of(datetime.fromisoformat(f"{day}T{clock}{zone}"))
    nanos = whole + int((fraction or "0").ljust(9, "0"))
    if not EARLIEST <= nanos <= LATEST:
        raise ValueError("a time lies between 1970 and 2262")
    return nanos


def format_time(nanos: int) -> str:
    """Returns nanoseconds since the epoch as RFC 3339 in UTC, always with nine digits behind the point."""
    digits = str(nanos).rjust(10, "0")
    return f"{_second(digits[:-9])}.{digits[-9:]}Z"


@lru_cache(maxsize=4096)
def _second(seconds: str) -> str:
    """Spans of a trace share their seconds, and formatting a second costs ten times what the digits cost."""
    return datetime_of(int(seconds) * NANOS_PER_SECOND).strftime("%Y-%m-%dT%H:%M:%S")


Time = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-08-01T12:30:00.5Z"]}),
]
"""A time in a request: RFC 3339 outside, nanoseconds inside."""
