"""How spans lie in a table, as SQL: one expression a field. Made from what the server says its columns are. Pure.

Everything else speaks of a span in these expressions, so a table with other names, a JSON column in place
of a Map, or the union of Langfuse's two tables changes nothing but this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from arcane.spi import Notice
from datasources.clickhouse.columns import ColumnMap, quoted

NO_PARENT = "0000000000000000"
_TEXTS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "trace_state",
    "name",
    "kind",
    "service",
    "scope_name",
    "scope_version",
    "status",
    "status_message",
)
_ATTRIBUTES = ("span_attributes", "resource_attributes", "event_attributes", "link_attributes")


class Kept(StrEnum):
    """How a column keeps attributes."""

    MAP = "map"  # name -> text: the type of a value is gone
    JSON = "json"  # name -> value with its type
    NOT = "not"  # there is no such column


class NotUnderstood(ValueError):
    """The table is not one that spans can be read from; `why` says what is missing."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field of a span stands. `source` follows FROM; the other texts are expressions over its rows."""

    source: str
    timestamp: str
    """DateTime64: what partitions and primary keys are made of."""
    start: str
    """Nanoseconds since the epoch."""
    duration: str
    """Nanoseconds."""
    texts: Mapping[str, str]
    """Fields that are strings, all of `_TEXTS`."""
    attributes: Mapping[str, tuple[str, Kept]]
    """The four places of attributes: expression and how it keeps them; arrays of that for events and links."""
    arrays: Mapping[str, str]
    """event_times (nanoseconds), event_names, link_trace_ids, link_span_ids, link_trace_states."""
    trace_times: str | None = None
    """A table with TraceId, Start and End."""
    member: str = "IN"
    """GLOBAL IN where the table is Distributed."""
    findings: tuple[str, ...] = ()

    @property
    def end(self) -> str:
        """Nanoseconds since the epoch."""
        return f"({self.start} + {self.duration})"

    @property
    def is_root(self) -> str:
        """True for a span that says it has no parent; old exporters write zeros."""
        return f"({self.texts['parent_span_id']} IN ('', '{NO_PARENT}'))"


def layout_of(source: str, columns: ColumnMap, types: Mapping[str, str]) -> Layout:
    """Returns the layout of a table whose columns have `types`; raises NotUnderstood naming what is missing."""
    known = {field: column for field, column in columns.columns.items() if column in types}
    missing = [
        columns.columns.get(field, field)
        for field in ("timestamp", "trace_id", "span_id", "name")
        if field not in known
    ]
    if missing:
        raise NotUnderstood(Notice("The table has no column %(columns)s.", columns=", ".join(missing)))
    start, timestamp = _moment(known["timestamp"], types)
    return Layout(
        source,
        timestamp,
        start,
        _duration(known, columns.unit, types, start),
        {field: _text(known.get(field), types) for field in _TEXTS},
        {field: _attributes(field, known.get(field), types) for field in _ATTRIBUTES},
        {
            "event_times": _times(known.get("event_times"), types),
            **{
                field: quoted(known[field]) if field in known else "CAST([], 'Array(String)')"
                for field in ("event_names", "link_trace_ids", "link_span_ids", "link_trace_states")
            },
        },
        findings=tuple(_findings(known, columns)),
    )


def _moment(column: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Returns nanoseconds and the column as it compares with a DateTime64."""
    if "DateTime64" in types[column]:
        return f"toUnixTimestamp64Nano({quoted(column)})", quoted(column)
    if "DateTime" in types[column]:
        return f"toInt64(toUnixTimestamp({quoted(column)})) * 1000000000", quoted(column)
    raise NotUnderstood(wrong_type(column, types, "DateTime64"))


def _duration(known: Mapping[str, str], unit: int, types: Mapping[str, str], start: str) -> str:
    if "duration" in known:
        column = quoted(known["duration"])
        if types[known["duration"]].endswith("Int64)") or types[known["duration"]] in ("UInt64", "Int64"):
            return f"toInt64({column})" if unit == 1 else f"toInt64({column} * {unit})"
        return f"toInt64({column} * {unit})"
    if "end" in known:
        return f"(ifNull({_moment(known['end'], types)[0]}, {start}) - {start})"
    return "toInt64(0)"


def _text(column: str | None, types: Mapping[str, str]) -> str:
    if column is None:
        return "''"
    kind, name = types[column], quoted(column)
    if kind in ("String", "LowCardinality(String)"):
        return name
    if kind.startswith("FixedString(") and kind not in ("FixedString(16)", "FixedString(32)"):
        return f"lower(hex({name}))" if kind == "FixedString(8)" else f"toString({name})"
    if kind == "FixedString(16)":  # a binary trace id, or a span id in hex
        return f"if(match({name}, '^[0-9a-fA-F]+$'), toString({name}), lower(hex({name})))"
    if kind == "UUID":
        return f"replaceAll(toString({name}), '-', '')"
    return f"ifNull(toString({name}), '')"


def _attributes(field: str, column: str | None, types: Mapping[str, str]) -> tuple[str, Kept]:
    in_rows = field in ("event_attributes", "link_attributes")
    if column is None:
        return ("CAST([], 'Array(Map(String, String))')" if in_rows else "CAST(map(), 'Map(String, String)')"), Kept.NOT
    kind = types[column]
    inner = kind.removeprefix("Array(") if in_rows else kind
    if inner.startswith("JSON"):
        return quoted(column), Kept.JSON
    if not inner.startswith("Map("):
        raise NotUnderstood(wrong_type(column, types, "Map or JSON"))
    if inner.rstrip(")").endswith("String"):
        return quoted(column), Kept.MAP
    if in_rows:
        raise NotUnderstood(wrong_type(column, types, "Array(Map(String, String))"))
    return f"mapApply((k, v) -> (toString(k), ifNull(toString(v), '')), {quoted(column)})", Kept.MAP


def _times(column: str | None, types: Mapping[str, str]) -> str:
    if column is None:
        return "CAST([], 'Array(Int64)')"
    if "DateTime64" not in types[column]:
        raise NotUnderstood(wrong_type(column, types, "Array(DateTime64)"))
    return f"arrayMap(t -> toUnixTimestamp64Nano(t), {quoted(column)})"


def wrong_type(column: str, types: Mapping[str, str], wanted: str) -> Notice:
    """Returns the sentence that a column is of another type than is wanted."""
    kind = types[column]
    return Notice("Column %(column)s is %(type)s; %(wanted)s is wanted.", column=column, type=kind, wanted=wanted)


def _findings(known: Mapping[str, str], columns: ColumnMap) -> list[str]:
    found: list[str] = []
    absent = [column for field, column in columns.columns.items() if field not in known]
    if absent:
        found.append(Notice("There is no column %(columns)s: what it would hold is empty.", columns=", ".join(absent)))
    if "parent_span_id" not in known:
        found.append("No column says which span is a parent: every span counts as a root.")
    if "duration" not in known and "end" not in known:
        found.append("No column says how long a span took: durations are zero.")
    return found
