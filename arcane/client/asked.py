"""What a command line asks, in the words of the API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from arcane.client.errors import ClientError, Exit
from arcane.traceql.errors import TraceqlError
from arcane.traceql.parse import parse
from arcane.traceql.query import is_metrics

_AGO = re.compile(r"(\d+)(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `since` is how long ago (`1h`) or a time; `sources` are names or ids, none means all."""

    query: str
    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    limit: int | None = None
    step: str | None = None
    instant: bool = False

    @property
    def measures(self) -> bool:
        """True for a metrics query; what is no query at all is for the instance to refuse."""
        try:
            return is_metrics(parse(self.query))
        except TraceqlError:
            return False

    def stream(self, datasource_ids: list[str], now: datetime) -> dict[str, Any]:
        """Returns the question as the API takes it for an answer that streams, newest first."""
        return {**self.body(datasource_ids, now), "limit": self.limit, "order": "newest"}

    def body(self, datasource_ids: list[str], now: datetime) -> dict[str, Any]:
        """Returns the question as the API takes it."""
        body: dict[str, Any] = {"query": self.query, "datasources": datasource_ids}
        if self.since is not None:
            body["start"] = moment(self.since, now)
        if self.until is not None:
            body["end"] = moment(self.until, now)
        return body

    def measurement(self, datasource_ids: list[str], now: datetime) -> dict[str, Any]:
        """Returns the metrics question as the API takes it."""
        return {**self.body(datasource_ids, now), "step": self.step, "instant": self.instant}


def moment(text: str, now: datetime) -> str:
    """Returns a time as RFC 3339: `1h` is an hour before `now`, what looks like a time stays what it is."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        try:
            return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).isoformat()
        except OverflowError:
            raise ClientError(f"{text} is too long ago", Exit.REFUSED) from None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ClientError(f"{text} is neither a time nor a duration such as 30m, 2h or 7d", Exit.REFUSED) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
