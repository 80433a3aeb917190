"""Spans and traces that Hypothesis makes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode

T = TypeVar("T")


def made(cls: Callable[..., T], *parts: st.SearchStrategy[object]) -> st.SearchStrategy[T]:
    """Instances of a struct, from its members in order."""
    return st.tuples(*parts).map(lambda values: cls(*values))


INT64 = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 2**63 - 1)
NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.one_of(
    st.text(max_size=8), st.booleans(), INT64, st.floats(allow_nan=False), st.binary(max_size=6), st.none()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=4)
COUNTS = st.integers(0, 2**32 - 1)
TRACE_IDS = st.integers(1, 2**128 - 1).map(lambda number: TraceId(f"{number:032x}"))
SPAN_IDS = st.integers(1, 2**64 - 1).map(lambda number: SpanId(f"{number:016x}"))
RESOURCES = made(Resource, ATTRIBUTES)
SCOPES = made(InstrumentationScope, NAMES, NAMES, ATTRIBUTES)
EVENTS = made(SpanEvent, NAMES, TIMES, ATTRIBUTES, COUNTS)
LINKS = made(SpanLink, TRACE_IDS, SPAN_IDS, NAMES, ATTRIBUTES, COUNTS)
SPANS = made(
    Span,
    TRACE_IDS,
    SPAN_IDS,
    st.one_of(st.just(""), SPAN_IDS),
    NAMES,
    st.sampled_from(SpanKind),
    TIMES,
    TIMES,
    st.sampled_from(StatusCode),
    NAMES,
    ATTRIBUTES,
    st.lists(EVENTS, max_size=2).map(tuple),
    st.lists(LINKS, max_size=2).map(tuple),
    RESOURCES,
    SCOPES,
    NAMES,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
)
