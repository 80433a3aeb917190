"""The JSON shapes of Tempo's API. Zero and empty members are left out by Tempo, so nearly all have defaults."""

from __future__ import annotations

import msgspec

from arcane.spi.otlp_wire import AnyValue, KeyValue


class Span(msgspec.Struct, rename="camel", gc=False):
    """A matched span."""

    span_id: str = msgspec.field(name="spanID")
    start_time_unix_nano: int = 0
    duration_nanos: int = 0
    name: str | None = None
    attributes: msgspec.Raw = msgspec.Raw()  # Attributes: the spans of a page repeat most of theirs


Attributes = list[KeyValue]


class SpanSet(msgspec.Struct, gc=False):
    """The spans of a trace that matched; `matched` counts also those that were cut."""

    spans: list[Span] = []
    matched: int = 0


class Stats(msgspec.Struct, rename="camel", gc=False):
    """A service in a trace."""

    span_count: int = 0
    error_count: int = 0


class Trace(msgspec.Struct, rename="camel", gc=False):
    """A trace that matched."""

    trace_id: str = msgspec.field(name="traceID")
    root_service_name: str = ""
    root_trace_name: str = ""
    start_time_unix_nano: int = 0
    duration_ms: int = 0
    span_set: msgspec.Raw = msgspec.Raw()  # the first of `span_sets` once more; alone in old versions
    span_sets: list[SpanSet] = []
    service_stats: dict[str, Stats] = {}


class Metrics(msgspec.Struct, rename="camel", gc=False):
    """How much of its store Tempo has read."""

    completed_jobs: int = 0
    total_jobs: int = 0


class Search(msgspec.Struct, gc=False):
    """Answer of /api/search."""

    traces: list[Trace] = []
    metrics: Metrics = msgspec.field(default_factory=Metrics)
    status: str = ""


class Scope(msgspec.Struct, gc=False):
    """Attribute names of one scope."""

    name: str
    tags: list[str] = []


class Tags(msgspec.Struct, gc=False):
    """Answer of /api/v2/search/tags."""

    scopes: list[Scope] = []


class TagsV1(msgspec.Struct, rename="camel", gc=False):
    """Answer of /api/search/tags."""

    tag_names: list[str] = []


class Value(msgspec.Struct, gc=False):
    """A typed value."""

    type: str
    value: str = ""


class Values(msgspec.Struct, rename="camel", gc=False):
    """Answer of /api/v2/search/tag/{name}/values."""

    tag_values: list[Value] = []


class ValuesV1(msgspec.Struct, rename="camel", gc=False):
    """Answer of /api/search/tag/{name}/values."""

    tag_values: list[str] = []


class Build(msgspec.Struct, gc=False):
    """Answer of /api/status/buildinfo."""

    version: str = ""


class Label(msgspec.Struct, gc=False):
    """One label of a series."""

    key: str
    value: AnyValue = AnyValue()


class Sample(msgspec.Struct, rename={"timestamp_ms": "timestampMs"}, gc=False):
    """One point of a series."""

    timestamp_ms: int = 0
    value: float = 0.0


class SeriesExemplar(msgspec.Struct, rename={"timestamp_ms": "timestampMs"}, gc=False):
    """A span that stands for others."""

    labels: list[Label] = []
    value: float = 0.0
    timestamp_ms: int = 0


class OneSeries(msgspec.Struct, gc=False):
    """One series: samples of a range, or the value of an instant."""

    labels: list[Label] = []
    samples: list[Sample] = []
    value: float = 0.0
    exemplars: list[SeriesExemplar] = []


class MetricsSeries(msgspec.Struct, gc=False):
    """Answer of /api/metrics/query_range and /api/metrics/query."""

    series: list[OneSeries] = []
    status: str = ""
