"""How a running Tempo answers a metrics query: written on its own, from what was recorded.

Finished numbers in Tempo's shapes: zeros have no value, counts are there for every bucket, the other
functions for those that have one; a missing label is the text `nil`; histograms leave out what is below two.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from arcane.model.span import Span, SpanKind, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.ast import Field, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import Metrics, MetricsKind, Pipeline
from arcane.traceql.format import format_field
from arcane.traceql.parse import parse
from tests.support.tempo_semantics import matches

Key = tuple[Any, ...]
_LONGEST_S = 24 * 3_600


class Refused(Exception):
    """The query or the range is not one that Tempo takes."""


def metrics(traces: Sequence[Trace], params: Mapping[str, str], *, instant: bool) -> dict[str, Any]:
    """Returns the JSON of Tempo's answer; raises Refused."""
    function, spans = _read(params["q"], traces)
    start, end = _nanos(params["start"]), _nanos(params["end"])
    if end <= start:
        raise Refused("end must be greater than start")
    if end - start > _LONGEST_S * 10**9:
        raise Refused("metrics query time range exceeds the maximum allowed duration of 24h0m0s")
    if instant:
        first, width, count = end, end - start, 1
    else:
        width = _width(params["step"])
        first = start // width * width
        count = (-(-end // width) * width - first) // width + 1
    found: dict[Key, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for span in spans:
        index = -((first - span.start) // width)
        if 0 <= index < count:
            for value, extra in _values(function, span):
                found[(*(_label(_value(field, span)) for field in function.by), *extra)][index].append(value)
    names = [format_field(field) for field in function.by]
    if function.kind is MetricsKind.HISTOGRAM:
        names.append("__bucket")
    if not names and function.kind is MetricsKind.COUNT:
        found = found or {(): defaultdict(list)}  # type: ignore[assignment]
    series = [
        _series(names, key, points, function, (first, width, count), instant=instant) for key, points in found.items()
    ]
    return {"series": series, "metrics": {}} if series or not instant else {"metrics": {}}


def _read(text: str, traces: Sequence[Trace]) -> tuple[Metrics, list[Span]]:
    body = parse(text).body
    if not isinstance(body, Pipeline) or not isinstance(body.stages[-1], Metrics):
        raise Refused("not a metrics query")
    spanset, function = body.stages
    if not isinstance(spanset, SpansetFilter) or not isinstance(function, Metrics):
        raise Refused("the stand-in knows one filter and one function")
    return function, [span for trace in traces for span in matches(spanset.condition, trace)]


def _values(function: Metrics, span: Span) -> Iterator[tuple[float, Key]]:
    if not isinstance(function.of, Field):
        yield 1.0, ()
        return
    value = _value(function.of, span)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    is_duration = function.of.name == "duration" and function.of.scope is Scope.INTRINSIC
    if function.kind is not MetricsKind.HISTOGRAM:
        yield value / 1e9 if is_duration else float(value), ()
    elif value >= 2 and isinstance(value, int):
        top = 2.0 ** math.ceil(math.log2(value))
        yield 1.0, (("doubleValue", top / 1e9 if is_duration else top),)


def _value(field: Field, span: Span) -> Any:
    match field.scope:
        case Scope.SPAN:
            return span.attributes.get(field.name)
        case Scope.RESOURCE:
            return span.resource.attributes.get(field.name)
    return {"name": span.name, "kind": span.kind, "status": span.status, "duration": span.duration}[field.name]


def _label(value: Any) -> tuple[str, Any]:
    if isinstance(value, SpanKind | StatusCode):
        return "stringValue", value.word
    for kind, name in ((bool, "boolValue"), (str, "stringValue"), (int, "intValue"), (float, "doubleValue")):
        if isinstance(value, kind):
            return name, str(value) if kind is int else value
    return "stringValue", "nil"


_REDUCE: dict[MetricsKind, Callable[[list[float]], float]] = {
    MetricsKind.COUNT: sum,
    MetricsKind.HISTOGRAM: sum,
    MetricsKind.SUM: sum,
    MetricsKind.MIN: min,
    MetricsKind.MAX: max,
}


def _series(
    names: Sequence[str],
    key: Key,
    points: Mapping[int, list[float]],
    function: Metrics,
    steps: tuple[int, int, int],
    *,
    instant: bool,
) -> dict[str, Any]:
    first, width, count = steps
    labels = [{"key": name, "value": {kind: value}} for name, (kind, value) in zip(names, key, strict=True)]
    labels = labels or [{"key": "__name__", "value": {"stringValue": function.kind.value}}]
    zeros = function.kind in (MetricsKind.COUNT, MetricsKind.HISTOGRAM)
    samples = [
        {"timestampMs": str((first + index * width) // 10**6), **_number(_REDUCE[function.kind](points[index]))}
        if index in points
        else {"timestampMs": str((first + index * width) // 10**6)}
        for index in range(count)
        if zeros or index in points
    ]
    if not instant:
        return {"labels": labels, "samples": samples}
    return {"labels": labels, **{name: value for name, value in samples[0].items() if name == "value"}}


def _number(value: float) -> dict[str, float]:
    return {"value": value} if value else {}


def _nanos(text: str) -> int:
    return int(text) * (10**9 if len(text) <= 10 else 1)


def _width(text: str) -> int:
    return int(text[:-2]) * 10**6 if text.endswith("ms") else int(text[:-1]) * 10**9
