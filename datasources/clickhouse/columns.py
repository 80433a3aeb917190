"""The columns a layout has, and those that a person names for a table of their own. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "timestamp": "Timestamp",
        "trace_id": "TraceId",
        "span_id": "SpanId",
        "parent_span_id": "ParentSpanId",
        "trace_state": "TraceState",
        "name": "SpanName",
        "kind": "SpanKind",
        "service": "ServiceName",
        "resource_attributes": "ResourceAttributes",
        "scope_name": "ScopeName",
        "scope_version": "ScopeVersion",
        "span_attributes": "SpanAttributes",
        "duration": "Duration",
        "end": "End",
        "status": "StatusCode",
        "status_message": "StatusMessage",
        "event_times": "Events.Timestamp",
        "event_names": "Events.Name",
        "event_attributes": "Events.Attributes",
        "link_trace_ids": "Links.TraceId",
        "link_span_ids": "Links.SpanId",
        "link_trace_states": "Links.TraceState",
        "link_attributes": "Links.Attributes",
    }
)
"""Field -> what the OpenTelemetry exporter calls its column (it has no `end`)."""
REQUIRED = ("timestamp", "trace_id", "span_id", "name")
UNITS: Mapping[str, int] = MappingProxyType({"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000})

_LINE = re.compile(r"([a-z_]+)\s*=\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Field -> column, and how many nanoseconds the duration's unit has."""

    columns: Mapping[str, str]
    unit: int = 1

    @classmethod
    def parse(cls, text: str, unit: int) -> ColumnMap:
        """Returns what `field = column` lines say; raises ValueError naming the line, never its content."""
        found: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None or match[1] not in COLUMNS or match[1] in found:
                raise ValueError(f"line {number} is not `field = column` with a field that is known and not named yet")
            found[match[1]] = match[2]
        missing = [field for field in REQUIRED if field not in found]
        if missing:
            raise ValueError(f"columns are missing for {', '.join(missing)}")
        return cls(MappingProxyType(found), unit)


EXPORTER = ColumnMap(MappingProxyType({field: column for field, column in COLUMNS.items() if field != "end"}))
"""The OpenTelemetry exporter's own."""

_MAP = "Map(LowCardinality(String), String)"
EXPORTED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(EXPORTER.columns.values(), "String"),
        **dict.fromkeys(("ResourceAttributes", "SpanAttributes"), _MAP),
        **dict.fromkeys(("Events.Attributes", "Links.Attributes"), f"Array({_MAP})"),
        "Timestamp": "DateTime64(9)",
        "Duration": "UInt64",
        "Events.Timestamp": "Array(DateTime64(9))",
    }
)
"""What types its columns have."""


def quoted(identifier: str) -> str:
    """Returns a name of a column or table, quoted; raises ValueError for one that is not plain."""
    if not _PLAIN.fullmatch(identifier):
        raise ValueError("a name has letters, digits and underscores")
    return f"`{identifier}`"


def quoted_table(database: str, table: str) -> str:
    """Returns `database`.`table`; a table that names its database itself stays there."""
    own, dot, rest = table.partition(".")
    if "." in rest or "." in database:
        raise ValueError("a name has letters, digits and underscores")
    return f"{quoted(own)}.{quoted(rest)}" if dot else f"{quoted(database)}.{quoted(table)}"
