"""Traces on their way out: a short one in one piece, a long one in many, so that neither memory nor others wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

import msgspec
from anyio.lowlevel import checkpoint
from starlette.responses import Response, StreamingResponse

from arcane.model.notice import encoded
from arcane.model.span import Span
from arcane.spi.otlp import encode_json
from arcane.traces.bodies import RootBody, SpanBody, Tables, TraceHead
from arcane.traces.questions import LlmReading, TraceAnswer
from arcane.traces.times import format_time

Bytes = TypeVar("Bytes", bytes, memoryview)

_AT_ONCE = 500
_ENCODER = msgspec.json.Encoder(enc_hook=encoded)
_JSON = "application/json"
_COMMA = ord(",")


def trace_response(answer: TraceAnswer, reading: LlmReading) -> Response:
    """Returns the trace as JSON (trace_schemas.TraceOut)."""
    if len(answer.trace.spans) > _AT_ONCE:
        return StreamingResponse(_pieces(answer, reading), media_type=_JSON)
    return Response(b"".join(_parts(answer, reading)), media_type=_JSON)


def otlp_response(answer: TraceAnswer) -> Response:
    """Returns the trace as OTLP JSON, to be saved as a file."""
    headers = {"content-disposition": f'attachment; filename="{answer.trace.trace_id}.otlp.json"'}
    return StreamingResponse(_yielding(encode_json(answer.trace.spans)), media_type=_JSON, headers=headers)


async def _pieces(answer: TraceAnswer, reading: LlmReading) -> AsyncIterator[memoryview]:
    async for piece in _yielding(_parts(answer, reading)):
        yield piece


async def _yielding(pieces: Iterator[Bytes]) -> AsyncIterator[Bytes]:
    for piece in pieces:
        yield piece
        await checkpoint()


def grown_document(answer: TraceAnswer, reading: LlmReading, spans: Sequence[Span]) -> bytes:
    """Returns a document (trace_schemas.TraceOut) about the whole trace that holds only `spans` of it."""
    return b"".join(_parts(answer, reading, spans))


def _parts(answer: TraceAnswer, reading: LlmReading, spans: Sequence[Span] | None = None) -> Iterator[memoryview]:
    """Yields the document: the head without its closing brace, then the spans (or only `spans`), some at a time.

    Each batch is encoded as a list, in its place; all but the first trade their bracket for a comma.
    """
    chosen = answer.trace.spans if spans is None else spans
    tables = Tables(chosen)
    piece = bytearray()
    _ENCODER.encode_into(_head(answer, reading, tables), piece)
    piece[-1:] = b',"spans":'
    for start in range(0, max(1, len(chosen)), _AT_ONCE):
        began = len(piece)
        _ENCODER.encode_into(_bodies(chosen[start : start + _AT_ONCE], answer, reading, tables), piece, began)
        if start:
            piece[began] = _COMMA
        is_last = start + _AT_ONCE >= len(chosen)
        piece[-1:] = b"]}" if is_last else b""
        yield memoryview(piece)
        piece = bytearray()


def _bodies(spans: Sequence[Span], answer: TraceAnswer, reading: LlmReading, tables: Tables) -> list[SpanBody]:
    began, view_of, body_of, assembled = answer.trace.start, reading.views.get, tables.span, answer.assembled
    if not assembled.shared:  # all spans are of the same datasources
        return [body_of(span, began, assembled.owners, view_of(span.span_id)) for span in spans]
    return [body_of(span, began, assembled.origins_of(span), view_of(span.span_id)) for span in spans]


def _head(answer: TraceAnswer, reading: LlmReading, tables: Tables) -> TraceHead:
    trace = answer.trace
    root = trace.root
    return TraceHead(
        trace.trace_id,
        format_time(trace.start),
        format_time(trace.end),
        trace.duration,
        RootBody(root.span_id, root.name, root.service_name) if root else None,
        len(trace.spans),
        trace.error_count,
        answer.complete,
        answer.sources,
        answer.warnings,
        reading.totals,
        tables.resources,
        tables.scopes,
    )
