"""What a real Tempo 3.0.3 answered to metrics queries over the corpus: Arcane gives the same numbers.

Pushed to a backend that measures, and evaluated here over two datasources that share the traces.
Where the answers differ, the query stands in a table here with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.series import Label, Steps, Typed
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import Adapter
from arcane.traceql.check import check
from arcane.traceql.parse import parse
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING
from datasources.tempo.adapter import TempoAdapter
from tests.support.egress import session
from tests.support.tempo_replay import VECTORS, Recorded, recordings, replaying
from tests.support.tempo_standin import traces_in

pytestmark = pytest.mark.anyio

NO_VALUE = "where no span started Tempo says that the quantile is 0; Arcane says that there is none"
DIFFERS: Mapping[str, str] = {"{ kind = server } | quantile_over_time(duration, .5, .99)": NO_VALUE}
"""Range queries whose points differ: those that Tempo has and Arcane has not are all 0."""

ASKED_AS_RECORDED = (
    "{} | count_over_time() by (resource.service.name)",
    "{ status = error } | count_over_time()",
)
"""What the adapter asks in the very words that were recorded; a rate is asked for as a count, and so on."""
RECORDED = [one for one in recordings() if one.path.startswith("/api/metrics/") and one.status == 200]
COUNTED = [one for one in RECORDED if one.params["q"] in ASKED_AS_RECORDED and one.path.endswith("_range")]
READ_ONLY = replace(EVERYTHING, metrics=())


@pytest.fixture(scope="module")
def corpus() -> Sequence[Trace]:
    return traces_in(VECTORS / "corpus.otlp.jsonl")


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one.path[13:]}-{one.params['q']}")
async def test_a_backend_that_measures_gives_the_recorded_answer(one: Recorded, corpus: Sequence[Trace]) -> None:
    await _assert_recorded(one, [MemoryAdapter(corpus, EVERYTHING)])


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one.path[13:]}-{one.params['q']}")
async def test_two_backends_that_only_list_give_the_recorded_answer(one: Recorded, corpus: Sequence[Trace]) -> None:
    """Every third trace is in both, every seventh one is split: its spans lie here and there."""
    first, second = [], []
    for number, trace in enumerate(corpus):
        if number % 7 == 0:
            first.append(Trace(trace.trace_id, trace.spans[::2]))
            second.append(Trace(trace.trace_id, trace.spans[1::2]))
            continue
        if number % 3 == 0 or number % 2:
            first.append(trace)
        if number % 3 == 0 or number % 2 == 0:
            second.append(trace)
    await _assert_recorded(one, [MemoryAdapter(first, READ_ONLY), MemoryAdapter(second, READ_ONLY)])


async def _assert_recorded(one: Recorded, adapters: Sequence[Adapter]) -> None:
    steps = steps_of(one)
    found = await _measure(one.params["q"], steps, adapters)
    assert [source.status for source in found.outcome.sources] == [SourceStatus.OK] * len(adapters)
    wanted = {_labels(series): _points(series, steps) for series in one.json["series"]}
    ours = {tuple(sorted(map(_label, series.labels))): series.points for series in found.series}
    assert ours.keys() == wanted.keys()
    for labels, points in wanted.items():
        if one.params["q"] in DIFFERS:
            points = {index: value for index, value in points.items() if value or index in ours[labels]}
        assert ours[labels] == pytest.approx(points, rel=1e-9), labels


@pytest.mark.parametrize("one", COUNTED, ids=lambda one: one.params["q"])
async def test_the_tempo_adapter_makes_states_of_the_recorded_answer(one: Recorded, corpus: Sequence[Trace]) -> None:
    async with replaying() as tempo, session(tempo.url) as http:
        await _assert_recorded(one, [TempoAdapter(http, max_range_hours=168)])
        assert not tempo.unknown


def test_the_differences_are_real() -> None:
    asked = {one.params["q"] for one in RECORDED}
    assert DIFFERS.keys() <= asked
    for query in DIFFERS:
        (ranged,) = (one for one in RECORDED if one.params["q"] == query and one.path.endswith("query_range"))
        assert any(not point.get("value") for series in ranged.json["series"] for point in series["samples"])


async def _measure(text: str, steps: Steps, adapters: Sequence[Adapter]) -> MetricsFound:
    query = parse(text)
    check(query)
    sources = [Source(f"s{number}", f"s{number}", "memory", adapter) for number, adapter in enumerate(adapters)]
    return await measure(Engine(LimitSettings()), MetricsQuestion(query, steps), sources, Deadline.after(30))


def steps_of(one: Recorded) -> Steps:
    """Returns the buckets of a recorded request: aligned for a range, one bucket for an instant."""
    start, end = (int(one.params[name]) * NANOS_PER_SECOND for name in ("start", "end"))
    if one.path.endswith("/query"):
        return Steps(end, end - start, 1)
    width = int(one.params["step"].rstrip("s")) * NANOS_PER_SECOND
    first, last = start // width * width, -(-end // width) * width
    return Steps(first, width, (last - first) // width + 1)


def _labels(series: dict[str, Any]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted((label["key"], _value(label["value"])) for label in series["labels"]))


def _value(value: dict[str, Any]) -> object:
    ((kind, one),) = value.items()
    if kind == "stringValue":
        return None if one == "nil" else one
    return float(one)


def _label(label: Label) -> tuple[str, object]:
    return label.name, float(label.value.value) if isinstance(label.value, Typed) else label.value


def _points(series: dict[str, Any], steps: Steps) -> dict[int, float]:
    if "samples" not in series:
        return {0: float(series.get("value", 0))}
    found = {}
    for sample in series["samples"]:
        index = steps.index_of(int(sample["timestampMs"]) * NANOS_PER_MILLISECOND)
        assert index is not None
        found[index] = float(sample.get("value", 0))
    return found
