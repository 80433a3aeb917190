"""What Tempo is asked for a measure, and what its numbers become."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from arcane.spi import (
    NANOS_PER_SECOND,
    Deadline,
    Field,
    Measure,
    MetricsRequest,
    NumberType,
    Scope,
    Steps,
    Typed,
)
from arcane.spi.testing_corpus import BASE, corpus
from arcane.traceql.parse import parse
from datasources.tempo.adapter import TempoAdapter
from datasources.tempo.metrics import decode_states, parts_of
from tests.support.egress import session
from tests.support.tempo_standin import Fault, Tempo, serving

pytestmark = pytest.mark.anyio

DURATION = Field(Scope.INTRINSIC, "duration")
TOKENS = Field(Scope.SPAN, "tokens")
SERVICE = Field(Scope.RESOURCE, "service.name")
MINUTE = 60 * NANOS_PER_SECOND
STEPS = Steps(BASE // MINUTE * MINUTE, MINUTE, 10)
COUNT = MetricsRequest(STEPS, Measure.COUNT)


@pytest.fixture
async def tempo() -> AsyncIterator[Tempo]:
    async with serving(Tempo(corpus())) as made:
        yield made


@pytest.mark.parametrize(
    ("request_", "queries"),
    [
        (COUNT, ["{} | count_over_time()"]),
        (replace(COUNT, by=(SERVICE,)), ["{} | count_over_time() by (resource.service.name)"]),
        (replace(COUNT, measure=Measure.MAX, of=TOKENS), ["{} | max_over_time(span.tokens)"]),
        (
            replace(COUNT, measure=Measure.AVG, of=DURATION),
            ["{} | sum_over_time(duration)", "{} | count_over_time()"],
        ),
        (
            replace(COUNT, measure=Measure.HISTOGRAM, of=DURATION, by=(SERVICE,)),
            [
                "{} | histogram_over_time(duration) by (resource.service.name)",
                "{ duration < 2ns } | count_over_time() by (resource.service.name)",
            ],
        ),
        (replace(COUNT, by=(Field(Scope.SPAN, "odd name"),)), []),
    ],
)
def test_a_measure_is_asked_for_as_what_merges(request_: MetricsRequest, queries: list[str]) -> None:
    assert [part.query for part in parts_of(request_)] == queries


def test_a_filter_is_worded_as_in_a_search() -> None:
    spans = parse("{ span.tokens > 5 }").filter
    assert spans is not None
    (part,) = parts_of(replace(COUNT, filter=spans))
    assert part.query == "{ (span.tokens > 5 || span.tokens > 5.0) } | count_over_time()"


def test_labels_keep_their_types_and_nil_is_nil() -> None:
    values = [{"intValue": "5"}, {"boolValue": True}, {"stringValue": "nil"}]
    series = [
        {"labels": [{"key": "span.tokens", "value": value}], "samples": [{"timestampMs": "0", "value": 2}]}
        for value in values
    ]
    none = {"labels": [{"key": "span.tokens", "value": {"stringValue": "x"}}], "samples": [{"timestampMs": "0"}]}
    body = json.dumps({"series": [*series, none]}).encode()
    asked = replace(COUNT, steps=Steps(0, MINUTE, 1), by=(TOKENS,))
    states, missing = decode_states(body, parts_of(asked)[0], asked, asked.steps)
    assert states.series == {
        (Typed(NumberType.INT, 5),): {0: 2},
        (Typed(NumberType.BOOL, True),): {0: 2},
        (None,): {0: 2},
    }
    assert missing == []


def test_points_that_are_not_there_yet_are_told() -> None:
    body = b'{"series": [{"labels": [], "samples": [{"timestampMs": "0", "value": 2}]}], "status": "PARTIAL"}'
    asked = replace(COUNT, steps=Steps(0, MINUTE, 3))
    _, missing = decode_states(body, parts_of(asked)[0], asked, asked.steps)
    assert missing == [
        "Tempo answered a part of this metrics query only.",
        "Tempo does not count the newest spans yet.",
    ]


async def test_a_long_range_is_asked_for_in_pieces(tempo: Tempo) -> None:
    whole = replace(COUNT, steps=Steps(STEPS.first - 300 * MINUTE, MINUTE, 400), by=(SERVICE,))
    async with session(tempo.url) as http:
        pieces = await TempoAdapter(http, 168, metrics_range_hours=1).metrics(whole, Deadline.after(30))
        asked = [one for one in tempo.requests if one.path.startswith("/api/metrics")]
        at_once = await TempoAdapter(http, 168).metrics(whole, Deadline.after(30))
    assert pieces is not None
    assert at_once is not None
    assert len(asked) == 7
    assert pieces.states.series == at_once.states.series
    assert sum(sum(points.values()) for points in pieces.states.series.values()) > 100


@pytest.mark.parametrize("version", ["2.8.1", "nightly"])
async def test_a_tempo_that_may_leave_out_what_it_does_not_tell_is_not_asked(tempo: Tempo, version: str) -> None:
    tempo.version = version
    async with session(tempo.url) as http:
        assert await TempoAdapter(http, 168).metrics(COUNT, Deadline.after(30)) is None
    assert not [one for one in tempo.requests if one.path.startswith("/api/metrics")]


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_what_this_tempo_refuses_is_left_to_arcane(tempo: Tempo, status: int) -> None:
    tempo.fault, tempo.faulty_path = Fault(status, b"metrics query time range exceeds"), "/api/metrics"
    async with session(tempo.url) as http:
        assert await TempoAdapter(http, 168).metrics(COUNT, Deadline.after(30)) is None


async def test_what_is_described_is_what_is_sent(tempo: Tempo) -> None:
    long = replace(COUNT, steps=Steps(BASE // MINUTE * MINUTE, MINUTE, 180), measure=Measure.AVG, of=DURATION)
    async with session(tempo.url) as http:
        adapter = TempoAdapter(http, 168, metrics_range_hours=2)
        build, *_ = adapter.describe_metrics(long) or ()
        assert build.target == "/api/status/buildinfo", "the version decides what follows"
        await adapter.check(Deadline.after(5))
        described = adapter.describe_metrics(long)
        tempo.requests.clear()
        await adapter.metrics(long, Deadline.after(5))
        assert described is not None
        assert len(described) == 4, "a sum and a count, in two windows each"
        sent = [(one.path, tuple(one.query.items())) for one in tempo.requests]
        assert sent == [(one.target, one.parameters) for one in described]


async def test_it_is_known_what_this_tempo_does_not_measure(tempo: Tempo) -> None:
    tempo.version = "2.9.0"
    async with session(tempo.url) as http:
        adapter = TempoAdapter(http, 168)
        odd = replace(COUNT, by=(Field(Scope.SPAN, "a b"),))
        assert adapter.describe_metrics(COUNT)
        assert adapter.describe_metrics(odd) is None
        await adapter.check(Deadline.after(5))
        assert adapter.describe_metrics(COUNT) is None
