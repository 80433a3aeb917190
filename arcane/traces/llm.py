"""A trace read as LLM work, without keeping others waiting for a long one."""

from __future__ import annotations

from anyio.lowlevel import checkpoint

from arcane.conventions import LlmView, Prices, summarise, view_of
from arcane.model.trace import Trace
from arcane.traces.questions import LlmReading

_AT_ONCE = 500
"""Spans between two chances for other requests: a few milliseconds of work."""


async def read_llm(trace: Trace, prices: Prices | None) -> LlmReading:
    """Returns the views of the spans that have one, in order of start, and the totals."""
    views: dict[str, LlmView] = {}
    for number, span in enumerate(trace.spans, start=1):
        view = view_of(span, prices)
        if view is not None:
            views[span.span_id] = view
        if number % _AT_ONCE == 0:
            await checkpoint()
    return LlmReading(views, summarise(trace, views))
