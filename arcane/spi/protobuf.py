"""The fields of any protobuf message, without knowing the message: for walking what is too large to parse at once."""

from __future__ import annotations

from collections.abc import Iterator

from arcane.spi.errors import BadResponse

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def protobuf_fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields field number and value of a message's top level: numbers for varints, views for everything else.

    Raises BadResponse where the bytes end early or are no protobuf.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            number, position = _varint(message, position)
            yield tag >> 3, number
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise BadResponse("The answer is not protobuf.")
        if position + length > end:
            raise BadResponse("The answer was cut off.")
        yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:  # ten bytes of seven bits hold 64 bits
        try:
            byte = message[position]
        except IndexError as exc:
            raise BadResponse("The answer was cut off.") from exc
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    raise BadResponse("The answer is not protobuf.")
