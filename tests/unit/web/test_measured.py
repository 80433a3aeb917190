"""What the metrics page makes of an answer: names, numbers, a chart's data, a comparison's table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from arcane.model.ids import SpanId, TraceId
from arcane.model.series import Exemplar, Label, NumberType, Series, Steps, Typed
from arcane.model.time import NANOS_PER_SECOND
from arcane.traceql.metrics_query import Unit
from arcane.traces.measuring import MetricsAnswer
from web.charts import chart_of
from web.comparisons import compared_of
from web.i18n import Languages
from web.measures import series_name, value_text
from web.rows import RowContext

ENGLISH = Languages.load().by_code["en"]
NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
CONTEXT = RowContext("/o/a/p/b/traces", UTC, NOON, 1, ENGLISH)
STEPS = Steps(int(NOON.timestamp()) * NANOS_PER_SECOND, 60 * NANOS_PER_SECOND, 3)
TRACE = TraceId("ab" * 16)


def labelled(**labels: Any) -> tuple[Label, ...]:
    return tuple(Label(name.replace("__", "."), value) for name, value in labels.items())


def answer(*series: Series, unit: Unit = Unit.PER_SECOND, buckets: Unit | None = None) -> MetricsAnswer:
    return MetricsAnswer("q", unit, False, buckets, STEPS, series, (), (), True)


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ((Label("__name__", "rate"),), "rate"),
        (labelled(resource__service="shop"), "shop"),
        (labelled(resource__service=None), "(none)"),
        (labelled(name=""), '""'),
        (labelled(resource__service="shop", span__n=Typed(NumberType.INT, 5)), "service=shop, n=5"),
        ((Label("p", Typed(NumberType.FLOAT, 0.99)),), "p99"),
        ((*labelled(name="GET"), Label("p", Typed(NumberType.FLOAT, 0.5))), "name=GET, p50"),
        (labelled(span__ok=Typed(NumberType.BOOL, True)), "true"),
        (labelled(duration=Typed(NumberType.DURATION, 2_500_000)), "2.50 ms"),
    ],
)
def test_a_series_is_called_by_the_values_of_its_labels(labels: tuple[Label, ...], name: str) -> None:
    assert series_name(Series(labels, {}), Unit.NONE, ENGLISH) == name


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, Unit.NONE, "0"),
        (0.0, Unit.SECONDS, "0 s"),
        (0.1234, Unit.NONE, "0.123"),
        (1234.4, Unit.SPANS, "1,234"),
        (1_234_567.0, Unit.SPANS, "1.23 M"),
        (2.5, Unit.PER_SECOND, "2.5/s"),
        (0.0321, Unit.SECONDS, "32.1 ms"),
        (-1.5, Unit.SECONDS, "−1.50 s"),
        (0.00012345, Unit.NONE, "1.23e-04"),
    ],
)
def test_values_have_three_digits_and_their_unit(value: float, unit: Unit, text: str) -> None:
    assert value_text(value, unit) == text


def test_the_largest_series_come_first_and_a_point_that_is_missing_is_null() -> None:
    small, large = Series(labelled(name="small"), {0: 1.0}), Series(labelled(name="large"), {0: 5.0, 2: 7.0})
    chart = chart_of(answer(small, large), CONTEXT)
    assert [row.name for row in chart.rows] == ["large", "small"]
    assert [one["values"] for one in chart.data["series"]] == [[5.0, None, 7.0], [1.0, None, None]]
    assert (chart.rows[0].last, chart.rows[0].mean, chart.rows[0].most) == ("7/s", "6/s", "7/s")
    assert [row.time for row in chart.values] == ["12:02:00", "12:01:00", "12:00:00"]
    assert chart.values[0].values == ("7/s", "")


def test_buckets_stand_in_their_own_order_and_an_exemplar_leads_to_its_span() -> None:
    shown = Exemplar(STEPS.first, 0.5, TRACE, SpanId("cd" * 8))
    unnamed = Exemplar(STEPS.first, 0.5, TRACE, None)
    tops = (0.5, 64.0, 1.0)
    series = [Series((Label("__bucket", Typed(NumberType.FLOAT, top)),), {0: top}, (shown, unnamed)) for top in tops]
    chart = chart_of(answer(*series, unit=Unit.SPANS, buckets=Unit.SECONDS), CONTEXT)
    assert chart.heatmap
    assert [row.name for row in chart.rows] == ["≤ 500 ms", "≤ 1 min 04 s", "≤ 1.00 s"]
    assert chart.data["unit"] == "seconds"
    hrefs = [one["href"] for one in chart.data["series"][0]["exemplars"]]
    assert hrefs == [f"/o/a/p/b/traces/{TRACE}?span={'cd' * 8}", f"/o/a/p/b/traces/{TRACE}"]


def compared(side: str, name: str, value: Any, count: float) -> Series:
    return Series((Label("__meta_type", side), Label(name, value)), {0: count})


def test_what_differs_most_comes_first_and_shares_are_of_all_spans_of_a_side() -> None:
    table = compared_of(
        [
            compared("selection_total", "name", None, 10),
            compared("baseline_total", "name", None, 40),
            compared("selection", "name", "GET", 10),
            compared("baseline", "name", "GET", 38),
            compared("baseline", "name", "PUT", 2),
            compared("selection_total", "span.model", None, 10),
            compared("selection", "span.model", "gpt", 10),
            compared("baseline_total", "span.rare", None, 1),
            compared("baseline", "span.rare", "x", 1),
            compared("baseline_total", "span.id", None, 40),
            Series(
                (
                    Label("__meta_error", "__too_many_values__"),
                    Label("__meta_type", "baseline"),
                    Label("span.id", None),
                ),
                {},
            ),
        ],
        ENGLISH,
    )
    assert (table.selection, table.baseline) == (10, 40)
    assert [one.name for one in table.attributes] == ["span.model", "name", "span.rare", "span.id"]
    assert table.attributes[0].values[0].difference_text == "+100.0"
    assert table.attributes[2].values[0].baseline_text == "2.5 %"
    assert table.attributes[3].too_many
