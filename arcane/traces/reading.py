"""From query text to a query that has been checked, scoped, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from arcane.access.scope import TraceFilter
from arcane.federation.rewrite import narrowed, without_constants
from arcane.redaction.visibility import hidden_fields
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope
from arcane.traceql.ast_pipeline import Query
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError, UnsupportedConstruct
from arcane.traceql.format import format_field, format_query
from arcane.traceql.parse import parse
from arcane.traceql.query import is_metrics, query_fields
from arcane.traces.problems import BadQuery, HiddenAttribute, MetricsQuery, QueryTooLong, UnsupportedQuery, bad_query

_KEPT = 1_024
_EVERYTHING = "{}"


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query as it is asked: `canonical` is the caller's own part, `query` has the project's scope in every filter."""

    canonical: str
    query: Query
    fields: tuple[Field, ...]
    """Everything that it asks about or shows."""


class QueryReader:
    """Reads queries; the latest ones are remembered, because pages and dashboards ask the same again and again."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._known: OrderedDict[tuple[str, TraceFilter | None], ReadQuery] = OrderedDict()

    def read(self, text: str, scope: TraceFilter | None, hidden: frozenset[str]) -> ReadQuery:
        """Returns a query for traces; raises BadQuery and its like, MetricsQuery, QueryTooLong or HiddenAttribute."""
        key = (text, scope)
        known = self._known.get(key)
        if known is None:
            known = self._remember(key, self._read(text, scope))
        else:
            self._known.move_to_end(key)
        refuse_hidden(known.fields, hidden)
        return known

    def error_in(self, text: str) -> TraceqlError | None:
        """Returns what is wrong with `text`; raises QueryTooLong."""
        self.bounded(text)
        try:
            check(parse(text))
        except TraceqlError as exc:
            return exc
        return None

    def canonical(self, text: str) -> str:
        """Returns how Arcane spells a query in which there is no error, one for metrics too."""
        return format_query(parse(text if text.strip() else _EVERYTHING))

    def _read(self, text: str, scope: TraceFilter | None) -> ReadQuery:
        self.bounded(text)
        try:
            query = parse(text if text.strip() else _EVERYTHING)
            check(query)
        except UnsupportedConstruct as exc:
            raise bad_query(exc, UnsupportedQuery) from exc
        except TraceqlError as exc:
            raise bad_query(exc, BadQuery) from exc
        if is_metrics(query):
            raise MetricsQuery("a metrics query is asked at /metrics, next to /search: it gives series, not traces")
        asked = narrowed(without_constants(query), scope_condition(scope))
        return ReadQuery(format_query(query), asked, query_fields(query))

    def bounded(self, text: str) -> None:
        """Returns when `text` is not too long; raises QueryTooLong."""
        if len(text) > self._max_bytes or len(text.encode(errors="replace")) > self._max_bytes:
            raise QueryTooLong(f"a query may have {self._max_bytes} bytes", max_bytes=self._max_bytes)

    def _remember(self, key: tuple[str, TraceFilter | None], read: ReadQuery) -> ReadQuery:
        self._known[key] = read
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return read


def scope_condition(scope: TraceFilter | None) -> Expr | None:
    """Returns the condition that the project's trace filter is: the attribute stands on the resource or the span."""
    if scope is None:
        return None
    value = Literal(LiteralType.STRING, scope.attribute_value)
    on_resource, on_span = (
        Binary(Op.EQ, Field(where, scope.attribute_name), value) for where in (Scope.RESOURCE, Scope.SPAN)
    )
    return Binary(Op.OR, on_resource, on_span)


def refuse_hidden(fields: tuple[Field, ...], hidden: frozenset[str]) -> None:
    """Returns when none of `fields` is hidden; raises HiddenAttribute."""
    found = hidden_fields(fields, hidden) if hidden else []
    if found:
        names = sorted({format_field(field) for field in found})
        raise HiddenAttribute(f"you may not ask about the values of {', '.join(names)}", attributes=names)
