"""Metrics functions on spans that are written out: what counts where, and what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from arcane.model.ids import SpanId, TraceId
from arcane.model.series import NumberType, Series, Steps, Typed
from arcane.model.span import Resource, Span, SpanEvent, SpanKind, StatusCode
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.traceql.ast import Field
from arcane.traceql.ast_pipeline import MetricsKind
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.metrics_accumulate import Accumulator, label_of
from arcane.traceql.metrics_compare import VALUES_MAX, Comparer, finish_comparison
from arcane.traceql.metrics_finish import finish, quantile, top_of
from arcane.traceql.metrics_query import (
    Unit,
    answer,
    bucket_unit,
    exemplars_wanted,
    is_comparison,
    measurements,
    unheeded_hints,
    unit_of,
)
from arcane.traceql.metrics_state import MEASURE_OF, NOT_POSITIVE, Measure, States, exponent_of, merge_states
from arcane.traceql.parse import parse
from arcane.traceql.query import compile_query

S = NANOS_PER_SECOND
STEPS = Steps(10 * S, 10 * S, 3)
TRACE = TraceId("ab" * 16)


def span(number: int, at: float, *, seconds: float = 1.0, error: bool = False, **attributes: Any) -> Span:
    start = round(at * S)
    return Span(
        TRACE,
        SpanId(f"{number:016x}"),
        "",
        f"name-{number % 2}",
        SpanKind.SERVER,
        start,
        start + round(seconds * S),
        StatusCode.ERROR if error else StatusCode.OK,
        attributes=attributes,
        resource=Resource({"service.name": "shop"}),
    )


def asked(text: str, *spans: Span, exemplars: int = 0, steps: Steps = STEPS) -> list[Series]:
    """Returns the series of a query over one trace with these spans."""
    query = parse(text)
    check(query)
    trace = Trace(TRACE, spans)
    found = {}
    for one in measurements(query):
        matched = [span for spans in compile_query(one.spans)(trace) for span in spans.spans]
        metrics = one.metrics
        if metrics.kind is MetricsKind.COMPARE:
            comparer = Comparer(metrics, steps)
            comparer.add(trace, matched)
            found[one] = finish_comparison(metrics, comparer.state, steps)
            continue
        of = metrics.of if isinstance(metrics.of, Field) else None
        accumulator = Accumulator(MEASURE_OF[metrics.kind], of, metrics.by, steps)
        accumulator.exemplars = exemplars > 0
        accumulator.add(trace, matched)
        found[one] = finish(metrics, accumulator.state, steps, exemplars)
    return answer(query, found, steps)


def points(series: list[Series]) -> dict[tuple[Any, ...], Mapping[int, float]]:
    return {
        tuple(label.value.value if isinstance(label.value, Typed) else label.value for label in one.labels): one.points
        for one in series
    }


def test_a_span_counts_in_the_bucket_that_ends_with_or_after_its_start() -> None:
    spans = [span(1, 0.5), span(2, 10), span(3, 10.1), span(4, 30), span(5, 30.1), span(6, 0)]
    assert points(asked("{ } | count_over_time()", *spans)) == {("count_over_time",): {0: 2, 1: 1, 2: 1}}
    assert points(asked("{ } | rate()", *spans)) == {("rate",): {0: 0.2, 1: 0.1, 2: 0.1}}


def test_no_span_at_all_is_a_series_of_zeros_unless_it_is_grouped() -> None:
    assert points(asked("{ false } | rate()", span(1, 5))) == {("rate",): {0: 0, 1: 0, 2: 0}}
    assert asked("{ false } | rate() by (name)", span(1, 5)) == []
    assert asked("{ false } | max_over_time(duration)", span(1, 5)) == []


def test_values_are_measured_and_an_empty_bucket_has_no_point() -> None:
    spans = [span(1, 5, seconds=1), span(2, 6, seconds=3), span(3, 25, seconds=5)]
    wanted = {"min": {0: 1, 2: 5}, "max": {0: 3, 2: 5}, "avg": {0: 2, 2: 5}, "sum": {0: 4, 2: 5}}
    for name, values in wanted.items():
        assert points(asked(f"{{ }} | {name}_over_time(duration)", *spans)) == {(f"{name}_over_time",): values}


def test_only_numbers_are_measured() -> None:
    spans = [span(at, 5, n=value) for at, value in enumerate([2, 2.5, "3", True, [4], math.inf, math.nan], start=1)]
    assert points(asked("{ } | sum_over_time(span.n)", *spans, span(9, 5))) == {("sum_over_time",): {0: 4.5}}


def test_labels_keep_their_types() -> None:
    spans = [span(at, 5, n=value) for at, value in enumerate([1, 1.0, True, "1", [1], None, "nil"], start=1)]
    found = asked("{ } | count_over_time() by (span.n)", *spans, span(9, 5))
    assert [one.labels[0].value for one in found] == [
        Typed(NumberType.BOOL, True),
        Typed(NumberType.FLOAT, 1.0),
        Typed(NumberType.INT, 1),
        "1",
        None,
    ]
    assert found[-1].points[0] == 4
    assert label_of(math.nan) is None
    assert label_of(b"x") is None
    assert label_of(5, is_duration=True) == Typed(NumberType.DURATION, 5)


def test_a_field_of_events_is_the_first_ones() -> None:
    one = span(1, 5)
    events = (SpanEvent("a", 6 * S), SpanEvent("b", 7 * S))
    seen = Span(*(getattr(one, name) for name in one.__struct_fields__[:10]), events=events)
    assert points(asked("{ } | count_over_time() by (event:name)", seen, span(2, 5))) == {
        ("a",): {0: 1, 1: 0, 2: 0},
        (None,): {0: 1, 1: 0, 2: 0},
    }
    assert points(asked("{ } | max_over_time(event:timeSinceStart)", seen)) == {("max_over_time",): {0: 1.0}}


def test_a_quantile_lies_in_its_bucket() -> None:
    spans = [span(at, 5, n=value) for at, value in enumerate([3] * 50 + [100] * 50, start=1)]
    found = points(asked("{ } | quantile_over_time(span.n, 0, .5, .75, 1)", *spans))
    assert found == {(0.0,): {0: 2.0}, (0.5,): {0: 4.0}, (0.75,): {0: pytest.approx(64 * 2**0.5)}, (1.0,): {0: 128.0}}


def test_what_is_not_above_zero_has_a_bucket_of_its_own() -> None:
    spans = [span(at, 5, n=value) for at, value in enumerate([0, -3, 0.25, 1], start=1)]
    found = points(asked("{ } | histogram_over_time(span.n)", *spans))
    assert {top: values[0] for (top,), values in found.items()} == {0.0: 2, 0.25: 1, 1.0: 1}
    assert quantile(0.25, {NOT_POSITIVE: 2, 0: 2}) == 0.0
    assert exponent_of(0) == NOT_POSITIVE
    assert math.isfinite(top_of(exponent_of(1.7e308)))


def test_a_duration_of_nothing_counts_as_the_shortest_one() -> None:
    (one,) = asked("{ } | histogram_over_time(duration)", span(1, 5, seconds=0))
    assert one.points[0] == 1
    assert points([one]) == {(1e-9,): {0: 1, 1: 0, 2: 0}}


def test_exemplars_are_spans_of_their_points_and_not_too_many() -> None:
    spans = [span(at, at % 30, seconds=at) for at in range(1, 30)]
    (one,) = asked("{ } | max_over_time(duration)", *spans, exemplars=2)
    assert len(one.exemplars) == 2
    assert all(exemplar.value == int(exemplar.span_id or "", 16) for exemplar in one.exemplars)
    histogram = asked("{ } | histogram_over_time(duration)", *spans, exemplars=9)
    shown = [exemplar for series in histogram for exemplar in series.exemplars]
    assert len(shown) == 3, "one for each bucket of time"


def test_exemplars_of_arithmetic_are_spans_of_the_points_and_labels_that_are_left() -> None:
    spans = [span(number, at, a=number % 2) for number, at in enumerate((5, 5, 15, 15, 25, 25))]
    errors = [span(10, 5, error=True, a=0), span(11, 25, error=True, a=1)]
    text = "({ status = error } | rate() by (span.a)) / ({ } | rate() > 0.2)"
    wide = asked(text, *spans, *errors, exemplars=9)
    text = "({ } | rate()) / ({ status = error } | rate() by (span.a) > 0)"
    turned = asked(text, *spans, *errors, exemplars=9)
    assert len(wide) == len(turned) == 2
    for one in (*wide, *turned):
        (label,) = one.labels
        assert isinstance(label.value, Typed)
        shown = [(exemplar.time // (10 * S), exemplar.span_id) for exemplar in one.exemplars]
        assert {index for index, _ in shown} == ({0} if label.value.value == 0 else {2})
        assert {span_id for _, span_id in shown} == {f"{10 + label.value.value:016x}"}


def test_comparisons_keep_points_and_series_without_any_are_gone() -> None:
    spans = [span(1, 5), span(2, 5), span(3, 5), span(4, 15)]
    assert points(asked("{ } | count_over_time() by (name) > 1", *spans)) == {("name-1",): {0: 2}}
    assert asked("{ } | count_over_time() > 9", *spans) == []
    assert points(asked("{ } | max_over_time(duration) < 2s", *spans)) == {("max_over_time",): {0: 1, 1: 1}}


def test_topk_chooses_for_each_point_and_the_first_labels_of_equal_ones() -> None:
    spans = [span(1, 5), span(3, 5), span(2, 5), span(2, 15), span(4, 15), span(5, 25), span(6, 25)]
    assert points(asked("{ } | count_over_time() by (name) | topk(1)", *spans)) == {
        ("name-0",): {1: 1, 2: 1},
        ("name-1",): {0: 2},
    }
    assert points(asked("{ } | count_over_time() by (name) | bottomk(1)", *spans)) == {
        ("name-0",): {0: 1, 2: 1},
        ("name-1",): {1: 0},
    }


def test_arithmetic_joins_equal_labels_and_divides_by_nothing_but_numbers() -> None:
    spans = [span(1, 5, error=True), span(3, 5), span(2, 5), span(5, 15)]
    share = "({ status = error } | rate() by (name)) / ({ } | rate() by (name))"
    assert points(asked(share, *spans)) == {("name-1",): {0: 0.5, 1: 0}}
    percent = "({ status = error } | rate()) / ({ } | rate()) * 100"
    assert points(asked(percent, *spans)) == {("((rate / rate) * 100)",): {0: pytest.approx(100 / 3), 1: 0}}
    broad = "({ } | count_over_time() by (name)) / ({ } | count_over_time())"
    assert points(asked(broad, *spans))[("name-0",)] == {0: pytest.approx(1 / 3), 1: 0}
    other = "({ } | count_over_time()) - ({ } | count_over_time() by (name))"
    assert points(asked(other, *spans))[("name-0",)] == {0: 2, 1: 1, 2: 0}
    assert points(asked("2 + (3 * ({ } | count_over_time()))", *spans)) == {
        ("(2 + (3 * count_over_time))",): {0: 11, 1: 5, 2: 2}
    }
    assert asked("({ } | rate() by (name)) / ({ } | rate() by (kind))", *spans) == []


def test_a_comparison_tells_both_sides_apart() -> None:
    spans = [span(1, 5, error=True, model="gpt"), span(2, 5, model="gpt"), span(3, 5, model="mini", secret=[1])]
    found = {
        (one.labels[0].value, one.labels[1].name, one.labels[1].value): sum(one.points.values())
        for one in asked("{ } | compare({ status = error })", *spans)
    }
    assert found["selection", "span.model", "gpt"] == 1
    assert found["baseline", "span.model", "gpt"] == 1
    assert found["baseline", "span.model", "mini"] == 1
    assert found["baseline_total", "span.model", None] == 2
    assert found["baseline", "resource.service.name", "shop"] == 2
    assert ("baseline", "span.secret", None) not in found


def test_a_comparison_has_a_window_and_shows_the_most_frequent_values() -> None:
    spans = [span(at, 5, n=at % 4) for at in range(1, 12)]
    text = f"{{ }} | compare({{ }}, 2, {3 * S}, {4 * S})"
    found = asked(text, *spans)
    assert {one.labels[0].value for one in found} == {"baseline", "baseline_total"}
    assert len([one for one in found if one.labels[1].name == "span.n" and one.labels[0].value == "baseline"]) == 2


@pytest.mark.parametrize("values", [range(VALUES_MAX + 1), ["x" * 300]])
def test_an_attribute_with_too_many_values_says_so(values: Any) -> None:
    spans = [span(at, 5, n=value) for at, value in enumerate(values, start=1)]
    errors = [one for one in asked("{ } | compare({ status = error })", *spans) if one.labels[0].name == "__meta_error"]
    assert [(one.labels[1].value, one.labels[2].name) for one in errors] == [("baseline", "span.n")]


def test_series_beyond_the_bound_are_left_out_and_told() -> None:
    accumulator = Accumulator(Measure.COUNT, None, (Field(parse("{ .n = 1 }").body.condition.left.scope, "n"),), STEPS)  # type: ignore[union-attr]
    accumulator.series_max = 2
    spans = [span(at, 5, n=at) for at in range(1, 5)]
    accumulator.add(Trace(TRACE, spans), spans)
    assert len(accumulator.state.series) == 2
    assert accumulator.state.left_out
    into = States(Measure.COUNT, {("a",): {0: 1}})
    merge_states(into, States(Measure.COUNT, {("a",): {0: 2}, ("b",): {0: 1}}), series_max=1)
    assert into.series == {("a",): {0: 3}}
    assert into.left_out
    with pytest.raises(ValueError, match="different measures"):
        merge_states(into, States(Measure.SUM), 1)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("{ } | rate()", Unit.PER_SECOND),
        ("{ } | count_over_time() | topk(2)", Unit.SPANS),
        ("{ } | avg_over_time(duration)", Unit.SECONDS),
        ("{ } | avg_over_time(span.n)", Unit.NONE),
        ("({ } | rate()) / ({ } | rate())", Unit.NONE),
    ],
)
def test_the_unit_follows_from_the_query(text: str, unit: Unit) -> None:
    assert unit_of(parse(text)) is unit
    assert bucket_unit(parse(text)) is None


def test_a_histogram_has_the_unit_of_its_buckets() -> None:
    assert bucket_unit(parse("{ } | histogram_over_time(duration) by (name)")) is Unit.SECONDS
    assert bucket_unit(parse("{ } | histogram_over_time(span.n)")) is Unit.NONE
    assert is_comparison(parse("{ } | compare({ })"))
    assert not is_comparison(parse("{ } | rate()"))


@pytest.mark.parametrize(
    ("hint", "wanted"), [("exemplars=true", 100), ("exemplars=false", 0), ("exemplars=7", 7), ("job=1", None)]
)
def test_hints_say_how_many_exemplars(hint: str, wanted: int | None) -> None:
    assert exemplars_wanted(parse(f"{{ }} | rate() with({hint})")) == wanted


def test_a_hint_for_a_sample_is_not_heeded() -> None:
    assert unheeded_hints(parse("{ } | rate() with(sample=true, span_sample=0.1, trace_sample=false)")) == (
        "sample",
        "span_sample",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{ } | rate() =~ "x"', "matches text"),
        ("{ } | rate() > true", "a series has numbers"),
        ("({ } | rate()) / true", "a series has numbers"),
        ("({ } | rate()) % ({ } | rate())", "cannot stand between metrics"),
        ("({ } | rate() | topk(0)) / ({ } | rate())", "at least 1"),
        ("({ } | compare({ })) / ({ } | rate())", "no series to compute with"),
        ("(({ } | max_over_time(name)) + 1) / ({ } | rate())", "computes with numbers"),
    ],
)
def test_what_cannot_stand_beside_series_is_refused(text: str, says: str) -> None:
    with pytest.raises(TraceqlError, match=says):
        check(parse(text))
