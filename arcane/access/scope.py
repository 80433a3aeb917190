"""What of the traces somebody may see: values, without the tables that hold them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Only traces with this attribute value belong to the project; it is ANDed into every query (R5)."""

    attribute_name: str
    attribute_value: str


@dataclass(frozen=True, slots=True)
class ProjectScope:
    """ANDed into every query (R5), and taken out of every answer."""

    trace_filter: TraceFilter | None
    hidden_attributes: frozenset[str]
