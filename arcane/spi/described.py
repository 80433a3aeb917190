"""What an adapter would send, for a person to read."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.model.time import datetime_of
from arcane.spi.metrics import MetricsRequest
from arcane.spi.scan import ScanRequest
from arcane.traceql.format import format_expr, format_filter
from arcane.traceql.literals import spell_duration


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

    @classmethod
    def of_measure(cls, target: str, request: MetricsRequest) -> SentRequest:
        """Returns how an adapter that measures spans itself describes it."""
        steps = request.steps
        return cls(
            "READ",
            target,
            (
                ("filter", format_filter(request.filter)),
                ("measure", request.measure.value),
                *((("of", format_expr(request.of)),) if request.of else ()),
                *(("by", format_expr(field)) for field in request.by),
                ("start", datetime_of(steps.within.start).isoformat()),
                ("end", datetime_of(steps.within.end).isoformat()),
                ("step", spell_duration(steps.width)),
            ),
        )
