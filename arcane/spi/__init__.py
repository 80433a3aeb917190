"""What a datasource author imports. Everything here is public and stable; nothing else is."""

from arcane.model.deadline import Deadline
from arcane.model.hit import MatchedSpan, ServiceStats, TraceHit
from arcane.model.ids import SpanId, TraceId, parse_span_id, parse_trace_id
from arcane.model.span import (
    NO_RESOURCE,
    NO_SCOPE,
    InstrumentationScope,
    Resource,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    StatusCode,
)
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, Nanos, TimeRange
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.spi.adapter import Adapter, AdapterContext, DatasourcePlugin
from arcane.spi.capabilities import Capabilities, Order, PushRule
from arcane.spi.errors import (
    BackendFailed,
    BadResponse,
    DatasourceError,
    Forbidden,
    Misconfigured,
    RateLimited,
    Rejected,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from arcane.spi.http import HttpRequest, HttpResponse, HttpSession, HttpStream
from arcane.spi.scan import (
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Candidate,
    Health,
    ScanPage,
    ScanRequest,
)

__all__ = [
    "NANOS_PER_MILLISECOND",
    "NANOS_PER_SECOND",
    "NO_RESOURCE",
    "NO_SCOPE",
    "Adapter",
    "AdapterContext",
    "AttributeName",
    "AttributeQuery",
    "AttributeValue",
    "AttributeValueCount",
    "Attributes",
    "BackendFailed",
    "BadResponse",
    "Candidate",
    "Capabilities",
    "DatasourceError",
    "DatasourcePlugin",
    "Deadline",
    "Forbidden",
    "Health",
    "HttpRequest",
    "HttpResponse",
    "HttpSession",
    "HttpStream",
    "InstrumentationScope",
    "MatchedSpan",
    "Misconfigured",
    "Nanos",
    "Order",
    "PushRule",
    "RateLimited",
    "Rejected",
    "Resource",
    "ScanPage",
    "ScanRequest",
    "ServiceStats",
    "Span",
    "SpanEvent",
    "SpanId",
    "SpanKind",
    "SpanLink",
    "StatusCode",
    "TimeRange",
    "TimedOut",
    "TooLarge",
    "Trace",
    "TraceHit",
    "TraceId",
    "Unauthorized",
    "Unreachable",
    "Unsupported",
    "parse_span_id",
    "parse_trace_id",
]
