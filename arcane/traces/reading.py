"""From query text to a filter that has been checked, scoped, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from arcane.access.service.projects import TraceFilter
from arcane.federation.rewrite import narrowed, without_constants
from arcane.redaction.visibility import hidden_fields
from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Position, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import Pipeline, Query
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError, UnsupportedConstruct
from arcane.traceql.evaluate import mentioned_fields
from arcane.traceql.format import format_field, format_query
from arcane.traceql.parse import parse
from arcane.traces.problems import BadQuery, HiddenAttribute, QueryTooLong, UnsupportedQuery, bad_query

_KEPT = 1_024
_EVERYTHING = "{}"


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """A query as it is asked: `canonical` is the caller's own part, `filter` has the project's scope in it."""

    canonical: str
    filter: SpansetFilter
    fields: tuple[Field, ...]


class QueryReader:
    """Reads queries; the latest ones are remembered, because pages and dashboards ask the same again and again."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._known: OrderedDict[tuple[str, TraceFilter | None], ReadQuery] = OrderedDict()

    def read(self, text: str, scope: TraceFilter | None, hidden: frozenset[str]) -> ReadQuery:
        """Returns the query; raises BadQuery, UnsupportedQuery, QueryTooLong or HiddenAttribute."""
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
            _filter_of(parse(text))
        except TraceqlError as exc:
            return exc
        return None

    def _read(self, text: str, scope: TraceFilter | None) -> ReadQuery:
        self.bounded(text)
        try:
            query = parse(text if text.strip() else _EVERYTHING)
            own = _filter_of(query)
        except UnsupportedConstruct as exc:
            raise bad_query(exc, UnsupportedQuery) from exc
        except TraceqlError as exc:
            raise bad_query(exc, BadQuery) from exc
        return ReadQuery(
            format_query(query), narrowed(without_constants(own), scope_condition(scope)), mentioned_fields(own)
        )

    def bounded(self, text: str) -> None:
        """Returns when `text` is not too long; raises QueryTooLong."""
        if len(text) > self._max_bytes or len(text.encode(errors="replace")) > self._max_bytes:
            raise QueryTooLong(f"a query may have {self._max_bytes} bytes", max_bytes=self._max_bytes)

    def _remember(self, key: tuple[str, TraceFilter | None], read: ReadQuery) -> ReadQuery:
        self._known[key] = read
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return read


def _filter_of(query: Query) -> SpansetFilter:
    """Returns the one filter that the query is; raises UnsupportedConstruct for every other query."""
    check(query)
    if query.filter is None:
        hint = "what can be asked is one filter in braces, such as { status = error && duration > 1s }"
        raise UnsupportedConstruct("more than one filter is not supported yet", _place(query), hint)
    return query.filter


def _place(query: Query) -> Position:
    body = query.body
    stages = body.stages if isinstance(body, Pipeline) else (body,)
    later = stages[1] if isinstance(stages[0], SpansetFilter) and len(stages) > 1 else stages[0]
    return later.position or Position(1, 1)


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
