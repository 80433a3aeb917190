"""What a datasource author imports. Everything here is public and stable; nothing else is."""

from arcane.model.deadline import Deadline
from arcane.model.hit import MatchedSet, MatchedSpan, ServiceStats, TraceHit
from arcane.model.ids import SpanId, TraceId, parse_span_id, parse_trace_id
from arcane.model.notice import Notice
from arcane.model.series import Exemplar, Labels, LabelValue, NumberType, Steps, Typed
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
from arcane.model.spanset import SpanSet
from arcane.model.time import NANOS_PER_MILLISECOND, NANOS_PER_SECOND, Nanos, TimeRange
from arcane.model.trace import Trace
from arcane.model.values import Attributes, AttributeValue
from arcane.spi.adapter import Adapter, AdapterContext, DatasourcePlugin
from arcane.spi.capabilities import Capabilities, Fields, MetricsRule, Order, PushRule
from arcane.spi.connection import HttpConnection, connection_headers
from arcane.spi.described import SentRequest
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
from arcane.spi.metrics import MetricsAnswer, MetricsRequest
from arcane.spi.otlp import decode_json, decode_protobuf, encode_json, traces_of
from arcane.spi.sampling import names_in, values_in
from arcane.spi.scan import (
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    Candidate,
    Health,
    ScanPage,
    ScanRequest,
)
from arcane.traceql.ast import COMPARISONS, Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter, Unary
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.evaluate import CompiledFilter, compile_filter, mentioned_fields
from arcane.traceql.format import format_expr, format_filter
from arcane.traceql.hits import hit_of, hit_of_sets, listed_fields, shown_spans
from arcane.traceql.metrics_accumulate import Accumulator, label_of
from arcane.traceql.metrics_state import NOT_POSITIVE, Measure, States, exponent_of, merge_states
from arcane.traceql.query import CompiledQuery, compile_query

__all__ = [
    "COMPARISONS",
    "NANOS_PER_MILLISECOND",
    "NANOS_PER_SECOND",
    "NOT_POSITIVE",
    "NO_RESOURCE",
    "NO_SCOPE",
    "Accumulator",
    "Adapter",
    "AdapterContext",
    "AttributeName",
    "AttributeQuery",
    "AttributeValue",
    "AttributeValueCount",
    "Attributes",
    "BackendFailed",
    "BadResponse",
    "Binary",
    "Candidate",
    "Capabilities",
    "CompiledFilter",
    "CompiledQuery",
    "DatasourceError",
    "DatasourcePlugin",
    "Deadline",
    "Exemplar",
    "Expr",
    "Field",
    "Fields",
    "Forbidden",
    "Health",
    "HttpConnection",
    "HttpRequest",
    "HttpResponse",
    "HttpSession",
    "HttpStream",
    "InstrumentationScope",
    "LabelValue",
    "Labels",
    "Literal",
    "LiteralType",
    "MatchedSet",
    "MatchedSpan",
    "Measure",
    "MetricsAnswer",
    "MetricsRequest",
    "MetricsRule",
    "Misconfigured",
    "Nanos",
    "Notice",
    "NumberType",
    "Op",
    "Order",
    "PushRule",
    "Query",
    "RateLimited",
    "Rejected",
    "Resource",
    "ScanPage",
    "ScanRequest",
    "Scope",
    "SentRequest",
    "ServiceStats",
    "Span",
    "SpanEvent",
    "SpanId",
    "SpanKind",
    "SpanLink",
    "SpanSet",
    "SpansetFilter",
    "States",
    "StatusCode",
    "Steps",
    "TimeRange",
    "TimedOut",
    "TooLarge",
    "Trace",
    "TraceHit",
    "TraceId",
    "Typed",
    "Unary",
    "Unauthorized",
    "Unreachable",
    "Unsupported",
    "compile_filter",
    "compile_query",
    "connection_headers",
    "decode_json",
    "decode_protobuf",
    "encode_json",
    "exponent_of",
    "format_expr",
    "format_filter",
    "hit_of",
    "hit_of_sets",
    "label_of",
    "listed_fields",
    "mentioned_fields",
    "merge_states",
    "names_in",
    "parse_span_id",
    "parse_trace_id",
    "shown_spans",
    "traces_of",
    "values_in",
]
