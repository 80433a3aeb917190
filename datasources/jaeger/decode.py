"""The answers of both APIs. Pure: bytes to names and traces; BadResponse for anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from arcane.spi import BadResponse, Notice, Trace, TraceId, traces_of
from arcane.spi.otlp import spans_of
from arcane.spi.otlp_wire import BareDocument, TracesDocument
from datasources.jaeger import wire

T = TypeVar("T")
_WARNINGS = "@jaeger@warnings"
_CUT = re.compile(r"truncat|exceed|max[ _-]?trace", re.IGNORECASE)
_VERSION = re.compile(rb'JAEGER_VERSION\s*=\s*\{[^}]*"gitVersion"\s*:\s*"v?(\d[^"]{0,40})"')

_traces_v3 = msgspec.json.Decoder(wire.TracesV3)
_bare_traces_v3 = msgspec.json.Decoder(wire.BareTracesV3, strict=False)
_services_v3 = msgspec.json.Decoder(wire.ServicesV3)
_operations_v3 = msgspec.json.Decoder(wire.OperationsV3)
_names_v1 = msgspec.json.Decoder(wire.NamesV1)


def traces_of_v3(body: bytes, *, bare: bool = False) -> list[Trace]:
    """Returns the traces: the API mixes their spans, and may send several documents, one a line.

    Bare ones are without what spans carry of their own.
    """
    warns = _WARNINGS.encode() in body
    results: list[TracesDocument | BareDocument | None]
    if bare and not warns:
        results = [part.result for part in _documents(_bare_traces_v3, body)]
    else:
        results = [part.result for part in _documents(_traces_v3, body)]
    documents = [result for result in results if result is not None]
    if not documents or len(documents) < len(results):
        raise BadResponse("The answer is not Jaeger's.")
    traces = traces_of([span for document in documents for span in spans_of(document.resource_spans)])
    if warns:
        for trace in traces:
            trace.warnings = _taken_warnings(trace)
    return traces


def services_of_v3(body: bytes) -> list[str]:
    """Returns the services, sorted."""
    return sorted(set(_read(_services_v3, body).services or ()))


def operations_of_v3(body: bytes) -> list[str]:
    """Returns the operations of a service, sorted, each once."""
    return sorted({operation.name for operation in _read(_operations_v3, body).operations or ()})


def names_of_v1(body: bytes) -> list[str]:
    """Returns services or operations, sorted."""
    return sorted(set(_read(_names_v1, body).data or ()))


def version_of(page: bytes) -> str | None:
    """Returns the version that Jaeger's own page names."""
    found = _VERSION.search(page)
    return found[1].decode("ascii", "replace") if found else None


def only(traces: list[Trace], trace_id: TraceId) -> Trace | None:
    """Returns the trace that was asked for."""
    return next((trace for trace in traces if trace.trace_id == trace_id), None)


def cut_of(said: Iterable[object]) -> tuple[str, ...]:
    """Returns what to say of a trace with these warnings of Jaeger's: most are about clocks, one is about size."""
    cut = any(isinstance(text, str) and _CUT.search(text) for text in said)
    return (Notice("Jaeger returned only a part of this trace."),) if cut else ()


def _taken_warnings(trace: Trace) -> tuple[str, ...]:
    """Takes Jaeger's own warnings away from the attributes of spans: no program that was traced has set them."""
    said: list[object] = []
    for span in trace.spans:
        if _WARNINGS in span.attributes:
            found = span.attributes.pop(_WARNINGS)
            said += found if isinstance(found, list) else [found]
    return cut_of(said)


def _documents(decoder: msgspec.json.Decoder[T], body: bytes) -> list[T]:
    try:
        return [decoder.decode(body)]
    except msgspec.DecodeError:
        return _read_lines(decoder, body)
    except RecursionError as exc:
        raise BadResponse("An attribute is nested too deeply.") from exc


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not Jaeger's.") from exc


def _read_lines(decoder: msgspec.json.Decoder[T], body: bytes) -> list[T]:
    try:
        return decoder.decode_lines(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not Jaeger's.") from exc
