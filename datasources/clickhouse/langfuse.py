"""Langfuse's own tables as spans: an observation is a span, a trace's row is the span above its first ones. Pure.

Its ids may be any text. Those of 32 (16) hex digits stay, UUIDs lose their dashes, all others are replaced by
their MD5; observations keep the first half of theirs. What Langfuse knows of a trace or observation
stands in the attributes that Langfuse's own OpenTelemetry export has, so that the LLM view reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arcane.spi import Notice
from datasources.clickhouse.columns import EXPORTER, quoted, quoted_table
from datasources.clickhouse.layout import Layout, NotUnderstood, layout_of
from datasources.clickhouse.settings import ClickHouseSettings

_NEEDED = {
    "observations": ("id", "trace_id", "project_id", "type", "parent_observation_id", "start_time", "end_time", "name"),
    "traces": ("id", "timestamp", "name", "project_id"),
}
_OBSERVATION = {
    "langfuse.observation.type": "type",
    "langfuse.observation.level": "level",
    "langfuse.observation.input": "input",
    "langfuse.observation.output": "output",
    "langfuse.observation.model.name": "provided_model_name",
    "langfuse.observation.model.parameters": "model_parameters",
    "langfuse.observation.usage_details": "usage_details",
    "langfuse.observation.cost_details": "cost_details",
    "langfuse.observation.prompt.name": "prompt_name",
    "langfuse.observation.prompt.version": "prompt_version",
    "langfuse.observation.completion_start_time": "completion_start_time",
    "langfuse.version": "version",
    "langfuse.environment": "environment",
}
_TRACE = {
    "langfuse.trace.name": "name",
    "langfuse.user.id": "user_id",
    "langfuse.session.id": "session_id",
    "langfuse.trace.tags": "tags",
    "langfuse.trace.input": "input",
    "langfuse.trace.output": "output",
    "langfuse.release": "release",
    "langfuse.version": "version",
    "langfuse.environment": "environment",
}
_SPAN_COLUMNS = {
    "Timestamp": "DateTime64(9)",
    "TraceId": "String",
    "SpanId": "String",
    "ParentSpanId": "String",
    "SpanName": "String",
    "SpanKind": "String",
    "ServiceName": "String",
    "ResourceAttributes": "Map(String, String)",
    "SpanAttributes": "Map(String, String)",
    "Duration": "Int64",
    "StatusCode": "String",
    "StatusMessage": "String",
}


def layout(settings: ClickHouseSettings, observations: Mapping[str, str], traces: Mapping[str, str]) -> Layout:
    """Returns the layout of the union of both tables; raises NotUnderstood naming columns that are missing."""
    for table, types in (("observations", observations), ("traces", traces)):
        missing = [column for column in _NEEDED[table] if column not in types]
        if missing:
            columns = ", ".join(missing)
            raise NotUnderstood(Notice("Table %(table)s lacks the columns %(columns)s.", table=table, columns=columns))
    source = f"({_observations(settings, observations)} UNION ALL {_traces(settings, traces)})"
    made = layout_of(source, EXPORTER, _SPAN_COLUMNS)
    return Layout(
        made.source,
        made.timestamp,
        made.start,
        made.duration,
        made.texts,
        made.attributes,
        made.arrays,
        findings=("Langfuse keeps times in milliseconds, and neither events nor links.",),
    )


def _observations(settings: ClickHouseSettings, types: Mapping[str, str]) -> str:
    parent = "ifNull(parent_observation_id, '')"
    columns = (
        "toDateTime64(start_time, 9)",
        trace_hex("trace_id"),
        span_hex("id"),
        f"if({parent} = '', {_top('trace_id')}, {span_hex(parent)})",
        "name",
        "'Internal'",
        _service(types),
        _resource(types),
        _attributes(_OBSERVATION, types, "langfuse.observation.metadata."),
        "ifNull(toUnixTimestamp64Milli(end_time) - toUnixTimestamp64Milli(start_time), 0) * 1000000",
        "if(level = 'ERROR', 'Error', 'Unset')" if "level" in types else "'Unset'",
        "ifNull(status_message, '')" if "status_message" in types else "''",
    )
    return _select(columns, settings, "observations", types)


def _traces(settings: ClickHouseSettings, types: Mapping[str, str]) -> str:
    columns = (
        "toDateTime64(timestamp, 9)",
        trace_hex("id"),
        _top("id"),
        "''",
        "name",
        "'Internal'",
        _service(types),
        _resource(types),
        _attributes(_TRACE, types, "langfuse.trace.metadata."),
        "toInt64(0)",
        "'Unset'",
        "''",
    )
    return _select(columns, settings, "traces", types)


def _select(columns: Sequence[str], settings: ClickHouseSettings, table: str, types: Mapping[str, str]) -> str:
    named = ", ".join(f"{sql} AS {quoted(name)}" for sql, name in zip(columns, _SPAN_COLUMNS, strict=True))
    conditions = ["is_deleted = 0"] if "is_deleted" in types else []
    if settings.project:
        conditions.append(f"project_id = {_text(settings.project)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {named} FROM {quoted_table(settings.database, table)} FINAL{where}"


def _text(value: str) -> str:
    """Returns a constant of the settings as hex digits: no character of it is read as SQL."""
    return f"unhex('{value.encode().hex()}')"


def _service(types: Mapping[str, str]) -> str:
    return "if(environment = '', 'langfuse', environment)" if "environment" in types else "'langfuse'"


def _resource(types: Mapping[str, str]) -> str:
    return f"map('service.name', {_service(types)}, 'langfuse.project.id', project_id)"


def _attributes(wanted: Mapping[str, str], types: Mapping[str, str], metadata: str) -> str:
    """Returns a Map of what has a value: maps and lists as JSON, metadata a name each."""
    pairs = ", ".join(
        f"'{name}', {_shown(column, types[column])}" for name, column in wanted.items() if column in types
    )
    known = f"mapFilter((k, v) -> v != '', map({pairs}))"
    if not types.get("metadata", "").startswith("Map("):
        return known
    return f"mapConcat({known}, mapApply((k, v) -> (concat('{metadata}', k), toString(v)), metadata))"


def _shown(column: str, kind: str) -> str:
    if kind.startswith(("Map(", "Array(")):
        return f"if(empty({column}), '', toJSONString({column}))"
    return f"ifNull(toString({column}), '')"


def trace_hex(column: str) -> str:
    """Returns the 32 hex digits that stand for a trace's id."""
    bare = f"lower(replaceAll({column}, '-', ''))"
    return f"if(match({bare}, '^[0-9a-f]{{32}}$'), {bare}, lower(hex(MD5({column}))))"


def span_hex(column: str) -> str:
    """Returns the 16 hex digits that stand for an observation's id."""
    return f"if(match({column}, '^[0-9a-f]{{16}}$'), {column}, lower(hex(substring(MD5({column}), 1, 8))))"


def _top(column: str) -> str:
    """Returns the 16 hex digits of the span that a trace's own row is."""
    return f"lower(hex(substring(MD5(concat('trace ', {column})), 1, 8)))"
