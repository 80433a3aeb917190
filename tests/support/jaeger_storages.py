"""Jaeger's storages as far as a search can tell them apart, each wrong in its own way.

Made from Jaeger's sources (2.13): internal/storage/v2/memory, v1/elasticsearch, v1/badger, v1/cassandra.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from arcane.model.span import Span, StatusCode
from arcane.model.trace import Trace
from arcane.model.values import Attributes
from tests.support.jaeger_model import as_v1
from tests.support.jaeger_shapes import fields_of, process_tags_of, tags_of, text_of, trace_json

_ROWS_A_TRACE = 3
_INDEXED = 256
_DAY_US = 24 * 3_600 * 1_000_000


class Refused(Exception):
    """The storage does not take the search."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search as it reaches the storage. Times and durations in nanoseconds; 0 is no bound."""

    service: str
    operation: str
    start: int
    end: int
    depth: int
    shortest: int = 0
    longest: int = 0
    tags: dict[str, str] = field(default_factory=dict)


class Storage(ABC):
    """Keeps traces, the oldest first, and finds some."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.traces = self.kept(traces)
        self._in_json: dict[str, bytes] = {}

    def kept(self, traces: Sequence[Trace]) -> list[Trace]:
        """Returns what is left of the traces when they are stored: Jaeger's own model, for most."""
        return as_v1(traces)

    def over_v1(self, trace: Trace) -> bytes:
        """Returns the trace as the first API has it."""
        if trace.trace_id not in self._in_json:
            (seen,) = as_v1([trace])
            self._in_json[trace.trace_id] = json.dumps(trace_json(seen)).encode()
        return self._in_json[trace.trace_id]

    @abstractmethod
    def find(self, query: Query) -> list[Trace]:
        """Returns at most `query.depth` traces."""


class Memory(Storage):
    """Compares one span with all conditions; lists as text; the newest arrivals first."""

    def kept(self, traces: Sequence[Trace]) -> list[Trace]:
        return list(traces)

    def find(self, query: Query) -> list[Trace]:
        if not 0 < query.depth <= 100_000:
            raise Refused("search depth must be greater than 0 and less than max traces")
        found = [trace for trace in reversed(self.traces) if any(self._matches(span, query) for span in trace.spans)]
        return found[: query.depth]

    def _matches(self, span: Span, query: Query) -> bool:
        tags = dict(query.tags)
        if "error" in tags and span.status is not StatusCode.OK:  # a text is no boolean, and so it is false
            return False
        tags.pop("error", None)
        places = [
            span.attributes,
            span.scope.attributes,
            span.resource.attributes,
            *(event.attributes for event in span.events),
        ]
        return (
            query.service in ("", span.service_name)
            and query.operation in ("", span.name)
            and query.start <= span.start <= query.end
            and _lasts(span.end - span.start, query)
            and all(_is_in(places, name, text) for name, text in tags.items())
        )


class Elasticsearch(Storage):
    """Compares one document with all conditions; a tag's value is a regular expression, long ones are not indexed."""

    def find(self, query: Query) -> list[Trace]:
        if query.tags and not query.service:
            raise Refused("service name must be set")
        newest: dict[str, int] = {}
        for trace in self.traces:
            starts = [span.start for span in trace.spans if self._matches(span, query)]
            if starts:
                newest[trace.trace_id] = max(starts)
        ids = sorted(newest, key=lambda one: newest[one], reverse=True)[: query.depth]
        by_id = {trace.trace_id: trace for trace in self.traces}
        return [by_id[one] for one in ids]

    def _matches(self, span: Span, query: Query) -> bool:
        start_us, duration_us = span.start // 1_000, span.duration // 1_000
        if not query.start // 1_000 <= start_us <= query.end // 1_000:
            return False
        if query.shortest or query.longest:
            longest = query.longest // 1_000 or _DAY_US
            if not query.shortest // 1_000 <= duration_us <= longest:
                return False
        return (
            query.service in ("", span.service_name)
            and query.operation in ("", span.name)
            and all(self._has(span, name, text) for name, text in query.tags.items())
        )

    def _has(self, span: Span, name: str, text: str) -> bool:
        # Of Lucene's syntax, what differs from Python's are these.
        pattern = re.compile(re.sub(r"[@#&~<>\"]", ".*", text) if re.search(r"[@#&~<>\"]", text) else text)
        indexed = (text_of(place[name]) for place in _places(span) if name in place)
        return any(len(value) <= _INDEXED and pattern.fullmatch(value) for value in indexed)


class Badger(Storage):
    """Compares indexes, and joins them by trace. Without a service it looks at nothing but times."""

    def find(self, query: Query) -> list[Trace]:
        found = [trace for trace in self.traces if self._matches(trace, query)]
        found.sort(key=lambda trace: trace.start, reverse=True)
        return found[: query.depth or 100]

    def _matches(self, trace: Trace, query: Query) -> bool:
        inside = [span for span in trace.spans if query.start <= span.start <= query.end]
        if (query.shortest or query.longest) and not any(
            query.shortest // 1_000 <= span.duration // 1_000 <= (query.longest // 1_000 or 2**63) for span in inside
        ):
            return False
        if not query.service:
            return bool(inside)
        own = [span for span in inside if span.service_name == query.service]
        if query.operation and not any(span.name == query.operation for span in own):
            return False
        return bool(own) and all(
            any(_is_in(_places(span), name, text) for span in own) for name, text in query.tags.items()
        )


class Cassandra(Storage):
    """Reads three rows of an index for each trace that is wanted: a span is a row."""

    def find(self, query: Query) -> list[Trace]:
        lasts = query.shortest or query.longest
        if query.tags and not query.service:
            raise Refused("service name must be set")
        if query.tags and lasts:
            raise Refused("cannot query for duration and tags simultaneously")
        if lasts:
            return self._traces(self._rows(query, lambda span: _lasts(span.duration, query)), query)
        wanted = self._rows(query, lambda span: query.operation in ("", span.name))
        for name, text in query.tags.items():
            rows = set(self._rows(query, partial(_has_tag, name, text)))
            wanted = [one for one in wanted if one in rows]
        return self._traces(wanted, query)

    def _rows(self, query: Query, holds: Callable[[Span], bool]) -> list[str]:
        rows = [
            span
            for trace in self.traces
            for span in trace.spans
            if span.service_name == query.service
            and query.start < span.start < query.end  # neither bound is inside
            and holds(span)
        ]
        rows.sort(key=lambda span: span.start, reverse=True)
        return [span.trace_id for span in rows[: query.depth * _ROWS_A_TRACE]]

    def _traces(self, ids: Iterable[str], query: Query) -> list[Trace]:
        wanted = list(dict.fromkeys(ids))[: query.depth]
        return [trace for trace in self.traces if trace.trace_id in wanted]


STORAGES: dict[str, type[Storage]] = {
    "memory": Memory,
    "elasticsearch": Elasticsearch,
    "badger": Badger,
    "cassandra": Cassandra,
}


def _lasts(duration: int, query: Query) -> bool:
    return (not query.shortest or duration >= query.shortest) and (not query.longest or duration <= query.longest)


def _places(span: Span) -> Iterator[Attributes]:
    yield tags_of(span)
    yield process_tags_of(span)
    yield from (fields_of(event) for event in span.events)


def _has_tag(name: str, text: str, span: Span) -> bool:
    return _is_in(_places(span), name, text)


def _is_in(places: Iterable[Attributes], name: str, text: str) -> bool:
    return any(name in place and text_of(place[name]) == text for place in places)
