"""Metrics that ClickHouse works out as Arcane would: counts, sums, extremes, averages, histograms of durations. Pure.

Labels are grouped by as they are stored and typed afterwards, so that `1e3` and `1000` become one series here.
Histograms are of whole numbers only: the power of two below a number is exact for those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from arcane.spi import (
    NOT_POSITIVE,
    Field,
    Fields,
    LabelValue,
    Measure,
    MetricsRequest,
    MetricsRule,
    Scope,
    SpanKind,
    States,
    StatusCode,
    label_of,
    merge_states,
)
from datasources.clickhouse.compile import SERVICE, Binds, Compiler, spellings
from datasources.clickhouse.decode import Columns
from datasources.clickhouse.spelling import Names, typed
from datasources.clickhouse.statements import Asking, Statement
from datasources.clickhouse.values import Kinds, Typed

_ATTRIBUTES = frozenset({Scope.SPAN, Scope.RESOURCE, Scope.NONE})
_TEXTS = {
    "name": "name",
    "statusMessage": "status_message",
    "instrumentation:name": "scope_name",
    "instrumentation:version": "scope_version",
    "status": "status",
    "kind": "kind",
}
_BY = (Fields(_ATTRIBUTES), Fields(frozenset({Scope.INTRINSIC}), frozenset(_TEXTS)))
_DURATION = Fields(frozenset({Scope.INTRINSIC}), frozenset({"duration"}))
MEASURES = (
    MetricsRule(frozenset(Measure), (_DURATION,), _BY),
    MetricsRule(frozenset(Measure) - {Measure.COUNT, Measure.HISTOGRAM}, (Fields(_ATTRIBUTES),), _BY),
)
"""What is answered, where the filter is exact."""

_WORDS: dict[str, dict[str, str]] = {
    "status": {spelling: one.word for one in StatusCode for spelling in spellings(one)},
    "kind": {spelling: one.word for one in SpanKind for spelling in spellings(one)},
}
_STATES = {
    Measure.COUNT: "count()",
    Measure.SUM: "sum(a_value)",
    Measure.MIN: "min(a_value)",
    Measure.MAX: "max(a_value)",
    Measure.AVG: "(sum(a_value), count())",
    Measure.HISTOGRAM: "sumMap([a_exponent], [toUInt64(1)])",
}
_EXPONENT = "if(a_value <= 1, 0, toInt32(round(log2(roundToExp2(a_value - 1)))) + 1)"
"""Of a whole number: of the smallest power of two that is not below it."""


def measure(asking: Asking, request: MetricsRequest, rows_max: int) -> Statement:
    """Gives a row for each point: the stored labels, the number of the bucket, the state."""
    layout, bind, steps = asking.layout, Binds(), request.steps
    within = steps.within
    window = asking.between(within.start, within.end, bind)
    around = asking.between(within.start - asking.longest_ns, within.end + asking.longest_ns, bind)
    compiler = Compiler(layout, asking.names, bind, around)
    conditions = [window, compiler.condition(request.filter.condition)]
    columns = [f"{_label(compiler, one)} AS a_label_{number}" for number, one in enumerate(request.by)]
    first, width = bind(steps.first, "Int64"), bind(steps.width, "Int64")
    columns.append(f"intDiv({layout.start} - {first} + {width} - 1, {width}) AS a_index")
    if request.of is not None:
        columns.append(f"{_measured(compiler, request.of)} AS a_value")
        if request.measure is Measure.HISTOGRAM:
            columns.append(f"{_EXPONENT} AS a_exponent")
        conditions.append("a_value IS NOT NULL")
    groups = ", ".join([*(f"a_label_{number}" for number in range(len(request.by))), "a_index"])
    rows = min(rows_max, (request.series_max + 1) * steps.count)
    sql = (
        f"SELECT {groups}, {_STATES[request.measure]} FROM"
        f" (SELECT {', '.join(columns)} FROM {layout.source} WHERE {' AND '.join(conditions)})"
        f" GROUP BY {groups} ORDER BY {groups} LIMIT {bind(rows, 'UInt64')}"
    )
    return Statement(sql, bind.values, rows)


def states_of(columns: Columns, statement: Statement, request: MetricsRequest, asking: Asking) -> States:
    """Returns the states; series beyond the bound are left out, and that is said."""
    found = States(request.measure)
    rows = list(zip(*columns, strict=True))
    for *labels, index, state in rows:
        named = tuple(_read(asking, one, stored) for one, stored in zip(request.by, labels, strict=True))
        point = States(request.measure, {named: {index: _state(request.measure, state)}})
        merge_states(found, point, request.series_max)
    if len(rows) == statement.rows and found.series:
        found.series.popitem()  # the last one may lack points
        found.left_out = True
    return found


def _state(measure: Measure, state: Any) -> Any:
    if measure is Measure.HISTOGRAM:
        return {NOT_POSITIVE if exponent < 0 else exponent: count for exponent, count in zip(*state, strict=True)}
    return tuple(state) if measure is Measure.AVG else state


def _measured(compiler: Compiler, of: Field) -> str:
    """Returns the number that is measured, NULL where there is none."""
    if of.scope is Scope.INTRINSIC:
        return compiler.layout.duration
    values = _values(compiler, of)
    numbers = [f"if(isFinite(ifNull({value.as_number()}, nan)), {value.as_number()}, NULL)" for value in values]
    return numbers[0] if len(numbers) == 1 else f"if({values[0].present}, {numbers[0]}, {numbers[1]})"


def _label(compiler: Compiler, by: Field) -> str:
    """Returns the label behind a letter, empty where there is no value.

    `s` is before a text that may spell something else, `f` before a float in JSON, `v` before any other value.
    """
    if by.scope is Scope.INTRINSIC:
        return f"concat('v', toString({compiler.layout.texts[_TEXTS[by.name]]}))"
    label = "''"
    for value in reversed(_values(compiler, by)):
        if isinstance(value, Typed):
            text = f"concat(if({value.is_float()}, 'f', 'v'), {value.json()})"
        else:
            text = f"concat('s', {value.text})"
        label = f"if({value.present}, {text}, {label})"
    return label


def _values(compiler: Compiler, field: Field) -> Sequence[Kinds]:
    """Returns where the attribute is looked for, the first place first."""
    if field.scope is Scope.RESOURCE:
        return (compiler.resource(field.name),)
    span = compiler.attribute("span_attributes", field.name)
    return (span,) if field.scope is Scope.SPAN else (span, compiler.resource(field.name))


def _read(asking: Asking, by: Field, stored: str) -> LabelValue:
    if not stored:
        return None
    text = stored[1:]
    if by.scope is Scope.INTRINSIC:
        words = _WORDS.get(by.name)
        return label_of(words.get(text, next(iter(words.values()))) if words else text)
    if stored[0] == "s":
        return label_of(_spelled(asking.names, by, text))
    value = msgspec.json.decode(text)
    return label_of(float(value) if stored[0] == "f" else value)


def _spelled(names: Names, by: Field, text: str) -> Any:
    is_text = names.is_text(by.name) or (by.name == SERVICE and by.scope is not Scope.SPAN)
    return text if is_text else typed(text)
