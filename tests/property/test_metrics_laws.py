"""States merge: whatever the spans are split into, and in whatever order the parts come, the answer is that of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.model.series import Series, Steps
from arcane.model.span import Span
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Literal, LiteralType, Scope
from arcane.traceql.ast_pipeline import Metrics, MetricsKind
from arcane.traceql.metrics_accumulate import Accumulator
from arcane.traceql.metrics_compare import Comparer, Comparison, finish_comparison, merge_comparisons
from arcane.traceql.metrics_finish import finish
from arcane.traceql.metrics_state import MEASURE_OF, States, exponent_of, merge_states
from tests.support.federated import corpora, filters

DURATION = Field(Scope.INTRINSIC, "duration")
ATTRIBUTE = Field(Scope.NONE, "a")
FUNCTIONS = [kind for kind in MetricsKind if kind is not MetricsKind.COMPARE]
STEPS = Steps(7, 7, 12)
groupings = st.lists(
    st.sampled_from((ATTRIBUTE, Field(Scope.SPAN, "b"), Field(Scope.RESOURCE, "service.name"), DURATION)),
    max_size=2,
    unique=True,
).map(tuple)
parts = st.lists(st.integers(0, 2), min_size=40, max_size=40)


def function(kind: MetricsKind, of: Field, by: tuple[Field, ...]) -> Metrics:
    counts = kind in (MetricsKind.RATE, MetricsKind.COUNT)
    numbers = (0.5, 1.0) if kind is MetricsKind.QUANTILE else ()
    return Metrics(kind, None if counts else of, tuple(Literal(LiteralType.FLOAT, one) for one in numbers), by)


def states_of(metrics: Metrics, found: Iterable[tuple[Trace, Sequence[Span]]]) -> States:
    of = metrics.of if isinstance(metrics.of, Field) else None
    accumulator = Accumulator(MEASURE_OF[metrics.kind], of, metrics.by, STEPS)
    accumulator.exemplars = True
    for trace, spans in found:
        accumulator.add(trace, spans)
    return accumulator.state


def split(traces: Sequence[Trace], owners: Sequence[int]) -> list[list[tuple[Trace, list[Span]]]]:
    """Returns three parts, each with some of the spans of some of the traces."""
    numbered = {span.span_id: number for number, span in enumerate(span for trace in traces for span in trace.spans)}
    return [
        [
            (trace, [span for span in trace.spans if owners[numbered[span.span_id] % len(owners)] == part])
            for trace in traces
        ]
        for part in range(3)
    ]


def close(one: Sequence[Series], other: Sequence[Series]) -> bool:
    """True when both are the same up to the rounding of sums."""
    return [series.labels for series in one] == [series.labels for series in other] and all(
        left.points == pytest.approx(right.points, rel=1e-9) and left.exemplars == right.exemplars
        for left, right in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("kind", FUNCTIONS)
@given(corpora, parts, groupings, st.sampled_from((DURATION, ATTRIBUTE)), st.permutations(range(3)))
def test_merged_parts_are_the_whole(
    kind: MetricsKind,
    traces: tuple[Trace, ...],
    owners: list[int],
    by: tuple[Field, ...],
    of: Field,
    order: list[int],
) -> None:
    metrics = function(kind, of, by)
    whole = states_of(metrics, ((trace, trace.spans) for trace in traces))
    parted = [states_of(metrics, part) for part in split(traces, owners)]
    merged = States(MEASURE_OF[kind])
    for number in order:
        merge_states(merged, parted[number], series_max=1_000)
    assert merged.series.keys() == whole.series.keys()
    assert close(finish(metrics, merged, STEPS, 50), finish(metrics, whole, STEPS, 50))


@given(corpora, parts, filters(), st.permutations(range(3)))
def test_a_comparison_of_parts_is_that_of_the_whole(
    traces: tuple[Trace, ...], owners: list[int], selection: object, order: list[int]
) -> None:
    metrics = Metrics(MetricsKind.COMPARE, selection)  # type: ignore[arg-type]

    def compared(found: Iterable[tuple[Trace, Sequence[Span]]]) -> Comparison:
        comparer = Comparer(metrics, STEPS)
        for trace, spans in found:
            comparer.add(trace, spans)
        return comparer.state

    merged = Comparison()
    parted = [compared(part) for part in split(traces, owners)]
    for number in order:
        merge_comparisons(merged, parted[number])
    whole = compared((trace, trace.spans) for trace in traces)
    assert finish_comparison(metrics, merged, STEPS) == finish_comparison(metrics, whole, STEPS)


@given(st.integers(1, 2**63 - 1) | st.floats(min_value=5e-324, allow_infinity=False))
def test_a_value_lies_below_its_power_of_two_and_above_the_one_before(value: float) -> None:
    exponent = exponent_of(value)
    power: Callable[[int], float] = lambda at: 2**at if at >= 0 else 2.0**at  # noqa: E731 - exact for integers
    assert value <= power(exponent) if exponent < 1_024 else True
    assert value > power(exponent - 1)


@given(st.integers(0, 200), st.integers(1, 9), st.integers(1, 30), st.integers(-50, 400))
def test_a_moment_lies_in_one_bucket_at_most(first: int, width: int, count: int, moment: int) -> None:
    steps = Steps(first, width, count)
    inside = [at for at in range(count) if steps.end_of(at) - width < moment <= steps.end_of(at)]
    index = steps.index_of(moment)
    assert ([] if index is None else [index]) == inside
