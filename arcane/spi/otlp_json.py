"""OTLP JSON to spans: whole, or bare where nobody asks what spans carry of their own.

What is the same for many spans is looked at once: ids are checked together, those that are written as
they are kept stay what they are.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterable, Sequence
from sys import intern
from typing import NoReturn, TypeAlias, TypeVar

import msgspec

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import (
    NO_RESOURCE,
    NO_SCOPE,
    InstrumentationScope,
    Resource,
    Span,
    SpanEvent,
    SpanKind,
    SpanLink,
    StatusCode,
)
from arcane.model.values import NO_ATTRIBUTES, Attributes, AttributeValue
from arcane.spi import otlp_wire as wire
from arcane.spi.errors import BadResponse

T = TypeVar("T")
_AnySpan: TypeAlias = wire.WireSpan | wire.BareSpan
_Group: TypeAlias = tuple[Sequence[_AnySpan], Resource, InstrumentationScope]
_TraceIds: TypeAlias = dict[str, TraceId]

_DECODER = msgspec.json.Decoder(wire.TracesDocument)
_RESOURCE = msgspec.json.Decoder(wire.WireResource | None)
_SCOPE = msgspec.json.Decoder(wire.WireScope | None)
_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1
_KINDS: dict[int | str, SpanKind] = {
    **{kind.value: kind for kind in SpanKind},
    **{f"SPAN_KIND_{kind.name}": kind for kind in SpanKind},
}
_CODES: dict[int | str, StatusCode] = {
    **{code.value: code for code in StatusCode},
    **{f"STATUS_CODE_{code.name}": code for code in StatusCode},
}
_UNSPECIFIED, _UNSET = SpanKind.UNSPECIFIED, StatusCode.UNSET  # reading a member of an enum takes a call
_NO_STATUS = wire.WireStatus()


def decode_json(body: bytes | bytearray | memoryview) -> list[Span]:
    """Returns the spans of an OTLP JSON document (`resourceSpans`, or `batches`), in the order of the document."""
    document = _decoded(_DECODER, body)
    return spans_of([*document.resource_spans, *document.batches])


def spans_of(resource_spans: Sequence[wire.ResourceSpans] | Sequence[wire.BareResourceSpans]) -> list[Span]:
    """Returns the spans of typed OTLP JSON, for answers that wrap the document in something of their own.

    Of bare ones, what spans carry of their own is left out.
    """
    try:
        shared = _Shared()
        groups: list[_Group] = [
            (part.spans, shared.resource(group.resource), shared.scope(part.scope))
            for group in resource_spans
            for part in group.scope_spans
        ]
        ids = _trace_ids(groups)
        return [
            _whole(span, ids, resource, scope) if isinstance(span, wire.WireSpan) else _bare(span, ids, resource, scope)
            for spans, resource, scope in _with_hex(groups)
            for span in spans
        ]
    except RecursionError as exc:
        raise _too_deep() from exc
    except ValueError as exc:
        raise _no_number() from exc


def _whole(span: wire.WireSpan, ids: _TraceIds, resource: Resource, scope: InstrumentationScope) -> Span:
    start, end = int(span.start_time_unix_nano), int(span.end_time_unix_nano)
    if (start | end) >> 64:
        _bad_time()
    status = span.status or _NO_STATUS
    return Span(
        ids[span.trace_id],
        span.span_id,
        span.parent_span_id,
        intern(span.name),
        _KINDS.get(span.kind, _UNSPECIFIED),
        start,
        end,
        _CODES.get(status.code, _UNSET),
        status.message,
        _attributes(span.attributes),
        tuple([_event(event) for event in span.events]) if span.events else (),
        tuple([_link(link) for link in span.links]) if span.links else (),
        resource,
        scope,
        span.trace_state,
        span.flags,
        span.dropped_attributes_count,
        span.dropped_events_count,
        span.dropped_links_count,
    )


def _bare(span: wire.BareSpan, ids: _TraceIds, resource: Resource, scope: InstrumentationScope) -> Span:
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if (start | end) >> 64:
        _bad_time()
    status = span.status or _NO_STATUS
    return Span(
        ids[span.trace_id],
        span.span_id,
        span.parent_span_id,
        intern(span.name),
        _KINDS.get(span.kind, _UNSPECIFIED),
        start,
        end,
        _CODES.get(status.code, _UNSET),
        status.message,
        NO_ATTRIBUTES,
        (),
        (),
        resource,
        scope,
    )


def _trace_ids(groups: Iterable[_Group]) -> _TraceIds:
    """Returns every trace id that is written in the document, and the one that it is: spans of a trace share it."""
    return {
        text: TraceId(_id(text, 16) or _bad_id())
        for text in {span.trace_id for spans, _, _ in groups for span in spans}
    }


def _with_hex(groups: list[_Group]) -> list[_Group]:
    """Returns the groups as they are where ids of spans are written as they are kept, which is looked at for all at
    once; else with the ids that are meant.
    """
    own = [span.span_id for spans, _, _ in groups for span in spans]
    parents = {span.parent_span_id for spans, _, _ in groups for span in spans} - {""}
    if _are_hex(own, 8) and _are_hex(parents, 8):
        return groups
    return [([_respelt(span) for span in spans], resource, scope) for spans, resource, scope in groups]


def _are_hex(ids: Collection[str], size: int) -> bool:
    """True where all are `size` bytes in lower-case digits, and none is zero."""
    together = "".join(ids)
    try:
        same = bytes.fromhex(together).hex() == together
    except ValueError:
        return False
    return same and {*map(len, ids)} <= {2 * size} and "0" * 2 * size not in ids


def _respelt(span: _AnySpan) -> _AnySpan:
    own, parent = _id(span.span_id, 8) or _bad_id(), _id(span.parent_span_id, 8)
    return msgspec.structs.replace(span, span_id=own, parent_span_id=parent)


def _id(text: str, size: int) -> str:
    """Returns `size` bytes as hex, or "" where the id is empty or all zeros. Hex and base64 differ in length."""
    length = len(text)
    if not length:
        return ""
    try:
        if length == 2 * size:
            raw = bytes.fromhex(text)
        elif text.endswith("="):
            raw = b64decode(text, validate=True)
        else:
            raw = bytes.fromhex(text.rjust(2 * size, "0"))
    except (Base64Error, ValueError):
        _bad_id()
    if len(raw) != size:
        _bad_id()
    digits = raw.hex()
    return digits if digits.strip("0") else ""


def _bad_id() -> NoReturn:
    raise BadResponse("A trace or span id is not an id.")


def _bad_time() -> NoReturn:
    raise BadResponse("A time is outside of 64 bits.")


class _Shared:
    """Resources and scopes of one document by their bytes: those that are written alike are one."""

    def __init__(self) -> None:
        self._resources: dict[bytes, Resource] = {}
        self._scopes: dict[bytes, InstrumentationScope] = {}

    def resource(self, raw: msgspec.Raw) -> Resource:
        """Returns the resource."""
        text = bytes(raw)
        known = self._resources.get(text)
        if known is None:
            told = _decoded(_RESOURCE, text)
            known = self._resources[text] = Resource(_attributes(told.attributes)) if told else NO_RESOURCE
        return known

    def scope(self, raw: msgspec.Raw) -> InstrumentationScope:
        """Returns the scope, NO_SCOPE for one that says nothing."""
        text = bytes(raw)
        known = self._scopes.get(text)
        if known is None:
            told = _decoded(_SCOPE, text)
            says = told is not None and (told.name or told.version or told.attributes)
            known = self._scopes[text] = (
                InstrumentationScope(told.name, told.version, _attributes(told.attributes)) if says else NO_SCOPE
            )
        return known


def _decoded(decoder: msgspec.json.Decoder[T], text: bytes | bytearray | memoryview) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadResponse("The answer is not OTLP JSON.") from exc
    except RecursionError as exc:
        raise _too_deep() from exc


def _too_deep() -> BadResponse:
    return BadResponse("An attribute is nested too deeply.")


def _event(event: wire.WireEvent) -> SpanEvent:
    time = int(event.time_unix_nano)
    if time >> 64:
        _bad_time()
    return SpanEvent(event.name, time, _attributes(event.attributes), event.dropped_attributes_count)


def _link(link: wire.WireLink) -> SpanLink:
    return SpanLink(
        TraceId(_id(link.trace_id, 16)),
        SpanId(_id(link.span_id, 8)),
        link.trace_state,
        _attributes(link.attributes),
        link.dropped_attributes_count,
    )


def _attributes(pairs: list[wire.KeyValue]) -> Attributes:
    if not pairs:
        return NO_ATTRIBUTES
    found: Attributes = {}
    for pair in pairs:
        value = pair.value
        # Most attributes are strings: one test for them instead of a call.
        if value is not None and value.string_value is not None:
            found[intern(pair.key)] = value.string_value
        else:
            found[intern(pair.key)] = attribute_value(value)
    return found


def attribute_value(value: wire.AnyValue | None) -> AttributeValue:
    """Returns an AnyValue of OTLP JSON in Python's types; None for one that has nothing set."""
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return _int64(value.int_value)
    if value.double_value is not None:
        return _double(value.double_value)
    if value.bool_value is not None:
        return value.bool_value
    if value.array_value is not None:
        return [attribute_value(item) for item in value.array_value.values]
    if value.kvlist_value is not None:
        return {pair.key: attribute_value(pair.value) for pair in value.kvlist_value.values}
    if value.bytes_value is not None:
        return _base64(value.bytes_value)
    return None


def _int64(value: int | str) -> int:
    try:
        number = int(value)
    except ValueError as exc:
        raise _no_number() from exc
    if not _MIN_INT64 <= number <= _MAX_INT64:
        raise BadResponse("An integer attribute is outside of 64 bits.")
    return number


def _double(value: float | str) -> float:
    try:
        return float(value)
    except ValueError as exc:
        raise _no_number() from exc


def _no_number() -> BadResponse:
    return BadResponse("A number is not a number.")


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError) as exc:
        raise BadResponse("A value is not base64.") from exc
