"""Where the frames of a zstd file end (RFC 8878, 3.1); nothing is unpacked for it.

The library gives what it could unpack of a frame that was cut, and does not say that it was.
"""

from __future__ import annotations

import os
from typing import IO

import zstandard

_SKIPPABLE = b"\x2a\x4d\x18"
"""What follows the first byte of a skippable frame."""
_MAGIC_BYTES = 4
_LENGTH_BYTES = 4
_LONGEST_HEADER = 18
_BLOCK_HEADER_BYTES = 3
_CHECKSUM_BYTES = 4
_RLE = 1


def is_cut(file: IO[bytes]) -> bool:
    """Returns True when the file ends inside of a frame; raises ZstdError for what is none."""
    size, position = file.seek(0, os.SEEK_END), 0
    while position < size:
        end = _end_of_frame(file, position)
        if end is None:
            return True
        position = end
    return position > size


def _end_of_frame(file: IO[bytes], start: int) -> int | None:
    """Returns where the frame ends, or would end; None where not even that can be told."""
    file.seek(start)
    head = file.read(_LONGEST_HEADER)
    if head[1:_MAGIC_BYTES] == _SKIPPABLE:
        length = head[_MAGIC_BYTES : _MAGIC_BYTES + _LENGTH_BYTES]
        is_there = len(length) == _LENGTH_BYTES
        return start + _MAGIC_BYTES + _LENGTH_BYTES + int.from_bytes(length, "little") if is_there else None
    try:
        position = start + zstandard.frame_header_size(head)
        has_checksum = zstandard.get_frame_parameters(head).has_checksum
    except zstandard.ZstdError:
        if len(head) == _LONGEST_HEADER:
            raise
        return None
    is_last = False
    while not is_last:
        file.seek(position)
        block = file.read(_BLOCK_HEADER_BYTES)
        if len(block) < _BLOCK_HEADER_BYTES:
            return None
        fields = int.from_bytes(block, "little")
        is_last = bool(fields & 1)
        kind, size = fields >> 1 & 3, fields >> 3
        position += _BLOCK_HEADER_BYTES + (1 if kind == _RLE else size)
    return position + (_CHECKSUM_BYTES if has_checksum else 0)
