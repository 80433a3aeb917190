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
from datasources.clickhouse.values import Bind

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
_MAP = "Map(String, String)"
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
    loose_ids: bool = False
    """Ids may be in upper case, or without the zeros they begin with."""
    member: str = "IN"
    """GLOBAL IN where the table is Distributed."""
    findings: tuple[str, ...] = ()

    def is_id(self, column: str, identifier: str, bind: Bind) -> str:
        """Returns the condition that the column holds `identifier`, which is in full and in lower case."""
        if not self.loose_ids:
            return f"{column} = {bind(identifier, 'String')}"
        bare = identifier.lstrip("0")
        found = (identifier, bare.rjust(16, "0"), bare)  # traces of Jaeger and Zipkin may have half an id
        spelled = sorted({*found, *(one.upper() for one in found)})
        return f"{column} IN {bind(spelled, 'Array(String)')}"

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
    known = _whole_rows(known)
    start, timestamp = _moment(known["timestamp"], types)
    return Layout(
        source,
        timestamp,
        start,
        _duration(known, columns.unit, types, start),
        {field: _text(known.get(field), types) for field in _TEXTS},
        {field: _attributes(field, known, types) for field in _ATTRIBUTES},
        _arrays(known, types, start),
        findings=tuple(_findings(known, columns)),
    )


def _whole_rows(known: Mapping[str, str]) -> dict[str, str]:
    """Returns the columns without those of links where they do not say what is linked to."""
    whole = {"link_trace_ids", "link_span_ids"} <= known.keys()
    return {field: column for field, column in known.items() if whole or not field.startswith("link_")}


def _moment(column: str, types: Mapping[str, str]) -> tuple[str, str]:
    """Returns nanoseconds and the column as it compares with a DateTime64."""
    if "DateTime64" in types[column]:
        return f"toUnixTimestamp64Nano({quoted(column)})", quoted(column)
    if "DateTime" in types[column]:
        return f"toInt64(toUnixTimestamp({quoted(column)})) * 1000000000", quoted(column)
    raise NotUnderstood(wrong_type(column, types, "DateTime64"))


def _duration(known: Mapping[str, str], unit: int, types: Mapping[str, str], start: str) -> str:
    """Returns nanoseconds, never below zero; zero where the table does not say."""
    if "duration" in known:
        kind, column = types[known["duration"]], quoted(known["duration"])
        is_whole = unit == 1 and kind.endswith(("Int64", "Int64)"))
        took = f"toInt64({column})" if is_whole else f"toInt64({column} * {unit})"
        took = f"ifNull({took}, 0)" if "Nullable" in kind else took
        return took if kind.startswith("UInt") else f"greatest(0, {took})"
    if "end" in known:
        return f"greatest(0, ifNull({_moment(known['end'], types)[0]}, {start}) - {start})"
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


def _attributes(field: str, known: Mapping[str, str], types: Mapping[str, str]) -> tuple[str, Kept]:
    in_rows = field in ("event_attributes", "link_attributes")
    column = known.get(field)
    if column is None:
        value = f"CAST(map(), '{_MAP}')"
        return (_for_each_row(field[: field.index("_")], known, value, _MAP) if in_rows else value), Kept.NOT
    kind = types[column]
    inner = kind.removeprefix("Array(").removesuffix(")") if in_rows else kind
    if inner.startswith("JSON"):
        return quoted(column), Kept.JSON
    if not inner.startswith("Map("):
        raise NotUnderstood(wrong_type(column, types, "Map or JSON"))
    value = inner.partition(", ")[2].removesuffix(")")
    if value in ("String", "LowCardinality(String)"):
        return quoted(column), Kept.MAP
    if not in_rows:
        return _texts(quoted(column)), Kept.MAP
    if not value.rstrip(")").endswith("String"):
        raise NotUnderstood(wrong_type(column, types, "Array(Map(String, String))"))
    return f"arrayMap(held -> {_texts('held')}, {quoted(column)})", Kept.MAP


def _texts(column: str) -> str:
    """Returns a Map of what has a value, as text."""
    there = f"mapFilter((k, v) -> v IS NOT NULL, {column})"
    return f"mapApply((k, v) -> (toString(k), assumeNotNull(toString(v))), {there})"


def _arrays(known: Mapping[str, str], types: Mapping[str, str], start: str) -> dict[str, str]:
    """Returns what is kept of events and links, as arrays of equal length; an event without a time is at the start."""
    texts = ("event_names", "link_trace_ids", "link_span_ids", "link_trace_states")
    times = known.get("event_times")
    return {
        "event_times": _times(times, types) if times else _for_each_row("event", known, start, "Int64"),
        **{
            field: quoted(known[field]) if field in known else _for_each_row(field[: field.index("_")], known, "''")
            for field in texts
        },
    }


def _for_each_row(what: str, known: Mapping[str, str], value: str, kind: str = "String") -> str:
    """Returns an array with `value` for each event (or link) that some column of the table tells of."""
    column = next((column for field, column in known.items() if field.startswith(f"{what}_")), None)
    if column is None:
        return f"CAST([], 'Array({kind})')"
    return f"arrayMap(one -> {value}, {quoted(column)})"


def _times(column: str, types: Mapping[str, str]) -> str:
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
