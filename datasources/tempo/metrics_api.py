"""Asks Tempo for metrics, over as many requests as its longest window needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from arcane.spi import (
    NANOS_PER_MILLISECOND,
    NANOS_PER_SECOND,
    Deadline,
    HttpResponse,
    MetricsAnswer,
    MetricsRequest,
    States,
    Steps,
)
from datasources.tempo.answers import checked
from datasources.tempo.metrics import Part, decode_states, is_aligned, joined, parts_of, windows_of

_RANGE: Final = "/api/metrics/query_range"
_INSTANT: Final = "/api/metrics/query"
_REQUESTS_MAX: Final = 64
"""Most requests of one question: a range that needs more is left to Arcane."""
_EXEMPLARS: Final = 100
_NOT_THERE: Final = frozenset({400, 404, 405, 422})
"""This Tempo does not measure that: it is too old, or a limit of the tenant forbids it."""

Get: TypeAlias = Callable[[str, Sequence[tuple[str, str]], Deadline], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: for one part, over the buckets of `window`, which begin at number `first`."""

    part: Part
    first: int
    window: Steps
    path: str
    params: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class MetricsApi:
    """Tempo's metrics endpoints. `longest` is the longest window of one request, in nanoseconds."""

    get: Get
    longest: int

    async def measure(self, request: MetricsRequest, deadline: Deadline) -> MetricsAnswer | None:
        """Returns the states, None for what this Tempo cannot measure; raises DatasourceError."""
        warnings: dict[str, None] = {}
        states: dict[Part, States] = {}
        asked = self.asked(request)
        for one in asked:
            response = await self.get(one.path, one.params, deadline)
            if response.status in _NOT_THERE:
                return None
            found, missing = decode_states(checked(response), one.part, request, one.window)
            warnings.update(dict.fromkeys(missing))
            states[one.part] = _later(found, one.first, states.get(one.part))
        if not asked:
            return None
        return MetricsAnswer(joined(request.measure, list(states.values()), request.series_max), tuple(warnings))

    def asked(self, request: MetricsRequest) -> tuple[Ask, ...]:
        """Returns the requests for the states; none where this Tempo cannot give them."""
        parts, steps = parts_of(request), request.steps
        if is_aligned(steps):
            windows = list(windows_of(steps, self.longest))
        else:
            windows = [(0, steps)] if steps.count == 1 and steps.width <= self.longest else []
        if len(parts) * len(windows) > _REQUESTS_MAX:
            return ()
        return tuple(
            Ask(part, first, window, _path(window), _params(part, request, window))
            for part in parts
            for first, window in windows
        )


def _later(found: States, first: int, whole: States | None) -> States:
    """Returns `whole` with the buckets of a later window, which begin at number `first`."""
    if whole is None:
        return found
    for labels, points in found.series.items():
        own = whole.series.setdefault(labels, {})
        own.update({first + index: state for index, state in points.items()})
    for (labels, index), exemplar in found.exemplars.items():
        whole.exemplars[labels, first + index] = exemplar
    return whole


def _path(steps: Steps) -> str:
    return _RANGE if is_aligned(steps) else _INSTANT


def _params(part: Part, request: MetricsRequest, steps: Steps) -> list[tuple[str, str]]:
    if not is_aligned(steps):
        return [("q", part.query), ("start", _moment(steps.first - steps.width)), ("end", _moment(steps.first))]
    # One bucket alone would be a range without length; the one behind it is not looked at.
    end = steps.end_of(steps.count - 1) if steps.count > 1 else steps.first + NANOS_PER_SECOND
    return [
        ("q", part.query),
        ("start", _moment(steps.first)),
        ("end", _moment(end)),
        ("step", _width(steps.width)),
        ("exemplars", str(_EXEMPLARS if request.exemplars else 0)),
    ]


def _moment(nanos: int) -> str:
    seconds, rest = divmod(nanos, NANOS_PER_SECOND)
    return str(nanos) if rest else str(seconds)


def _width(nanos: int) -> str:
    seconds, rest = divmod(nanos, NANOS_PER_SECOND)
    return f"{nanos // NANOS_PER_MILLISECOND}ms" if rest else f"{seconds}s"
