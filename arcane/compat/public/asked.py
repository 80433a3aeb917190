"""A search as the original product asks it, as one TraceQL query.

`q` is TraceQL; everything else narrows it. What is said of a span (service, operation, attributes) holds for one and
the same span, as a Tempo reads its `tags`; the durations are the trace's.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, Field

from arcane.kit.problems import Problem
from arcane.kit.schema import Schema
from arcane.traceql.ast import Binary, Expr, Literal, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.ast import Field as QueryField
from arcane.traceql.ast_pipeline import Pipeline
from arcane.traceql.errors import TraceqlError
from arcane.traceql.format import format_filter
from arcane.traceql.parse import parse
from arcane.traces.times import Time

_LONGEST_NS = (1 << 63) - 1
_PAIR = re.compile(r'\s*([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)")
_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,15}\.\d{1,15}")


class BadAttributes(Problem):
    """`attributes` is not logfmt."""

    status = 400
    slug = "bad-attributes"
    title = "Attributes cannot be read"


class CannotNarrow(Problem):
    """`q` ends in a pipeline or a metric, and other members narrow it."""

    status = 400
    slug = "cannot-narrow"
    title = "The query cannot be narrowed"


class PublicSearch(Schema):
    """The body of a search. Members that the original did not know are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: Time | None = None
    end: Time | None = None
    q: Annotated[str, Field(max_length=100_000)] = ""
    attributes: Annotated[str, Field(max_length=10_000)] = ""
    service_name: Annotated[str | None, Field(alias="serviceName", max_length=1_000)] = None
    operation_name: Annotated[str | None, Field(alias="operationName", max_length=1_000)] = None
    min_duration: Annotated[float | None, Field(alias="minDuration", ge=0, le=_LONGEST_NS)] = None
    max_duration: Annotated[float | None, Field(alias="maxDuration", ge=0, le=_LONGEST_NS)] = None
    limit: Annotated[int | None, Field(ge=1)] = None
    filter_by_attribute_exists: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=1_000)]],
        Field(alias="filterByAttributeExists", max_length=50),
    ] = []


def query_of(asked: PublicSearch) -> str:
    """Returns the query; raises BadAttributes or CannotNarrow. What is wrong with `q` itself is not looked at here."""
    of_span = [_equal(QueryField(Scope.NONE, name), value) for name, value in read_logfmt(asked.attributes)]
    of_span += [
        Binary(Op.NE, QueryField(Scope.NONE, name), Literal(LiteralType.NIL, None))
        for name in asked.filter_by_attribute_exists
    ]
    if asked.service_name is not None:
        of_span.append(_is(QueryField(Scope.RESOURCE, "service.name"), asked.service_name))
    if asked.operation_name is not None:
        of_span.append(_is(QueryField(Scope.INTRINSIC, "name"), asked.operation_name))
    of_trace: list[Expr] = [
        Binary(op, QueryField(Scope.INTRINSIC, "traceDuration"), Literal(LiteralType.DURATION, int(bound)))
        for op, bound in ((Op.GE, asked.min_duration), (Op.LE, asked.max_duration))
        if bound is not None
    ]
    filters = [format_filter(SpansetFilter(_all(conditions))) for conditions in (of_span, of_trace) if conditions]
    own = asked.q.strip()
    if own and filters and _is_pipeline(own):
        raise CannotNarrow("a query with a pipeline is asked as it is: put the other conditions into `q`")
    return "\n&& ".join(([own] if own else []) + filters)  # `q` may end in a comment, which ends with its line


def _is_pipeline(text: str) -> bool:
    try:
        return isinstance(parse(text).body, Pipeline)
    except TraceqlError:
        return False


def read_logfmt(text: str) -> list[tuple[str, str]]:
    """Returns the pairs of `k=v k2="v with space"`; raises BadAttributes."""
    pairs, place, end = [], 0, len(text.rstrip())
    while place < end:
        found = _PAIR.match(text, place)
        if found is None:
            raise BadAttributes('attributes are written as name=value name2="a value with spaces"', position=place)
        name, quoted, plain = found.groups()
        pairs.append((name, plain if quoted is None else _ESCAPED.sub(r"\1", quoted)))
        place = found.end()
    return pairs


def _equal(field: QueryField, text: str) -> Expr:
    """Returns the condition that the value is `text`, or the number or truth that `text` spells."""
    typed: Literal | None = None
    if text in ("true", "false"):
        typed = Literal(LiteralType.BOOL, text == "true")
    elif _INTEGER.fullmatch(text):
        typed = Literal(LiteralType.INT, int(text))
    elif _DECIMAL.fullmatch(text):
        typed = Literal(LiteralType.FLOAT, float(text))
    as_text = _is(field, text)
    return as_text if typed is None else Binary(Op.OR, as_text, Binary(Op.EQ, field, typed))


def _is(field: QueryField, text: str) -> Expr:
    return Binary(Op.EQ, field, Literal(LiteralType.STRING, text))


def _all(conditions: list[Expr]) -> Expr:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = Binary(Op.AND, whole, condition)
    return whole
