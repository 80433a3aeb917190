"""Trace and span ids: lower-case hex, always at full length.

Backends differ (Tempo strips leading zeros, Jaeger accepts base64); inside Arcane an id has
one spelling, so equality of text is equality of ids.
"""

import re
from typing import NewType

TraceId = NewType("TraceId", str)
SpanId = NewType("SpanId", str)

TRACE_ID_LENGTH = 32
SPAN_ID_LENGTH = 16
_HEX = frozenset("0123456789abcdef")
_is_span_id = re.compile(r"(?!0{16})[0-9a-f]{16}").fullmatch
_is_trace_id = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch


def parse_trace_id(text: str) -> TraceId:
    """Returns `text` as 32 lower-case hex digits, zero-padded on the left.

    Raises ValueError when `text` is empty, longer than 32 digits, all zeros, or not hex.
    """
    # Nearly all ids come as they should be: one look tells, where putting them right takes eight.
    if _is_trace_id(text):
        return text  # type: ignore[return-value] # TraceId(text) is a call, and this is asked for every hit
    return TraceId(_parse(text, TRACE_ID_LENGTH, "trace id"))


def parse_span_id(text: str) -> SpanId:
    """Returns `text` as 16 lower-case hex digits, zero-padded on the left; raises ValueError otherwise."""
    if _is_span_id(text):
        return text  # type: ignore[return-value] # see above
    return SpanId(_parse(text, SPAN_ID_LENGTH, "span id"))


def _parse(text: str, length: int, noun: str) -> str:
    digits = text.strip().lower()
    if not digits or len(digits) > length or not _HEX.issuperset(digits):
        raise ValueError(f"a {noun} is 1 to {length} hex digits")
    padded = digits.rjust(length, "0")
    if padded.count("0") == length:
        raise ValueError(f"a {noun} is not all zeros")
    return padded
