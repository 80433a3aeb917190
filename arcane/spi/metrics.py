"""Metrics: the question that some backends answer themselves, in states that Arcane merges."""

from __future__ import annotations

from dataclasses import dataclass, field

from arcane.model.series import Steps
from arcane.traceql.ast import Field, SpansetFilter
from arcane.traceql.metrics_state import Measure, States


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """Which spans are measured, and how: those that match `filter` and start within the steps.

    It is asked only where `Capabilities.metrics` covers it and `filter` is exact. What a span adds
    to which series is decided in `arcane.traceql.metrics_accumulate`: a backend has to decide alike.
    """

    steps: Steps
    measure: Measure
    filter: SpansetFilter = field(default_factory=SpansetFilter)
    of: Field | None = None
    """What is measured of a span; None where spans are counted. Durations are nanoseconds."""
    by: tuple[Field, ...] = ()
    series_max: int = 1_000
    """Most series wanted. Where there are more, `States.left_out` says so."""
    exemplars: bool = False
    """Exemplars are welcome, one for each point at most; there may be none."""


@dataclass(frozen=True, slots=True)
class MetricsAnswer:
    """The states of all matching spans. `warnings` are sentences about what is known to be missing."""

    states: States
    warnings: tuple[str, ...] = ()
