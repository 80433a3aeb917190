"""The part of the suite for adapters that measure: what a backend works out is what Arcane works out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from arcane.model.deadline import Deadline
from arcane.model.series import Steps
from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi.adapter import Adapter
from arcane.spi.metrics import MetricsRequest
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.check import check
from arcane.traceql.evaluate import compile_filter
from arcane.traceql.metrics_accumulate import Accumulator
from arcane.traceql.metrics_state import Measure, State, States
from arcane.traceql.parse import parse

FILTERS = ("{ }", "{ status = error }", '{ resource.service.name = "shop" && duration > 20ms }', "{ span.items > 2 }")
_DURATION = Field(Scope.INTRINSIC, "duration")
_ITEMS = Field(Scope.SPAN, "items")
_RATIO = Field(Scope.SPAN, "ratio")
_SERVICE = Field(Scope.RESOURCE, "service.name")
MEASURED: tuple[tuple[Measure, Field | None], ...] = (
    (Measure.COUNT, None),
    *((measure, of) for measure in Measure if measure is not Measure.COUNT for of in (_DURATION, _ITEMS, _RATIO)),
)
GROUPED: tuple[tuple[Field, ...], ...] = (
    (),
    (_SERVICE,),
    (Field(Scope.INTRINSIC, "name"), Field(Scope.INTRINSIC, "kind")),
    (Field(Scope.INTRINSIC, "status"),),
    (_ITEMS,),
    (_RATIO, Field(Scope.SPAN, "cached")),
    (Field(Scope.SPAN, "tags"), _SERVICE),
)
_PATIENCE_S = 30.0


class MetricsContract:
    """What the engine relies on where `Capabilities.metrics` has rules; others pass it unasked."""

    @pytest.mark.parametrize("number", range(len(GROUPED)))
    async def test_what_is_measured_there_is_what_arcane_measures(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange, number: int
    ) -> None:
        await self._ask_once(adapter, whole)
        capabilities, by = adapter.capabilities, GROUPED[number]
        for at, (measure, of) in enumerate(MEASURED):
            spans = _filter_of(FILTERS[(at + number) % len(FILTERS)])
            exact = capabilities.covers(spans.condition) and capabilities.exact(spans.condition)
            if not exact or not capabilities.measures(measure, of, by):
                continue
            request = MetricsRequest(_steps(whole)[(at + number) % 3 == 0], measure, spans, of, by)
            answer = await adapter.metrics(request, Deadline.after(_PATIENCE_S))
            if answer is not None:
                assert adapter.describe_metrics(request) is not None, "it measures what it says it does not"
                _assert_same(answer.states, _measured_here(request, traces), f"{measure} of {of}")

    async def test_series_beyond_the_bound_are_left_out_and_told(
        self, adapter: Adapter, traces: list[Trace], whole: TimeRange
    ) -> None:
        await self._ask_once(adapter, whole)
        if not adapter.capabilities.measures(Measure.COUNT, None, (_SERVICE,)):
            return
        request = MetricsRequest(_steps(whole)[0], Measure.COUNT, by=(_SERVICE,), series_max=2)
        answer = await adapter.metrics(request, Deadline.after(_PATIENCE_S))
        if answer is not None:
            assert len(answer.states.series) <= 2
            assert answer.states.left_out, "series were left out, and the answer does not say so"

    async def _ask_once(self, adapter: Adapter, whole: TimeRange) -> None:
        """Some adapters know what their backend can do only after a first question."""
        await adapter.check(Deadline.after(_PATIENCE_S))


def _filter_of(text: str) -> SpansetFilter:
    query = parse(text)
    check(query)
    assert query.filter is not None
    return query.filter


def _steps(whole: TimeRange) -> tuple[Steps, Steps]:
    """Returns aligned buckets of a minute, and one bucket that begins and ends anywhere."""
    minute = 60 * NANOS_PER_SECOND
    first = whole.start // minute * minute
    last = -(-whole.end // minute) * minute
    return Steps(first, minute, (last - first) // minute + 1), Steps(whole.end, whole.duration, 1)


def _measured_here(request: MetricsRequest, traces: Sequence[Trace]) -> States:
    accumulator = Accumulator(request.measure, request.of, request.by, request.steps)
    matches = compile_filter(request.filter)
    for trace in traces:
        accumulator.add(trace, matches(trace))
    return accumulator.state


def _assert_same(found: States, wanted: States, what: str) -> None:
    assert found.measure is wanted.measure
    assert found.series.keys() == wanted.series.keys(), f"{what}: other series"
    for labels, points in wanted.series.items():
        assert found.series[labels].keys() == points.keys(), f"{what}: other points of {labels}"
        for index, state in points.items():
            assert _same(found.series[labels][index], state), f"{what}: {found.series[labels][index]} is not {state}"


def _same(one: State, other: State) -> bool:
    if isinstance(one, dict):
        return bool(one == other)
    if isinstance(one, tuple):
        return bool(one[1] == other[1]) and _same(one[0], other[0])
    return bool(abs(one - other) <= 1e-9 * max(1.0, abs(other)))
