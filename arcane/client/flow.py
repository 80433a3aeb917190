"""A streamed answer in a shell: a line a trace, or a line an event, as they come."""

from __future__ import annotations

import json
from typing import Any, TextIO

from arcane.client.errors import ClientError, refused
from arcane.client.show import about_sources, cells_of, clean

_WIDTHS = (23, 24, 40, 9, 5, 6, 7)
"""Columns have to stand before the rows are known; the trace id comes last and is never cut."""
_RIGHT = frozenset({3, 4, 5, 6})


class Flow:
    """Takes events as lines of JSON and prints them; what is missing from the answer goes to `aside` at the end."""

    def __init__(self, out: TextIO, aside: TextIO, *, as_json: bool, query: str) -> None:
        self._out, self._aside = out, aside
        self._as_json = as_json
        self._query = query
        self._end: dict[str, Any] | None = None

    def take(self, line: str) -> None:
        """The event is printed; raises ClientError for one that says the answer failed."""
        event = json.loads(line)
        if event["event"] == "problem":
            raise refused(event["problem"], self._query)
        if self._as_json:
            self._out.write(line if line.endswith("\n") else f"{line}\n")
        elif event["event"] == "hit" and not event["again"]:
            self._out.write(_row(event["hit"]) + "\n")
        if event["event"] == "end":
            self._out.flush()
            self._end = event
            self._say(event)

    def is_complete(self) -> bool:
        """True when every datasource answered in full; raises ClientError when the answer broke off."""
        if self._end is None:
            raise ClientError("the answer broke off before its end")
        return bool(self._end["complete"]) and self._end["ending"] != "bound"

    def _say(self, end: dict[str, Any]) -> None:
        for line in about_sources(end["sources"]):
            self._aside.write(f"arcane: {clean(line)}\n")
        if end["ending"] == "bound":
            self._aside.write("arcane: a bound of the instance was reached before the end of the range\n")


def _row(hit: dict[str, Any]) -> str:
    *cells, trace_id, _ = [cell.plain for cell in cells_of(hit, {})]
    shown = (
        text[:width].rjust(width) if column in _RIGHT else text[:width].ljust(width)
        for column, (text, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    )
    return "  ".join((*shown, trace_id))
