"""The JSON of the second contract, in its own names. docs/reference/datasources/custom_api.openapi.yaml says the same.

Members that the contract does not have are passed over, so that a server may say more than is asked. 64-bit
numbers are text, as in OTLP JSON, because not every language reads them as numbers; plain numbers are understood too.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from arcane.spi.otlp_wire import KeyValue, ResourceSpans

Nanos = int | str
ScopeName = Literal["", "span", "resource", "event", "link", "instrumentation", "intrinsic"]
OperatorName = Literal["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]
LiteralName = Literal["string", "int", "float", "bool", "duration", "status", "kind", "nil"]
StatusName = Literal["unset", "ok", "error"]


class Rule(msgspec.Struct, frozen=True):
    """Comparisons that the server answers; `names` null is every name. Not exact: it may find more than matches."""

    scopes: list[ScopeName]
    operators: list[OperatorName]
    literals: list[LiteralName]
    names: list[str] | None = None
    exact: bool = False


class FilterAbilities(msgspec.Struct, frozen=True):
    """What a server can filter by."""

    rules: list[Rule] = []
    or_: bool = msgspec.field(name="or", default=False)
    not_: bool = msgspec.field(name="not", default=False)


class CapabilitiesDocument(msgspec.Struct, frozen=True):
    """Answer of GET /capabilities."""

    contract: int
    name: str = ""
    version: str = ""
    order: Literal["newest_first", "first_found"] = "first_found"
    answers: Literal["traces", "summaries"] = "traces"
    max_limit: int = 1_000
    max_range_ns: Nanos | None = None
    time_resolution_ns: Nanos = 1
    concurrency: int = 8
    filter: FilterAbilities = msgspec.field(default_factory=FilterAbilities)
    attribute_names: bool = False
    attribute_values: bool = False
    began_within: bool = False


class FieldName(msgspec.Struct, frozen=True):
    """An attribute, or with the scope `intrinsic` something every span has; an attribute without a scope has ""."""

    scope: ScopeName
    name: str


class Comparison(msgspec.Struct, frozen=True):
    """`field operator value`. Whole numbers and durations (nanoseconds) are text; `nil` has no value."""

    field: FieldName
    operator: OperatorName
    type: LiteralName
    value: str | float | bool | None = None


class And(msgspec.Struct, frozen=True):
    """All of them hold, on the same span."""

    and_: list[Predicate] = msgspec.field(name="and")


class Or(msgspec.Struct, frozen=True):
    """One of them holds."""

    or_: list[Predicate] = msgspec.field(name="or")


class Not(msgspec.Struct, frozen=True):
    """It does not hold, also where an attribute is missing."""

    not_: Predicate = msgspec.field(name="not")


Predicate = And | Or | Not | Comparison


class SearchBody(msgspec.Struct, frozen=True):
    """Body of POST /search. `filter` and `traceql` say the same; null and `{}` stand for every span."""

    start: str
    end: str
    limit: int
    filter: Predicate | None
    traceql: str
    spans_per_trace: int = 3
    fields: list[FieldName] = []
    cursor: str | None = None
    began_within: bool | msgspec.UnsetType = msgspec.UNSET


class FoundSpan(msgspec.Struct, frozen=True):
    """A span that matched, with the values of the `fields` that were asked for."""

    span_id: str
    start: Nanos
    duration: Nanos
    name: str | None = None
    service: str | None = None
    status: StatusName | None = None
    attributes: list[KeyValue] = []


class ServiceCounts(msgspec.Struct, frozen=True):
    """A service of a trace."""

    span_count: int
    error_count: int = 0


class Summary(msgspec.Struct, frozen=True):
    """A trace that matched, told in few words; `matched` counts also the spans that are not listed."""

    trace_id: str
    start: Nanos
    duration: Nanos
    matched: int
    spans: list[FoundSpan] = []
    root_service: str | None = None
    root_name: str | None = None
    span_count: int | None = None
    error_count: int | None = None
    services: dict[str, ServiceCounts] = {}


class WholeTrace(msgspec.Struct, rename="camel", frozen=True):
    """A trace that matched, whole: an OTLP JSON document."""

    resource_spans: list[ResourceSpans]


class SearchAnswer(msgspec.Struct, frozen=True):
    """Answer of POST /search; `traces` are read by what the capabilities say that they are."""

    traces: list[msgspec.Raw]
    complete: bool
    cursor: str | None = None
    warnings: list[str] = []


class TraceAnswer(msgspec.Struct, rename="camel", frozen=True):
    """Answer of GET /traces/{trace_id}: an OTLP JSON document, and what is known to be missing from it."""

    resource_spans: list[ResourceSpans]
    warnings: list[str] = []


class NamesAnswer(msgspec.Struct, frozen=True):
    """Answer of GET /attributes."""

    names: list[FieldName]


class ValueCount(msgspec.Struct, frozen=True):
    """A value; `count` where the server knows how often."""

    type: Literal["string", "int", "float", "bool", "keyword", "duration"]
    value: str | int | float | bool
    count: int | None = None


class ValuesAnswer(msgspec.Struct, frozen=True):
    """Answer of GET /attributes/values."""

    values: list[ValueCount]
