"""Shelf's answers. Pure."""

from __future__ import annotations

import msgspec

from arcane.spi import BadResponse, Candidate, Trace, TraceId, decode_json, traces_of


class Page(msgspec.Struct):
    """A search's answer: one OTLP document a trace, newest first."""

    documents: list[msgspec.Raw]
    more: bool


def decode_page(body: bytes) -> tuple[list[Candidate], bool]:
    """Returns the traces, and whether there are more than the limit."""
    try:
        page = msgspec.json.decode(body, type=Page)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not Shelf's.") from exc
    traces = [trace for document in page.documents for trace in traces_of(decode_json(document))]
    return [Candidate(trace.trace_id, trace.start, trace=trace) for trace in traces], page.more


def decode_trace(body: bytes, trace_id: TraceId) -> Trace:
    """Returns the trace."""
    return Trace(trace_id, decode_json(body))
