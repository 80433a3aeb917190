"""What the endpoints take, and what they answer as the OpenAPI document shows it.

Long answers are encoded from the structs in `bodies`; a test keeps both equal.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, field_validator

from arcane.federation.plan import Reason
from arcane.kit.schema import Schema
from arcane.model.outcome import SourceStatus
from arcane.traces.times import EXAMPLE_TIME, Time

_QUERY = '{ resource.service.name = "checkout" && status = error }'
TRACE_ID_EXAMPLE = "0af7651916cd43dd8448eb211c80319c"
_SOURCE_ID = "0198b2c4-2f5e-7c3a-9d51-2f1b1f0a7c11"
_SOURCE: dict[str, Any] = {
    "datasource_id": _SOURCE_ID,
    "name": "Production Tempo",
    "kind": "tempo",
    "status": "ok",
    "rows": 1,
    "elapsed_ms": 38.2,
    "pushed": _QUERY,
    "residual": None,
    "warnings": [],
    "error": None,
}

QueryText = Annotated[str, Field(description="One TraceQL filter; empty means every trace.", examples=[_QUERY])]
DatasourceIds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(max_length=1_000, description="Datasources to ask; empty means all of them.", examples=[[_SOURCE_ID]]),
]
Start = Annotated[Time | None, Field(description="Begin of the time range; by default an hour before `end`.")]
End = Annotated[Time | None, Field(description="End of the time range; by default now.")]
Nanoseconds = Annotated[int, Field(description="Nanoseconds.", examples=[46_000_000])]
Timestamp = Annotated[
    str,
    Field(description="RFC 3339 with nanoseconds.", examples=[EXAMPLE_TIME], json_schema_extra={"format": "date-time"}),
]
AttributeScope = Literal["span", "resource", "event", "link", "instrumentation"]
AttributeValues = Annotated[dict[str, JsonValue], Field(examples=[{"http.request.method": "POST", "retries": 2}])]


class In(Schema):
    """What comes in: nothing but what is declared."""

    model_config = ConfigDict(extra="forbid")


class Out(Schema):
    """What goes out."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class QueryIn(In):
    """A query to check."""

    query: QueryText


class QuestionIn(In):
    """What to ask, of whom, and when."""

    query: QueryText = ""
    datasources: DatasourceIds = []
    start: Start = None
    end: End = None


class SearchIn(QuestionIn):
    """A search."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": _QUERY, "start": "2026-08-01T12:00:00Z", "end": EXAMPLE_TIME}]}
    )

    limit: Annotated[int | None, Field(ge=1, description="Most traces of the page.", examples=[50])] = None
    spans_per_trace: Annotated[int, Field(ge=1, description="Most matched spans shown of a trace.")] = 3
    cursor: Annotated[str | None, Field(max_length=65_536, description="`next` of the page before.")] = None
    on_failure: Annotated[
        Literal["partial", "abort"],
        Field(description="Whether a failing datasource costs its own rows only, or the whole search."),
    ] = "partial"


class AttributesIn(In):
    """Which names or values are wanted for completion."""

    datasource: Annotated[list[str], Field(max_length=1_000, description="Datasources to ask; none means all.")] = []
    prefix: Annotated[str, Field(max_length=256, description="What the name or value begins with.")] = ""
    scope: Annotated[AttributeScope | None, Field(description="Only names in this scope.")] = None
    limit: Annotated[int, Field(ge=1, le=1_000, description="Most names or values.")] = 100
    start: Start = None
    end: End = None


class TailIn(In):
    """What to watch."""

    query: QueryText = ""
    datasource: DatasourceIds = []
    spans_per_trace: Annotated[int, Field(ge=1, description="Most matched spans shown of a trace.")] = 3


class SourceErrorOut(Out):
    """Why a datasource failed."""

    kind: Annotated[str, Field(examples=["timed_out"])]
    message: Annotated[str, Field(examples=["No answer before the deadline."])]
    retry_after_s: float | None


class SourceOut(Out):
    """What one datasource contributed."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SOURCE]})

    datasource_id: str
    name: str
    kind: str
    status: SourceStatus
    rows: int
    elapsed_ms: float
    pushed: Annotated[str | None, Field(description="What it was asked.")]
    residual: Annotated[str | None, Field(description="What was evaluated by Arcane.")]
    warnings: list[str]
    error: SourceErrorOut | None


class ServiceStatsOut(Out):
    """The spans of a service in a trace."""

    span_count: int
    error_count: int


class MatchedSpanOut(Out):
    """A span that matched, with the attributes the query mentions."""

    span_id: str
    name: str | None
    service: str | None
    status: str | None
    start: Timestamp
    duration_ns: Nanoseconds
    attributes: AttributeValues


class MatchedSetOut(Out):
    """Spans that the query found together, and what it says of them."""

    attributes: Annotated[
        dict[str, JsonValue],
        Field(
            description="What by() and aggregates give, by their text; null is the group without a value.",
            examples=[{"by(resource.service.name)": "checkout", "count()": 4}],
        ),
    ]
    matched: Annotated[int, Field(description="All spans of the set; `spans` holds the first of them.")]
    spans: list[MatchedSpanOut]


class HitOut(Out):
    """A trace that matched. What a datasource does not tell is null."""

    trace_id: Annotated[str, Field(examples=[TRACE_ID_EXAMPLE])]
    start: Timestamp
    duration_ns: Nanoseconds
    root_service: str | None
    root_name: str | None
    span_count: int | None
    error_count: int | None
    services: dict[str, ServiceStatsOut]
    matched: Annotated[int, Field(description="All spans that matched; `spans` holds the first of them.")]
    spans: list[MatchedSpanOut]
    span_sets: Annotated[
        list[MatchedSetOut], Field(description="The first span sets of a query that groups or counts, else empty.")
    ]
    span_set_count: Annotated[int, Field(description="All its span sets.")]
    datasources: Annotated[list[str], Field(description="Where it was found.")]
    whole: Annotated[
        bool,
        Field(
            description="True when duration_ns, span_count, error_count and services are known to be those of the whole"
            " trace in all datasources that were asked. False: they are those of its parts in `datasources`, and"
            " another one may hold more; reading the trace by its id asks them all."
        ),
    ]


class SearchOut(Out):
    """A page of traces, newest first."""

    items: list[HitOut]
    next: Annotated[str | None, Field(description="Cursor of the page after; null at the end.")]
    complete: Annotated[bool, Field(description="True when every datasource answered in full.")]
    sources: list[SourceOut]
    cached_age_s: Annotated[
        float | None, Field(description="How old a kept answer is; null for one that was made now.", examples=[None])
    ]


class KeptOut(Out):
    """A condition that Arcane evaluates."""

    condition: Annotated[str, Field(examples=["span.retries > 2"])]
    reason: Reason
    why: str
    sent: Annotated[str | None, Field(description="What the datasource is asked in its place.")]


class ParameterOut(Out):
    """A parameter of a request, as it is before it is encoded or bound."""

    name: str
    value: str


class SentRequestOut(Out):
    """A request as it would be sent; secrets and headers are no part of it."""

    method: Annotated[str, Field(examples=["GET", "SQL"])]
    target: Annotated[str, Field(description="A path below the datasource's address, or a statement.")]
    parameters: list[ParameterOut]
    note: Annotated[str, Field(description="When or how often, where it is not once.")]

    @field_validator("parameters", mode="before")
    @classmethod
    def _named(cls, pairs: tuple[tuple[str, str], ...]) -> list[ParameterOut]:
        return [ParameterOut(name=name, value=value) for name, value in pairs]


class PlannedSourceOut(Out):
    """How one datasource would be asked."""

    datasource_id: str
    name: str
    kind: str
    pushed: str | None
    residual: str | None
    steps: list[str]
    kept: list[KeptOut]
    requests: Annotated[list[SentRequestOut], Field(description="What it would be sent first.")]


class HintOut(Out):
    """A hint of the query, and what it does."""

    hint: Annotated[str, Field(examples=["most_recent=true"])]
    effect: str


class PlanOut(Out):
    """How a search would be asked."""

    canonical: Annotated[str, Field(examples=[_QUERY])]
    scope: Annotated[str | None, Field(description="The project's own condition, ANDed into every query.")]
    hints: list[HintOut]
    sources: list[PlannedSourceOut]


class QueryErrorOut(Out):
    """What is wrong with a query. Lines and columns count from 1."""

    message: str
    hint: str | None
    line: int
    column: int
    length: int


class CheckOut(Out):
    """Whether a query can be asked."""

    valid: bool
    errors: list[QueryErrorOut]
    canonical: str | None


class AttributeOut(Out):
    """An attribute that exists."""

    field: Annotated[str, Field(description="As a query writes it.", examples=["span.http.request.method"])]
    scope: str
    name: str
    hidden: Annotated[bool, Field(description="True when its values are hidden from you.")]


class AttributesOut(Out):
    """Attribute names over all datasources, by name. There are no further pages: a longer prefix finds others."""

    items: list[AttributeOut]
    complete: bool
    sources: list[SourceOut]


class ValueOut(Out):
    """A value of an attribute; `literal` is how a query writes it."""

    type: Annotated[str, Field(examples=["string"])]
    value: str | int | float | bool
    literal: Annotated[str, Field(examples=['"POST"'])]
    count: int | None


class ValuesOut(Out):
    """Values of one attribute over all datasources, the most frequent first as far as that is known."""

    field: str
    items: list[ValueOut]
    complete: bool
    sources: list[SourceOut]
