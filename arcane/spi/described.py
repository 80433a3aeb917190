"""What an adapter would send, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.time import datetime_of
from arcane.spi.scan import ScanRequest
from arcane.traceql.format import format_filter


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it would be sent, whole and without any secret: no credential, no header.

    Over HTTP that is a method and a path below the datasource's base URL, and the parameters as they are
    before they are encoded. For a database it is `SQL`, the statement, and what is bound to it.
    """

    method: str
    target: str
    parameters: tuple[tuple[str, str], ...] = ()
    note: str = ""
    """When or how often it is sent, where it is not once: a notice that follows the request."""

    @classmethod
    def of_read(cls, target: str, request: ScanRequest) -> SentRequest:
        """Returns how an adapter that evaluates a scan itself describes it."""
        return cls(
            "READ",
            target,
            (
                ("filter", format_filter(request.filter)),
                ("start", datetime_of(request.within.start).isoformat()),
                ("end", datetime_of(request.within.end).isoformat()),
                ("limit", str(request.limit)),
            ),
        )
