"""What a person fills in: where the server is, which tables hold the spans, and how much one query may take."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from arcane.spi import HttpConnection, connection_headers
from datasources.clickhouse.columns import COLUMNS, UNITS, ColumnMap

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_NAME = re.compile(r"[^\s,]+")

TEXTS = (
    "*.id, *_id, id, *.name, *.version, *.key, *.hash, *.content, *.text, gen_ai.prompt, gen_ai.completion, ai.prompt, "
    "*.input, *.output, *.messages, *.arguments, *.result, input.value, output.value"
)


class ClickHouseSettings(HttpConnection):
    """Where a ClickHouse is, which tables hold the spans, and what a query may take."""

    url: str = Field(
        title="URL",
        description="The HTTP interface: http://clickhouse:8123, or https://host:8443.",
        json_schema_extra={"format": "uri"},
    )
    database: str = Field(default="default", title="Database", max_length=200)
    layout: Literal["opentelemetry", "langfuse", "columns"] = Field(
        default="opentelemetry",
        title="Tables",
        description="Whose tables these are. Attribute columns may be of type Map or JSON: what is there is found out.",
        json_schema_extra={
            "labels": {
                "opentelemetry": "OpenTelemetry exporter",
                "langfuse": "Langfuse (traces, observations)",
                "columns": "Others: name the columns",
            }
        },
    )
    table: str = Field(
        default="otel_traces",
        title="Table",
        description="The table of spans; a Distributed one on a cluster.",
        max_length=200,
        json_schema_extra={"when": {"layout": ["opentelemetry", "columns"]}},
    )
    columns: str = Field(
        default="",
        title="Columns",
        description="One a line, `field = column`. Fields: " + ", ".join(COLUMNS) + ".",
        max_length=10_000,
        json_schema_extra={"multiline": True, "when": {"layout": ["columns"]}},
    )
    duration_unit: Literal["ns", "us", "ms", "s"] = Field(
        default="ns",
        title="Unit of the duration",
        json_schema_extra={
            "labels": {"ns": "Nanoseconds", "us": "Microseconds", "ms": "Milliseconds", "s": "Seconds"},
            "when": {"layout": ["columns"]},
        },
    )
    project: str = Field(
        default="",
        title="Langfuse project id",
        description="Reads this project only. Empty: all of them.",
        max_length=200,
        json_schema_extra={"when": {"layout": ["langfuse"]}},
    )
    texts: str = Field(
        default=TEXTS,
        title="Attributes that are texts",
        description="A Map column does not keep types: what spells a number is read as one, except under these names. "
        "With commas, * for anything.",
        max_length=10_000,
    )
    longest_trace_minutes: int = Field(
        default=60,
        ge=1,
        le=7 * 24 * 60,
        title="Longest trace (minutes)",
        description="How far around the window spans are looked for, to know when a trace began and ended.",
    )
    max_spans: int = Field(
        default=100_000, ge=1_000, le=5_000_000, title="Most spans of a trace", description="Longer traces are cut."
    )
    max_memory_mb: int = Field(
        default=4_096, ge=16, le=1_048_576, title="Memory a query (MB)", description="Sent as max_memory_usage."
    )
    max_seconds: int = Field(
        default=20,
        ge=1,
        le=600,
        title="Seconds a query",
        description="Sent as max_execution_time, where the request's deadline is not nearer.",
    )
    completion_rows: int = Field(
        default=200_000,
        ge=1_000,
        le=100_000_000,
        title="Rows for completion",
        description="Most spans read to offer attribute names and values.",
    )
    scan_spans: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        title="Spans with one search",
        description=(
            "Most spans that come with the traces of one search, where it is evaluated on whole traces. "
            "Other traces are read one by one."
        ),
    )
    metrics_rows: int = Field(
        default=500_000,
        ge=1_000,
        le=10_000_000,
        title="Rows of a metrics answer",
        description=(
            "Most points of all series that one metrics query may give; "
            "beyond it series are left out, and the answer says so."
        ),
    )

    @field_validator("database", "table")
    @classmethod
    def _is_an_identifier(cls, name: str) -> str:
        if not _IDENTIFIER.fullmatch(name):
            raise ValueError("a name has letters, digits and underscores")
        return name

    @field_validator("project")
    @classmethod
    def _is_printable(cls, project: str) -> str:
        if not project.isprintable():
            raise ValueError("a project id has no control characters")
        return project

    @model_validator(mode="after")
    def _names_its_columns(self) -> ClickHouseSettings:
        if self.layout == "columns":
            column_map(self)
        return self


def column_map(settings: ClickHouseSettings) -> ColumnMap:
    """Returns the columns a person named; raises ValueError naming the line."""
    return ColumnMap.parse(settings.columns, UNITS[settings.duration_unit])


def text_names(settings: ClickHouseSettings) -> tuple[str, ...]:
    """Returns the patterns of names whose values are texts whatever they spell."""
    return tuple(_NAME.findall(settings.texts))


def headers_of(settings: ClickHouseSettings) -> dict[str, str]:
    """Returns what every request carries."""
    return connection_headers(settings)
