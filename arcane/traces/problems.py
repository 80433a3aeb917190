"""What can be wrong with a question, and with its answer."""

from __future__ import annotations

from arcane.kit.problems import NotAllowed, NotFound, Problem, TooManyRequests
from arcane.traceql.ast import Position
from arcane.traceql.errors import TraceqlError


class BadQuery(Problem):
    """The text is not TraceQL, or cannot mean anything; `position` and `hint` say where and what to write."""

    status = 400
    slug = "bad-query"
    title = "Bad query"


class UnsupportedQuery(Problem):
    """The text is TraceQL that Arcane does not answer; `position` says which part."""

    status = 400
    slug = "unsupported-query"
    title = "Unsupported query"


class MetricsQuery(Problem):
    """The query gives time series, and traces were asked for."""

    status = 400
    slug = "metrics-query"
    title = "Metrics query"


class QueryTooLong(Problem):
    """The query has more than `max_bytes` bytes."""

    status = 400
    slug = "query-too-long"
    title = "Query too long"


class ReversedTimeRange(Problem):
    """The range ends before it starts."""

    status = 400
    slug = "reversed-time-range"
    title = "Reversed time range"


class LimitTooLarge(Problem):
    """`parameter` is over its `maximum`."""

    status = 400
    slug = "limit-too-large"
    title = "Limit too large"


class StepTooSmall(Problem):
    """The step makes more than `maximum` points of the range; `minimum_step` is one that does not."""

    status = 400
    slug = "step-too-small"
    title = "Step too small"


class TooManyDatasources(Problem):
    """One question asks at most `maximum` datasources."""

    status = 400
    slug = "too-many-datasources"
    title = "Too many datasources"


class TooManyWatchers(TooManyRequests):
    """There are already `maximum` live views, of this caller or of this instance."""

    slug = "too-many-watchers"
    title = "Too many live views"


class BadTraceId(Problem):
    """A trace id has 1 to 32 hex digits."""

    status = 400
    slug = "bad-trace-id"
    title = "Bad trace id"


class BadField(Problem):
    """The text does not name an attribute or an intrinsic."""

    status = 400
    slug = "bad-field"
    title = "Bad field"


class HiddenAttribute(NotAllowed):
    """The query asks about an attribute whose values are hidden from the caller."""

    slug = "hidden-attribute"
    title = "Hidden attribute"


class TraceNotFound(NotFound):
    """Every datasource answered, and none has the trace (or none of its spans belongs to the project)."""

    slug = "trace-not-found"
    title = "Trace not found"


class SpanNotFound(NotFound):
    """The trace is there, and has no such span."""

    slug = "span-not-found"
    title = "Span not found"


class TraceUncertain(Problem):
    """No datasource that answered has the trace, and some did not answer: nobody knows whether it exists."""

    status = 502
    slug = "trace-uncertain"
    title = "Trace uncertain"


class AllDatasourcesFailed(Problem):
    """Every datasource that was asked failed; `sources` says why."""

    status = 502
    slug = "all-datasources-failed"
    title = "All datasources failed"


class DatasourceFailed(Problem):
    """A datasource failed, and the request said `on_failure: abort`."""

    status = 502
    slug = "datasource-failed"
    title = "Datasource failed"


def position_of(position: Position) -> dict[str, int]:
    """Returns the place as a problem shows it."""
    return {"line": position.line, "column": position.column, "length": position.length}


def bad_query(error: TraceqlError, kind: type[Problem]) -> Problem:
    """Returns the problem that `error` is."""
    return kind(error.message, position=position_of(error.position), hint=error.hint)
