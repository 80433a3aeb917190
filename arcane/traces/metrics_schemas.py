"""What the metrics endpoint takes and answers, as the OpenAPI document shows it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from arcane.federation.metrics_plan import Hindrance
from arcane.model.time import NANOS_PER_MILLISECOND
from arcane.traceql.literals import parse_duration
from arcane.traceql.metrics_query import Unit
from arcane.traces import schemas as s
from arcane.traces.times import EXAMPLE_TIME

_QUERY = "{ status = error } | rate() by (resource.service.name)"
_STEP = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|[smhdwy])){1,8}")
_EXAMPLE: dict[str, Any] = {
    "canonical": _QUERY,
    "unit": "per_second",
    "steps": {"first": "2026-08-01T11:30:00.000000000Z", "width_ns": 1_800_000_000_000, "count": 3},
    "series": [
        {
            "labels": [{"name": "resource.service.name", "type": "string", "value": "checkout"}],
            "values": [0.0, 0.25, 0.5],
            "exemplars": [],
        }
    ],
    "complete": True,
    "warnings": [],
    "sources": [],
}


def step_of(value: object) -> int | None:
    """Returns a step as nanoseconds, None for none; raises ValueError with a sentence."""
    if value is None:
        return None
    nanos = parse_duration(value) if isinstance(value, str) and _STEP.fullmatch(value) else None
    if nanos is None:
        raise ValueError("a step is a duration such as 30s, 5m or 1h")
    if nanos < NANOS_PER_MILLISECOND or nanos % NANOS_PER_MILLISECOND:
        raise ValueError("a step is at least a millisecond, and whole milliseconds")
    return nanos


Step = Annotated[
    int | None,
    BeforeValidator(step_of),
    WithJsonSchema({"anyOf": [{"type": "string", "examples": ["1m"]}, {"type": "null"}]}),
    Field(description="Time from one point to the next; by default one that fits the range, for compare() all of it."),
]


class MetricsIn(s.QuestionIn):
    """A metrics query."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"query": _QUERY, "start": "2026-08-01T11:30:00Z", "end": EXAMPLE_TIME, "step": "30m"}]
        }
    )

    query: Annotated[str, Field(description="TraceQL that ends in a metrics function.", examples=[_QUERY])] = ""
    step: Step = None
    instant: Annotated[bool, Field(description="The whole range is one point, for a number or a table.")] = False
    exemplars: Annotated[
        int, Field(ge=0, description="Most exemplars; `with(exemplars=...)` in the query decides where it stands.")
    ] = 0


class StepsOut(s.Out):
    """The points: the value at `first` is about the `width_ns` before it, and so on, `count` times."""

    first: s.Timestamp
    width_ns: s.Nanoseconds
    count: int


class LabelOut(s.Out):
    """One label of a series."""

    name: Annotated[str, Field(examples=["resource.service.name"])]
    type: Literal["string", "int", "float", "bool", "duration", "nil"]
    value: Annotated[
        str | int | float | bool | None, Field(description="Durations are nanoseconds; null: the spans have none.")
    ]


class ExemplarOut(s.Out):
    """A span that stands for those of a point."""

    time: s.Timestamp
    value: Annotated[float | None, Field(description="What was measured of it; null where spans are counted.")]
    trace_id: Annotated[str, Field(examples=[s.TRACE_ID_EXAMPLE])]
    span_id: Annotated[str | None, Field(description="Null where the datasource names the trace only.")]


class SeriesOut(s.Out):
    """One line: a value for each point, null where there is none."""

    labels: list[LabelOut]
    values: list[float | None]
    exemplars: list[ExemplarOut]


class MetricsOut(s.Out):
    """Time series over all datasources."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    canonical: Annotated[str, Field(examples=[_QUERY])]
    unit: Unit
    steps: StepsOut
    series: list[SeriesOut]
    complete: Annotated[bool, Field(description="True when every datasource answered in full.")]
    warnings: Annotated[list[str], Field(description="About the answer as a whole.")]
    sources: list[s.SourceOut]


class MeasurementOut(s.Out):
    """How one datasource's spans are measured for one metrics function."""

    query: Annotated[str, Field(examples=[_QUERY])]
    hindrance: Annotated[
        Hindrance | None,
        Field(description="Why Arcane reads the spans and measures them; null: the datasource measures."),
    ]
    why: str | None
    pushed: Annotated[str | None, Field(description="The condition that spans are found by there; null: none.")]
    residual: Annotated[str | None, Field(description="The condition that is evaluated here; null: none.")]
    kept: list[s.KeptOut]
    steps: list[str]
    requests: Annotated[list[s.SentRequestOut], Field(description="What it would be sent first.")]


class MeasuringSourceOut(s.Out):
    """How one datasource would take part."""

    datasource_id: str
    name: str
    kind: str
    measurements: Annotated[
        list[MeasurementOut], Field(description="One for each metrics function; none where no span can match.")
    ]


class MetricsPlanOut(s.Out):
    """How a metrics query would be asked."""

    canonical: Annotated[str, Field(examples=[_QUERY])]
    scope: Annotated[str | None, Field(description="The project's own condition, ANDed into every query.")]
    hints: list[s.HintOut]
    steps: Annotated[list[str], Field(description="How the series are made of what was measured.")]
    sources: list[MeasuringSourceOut]
