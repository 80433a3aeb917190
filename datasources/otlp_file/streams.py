"""The bytes of a file from where reading stopped, whatever they are packed in.

A file is told by its first bytes, not by its name: plain lines, lines in gzip or zstd as
logrotate leaves them, or what the collector's file exporter writes with `compression: zstd`,
where every document is a zstd frame behind four bytes of length.
"""

from __future__ import annotations

import gzip
import os
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Protocol, cast

import zstandard

from arcane.spi import BadResponse
from datasources.otlp_file import zstd_frames

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
HEAD_BYTES = 4_096
"""Enough to reach the first span: what one program writes begins with its resource, always the same."""
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
_LENGTH_BYTES = 4


class Stream(ABC):
    """An open file. `position` is where in its content the next read begins; it means something to `open_stream`."""

    is_cut = False
    """The content ends in the middle of something; more may come."""

    def __init__(self, file: IO[bytes], position: int) -> None:
        self.position = position
        self._file = file

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Returns about `size` bytes of lines, b"" when there are no more for now; raises BadResponse."""

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class PlainStream(Stream):
    """Lines as they are."""

    def read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        self.position += len(chunk)
        return chunk


class _Unpacking(Protocol):
    """What the two libraries have in common."""

    def read1(self, size: int = ..., /) -> bytes:
        """Returns at most `size` bytes that are there without waiting for more."""
        ...

    def close(self) -> None:
        """Frees the decompressor; the file below stays open."""
        ...


class PackedStream(Stream):
    """Lines in one or more gzip members or zstd frames; bounded in what one read unpacks."""

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        super().__init__(file, 0)
        self._is_zstd = head.startswith(_ZSTD)
        self._unpacked = _unpacking(file, head)

    def read(self, size: int) -> bytes:
        try:
            chunk = self._unpacked.read1(size)
            self.is_cut = not chunk and self._is_zstd and zstd_frames.is_cut(self._file)
        except EOFError:
            self.is_cut = True
            return b""
        except (OSError, zlib.error, zstandard.ZstdError) as exc:
            raise BadResponse("The compressed file is damaged.") from exc
        self.position += len(chunk)
        return chunk

    def close(self) -> None:
        self._unpacked.close()
        super().close()


class FramedStream(Stream):
    """Documents in zstd, each behind its length: the collector's own compression.

    One that is not whole is like a line without its end: the collector may still be at it.
    """

    def read(self, size: int) -> bytes:
        lines = bytearray()
        while len(lines) < size:
            frame = self._frame()
            if frame is None:
                break
            lines += self._unpack(frame).replace(b"\n", b" ") + b"\n"
        return bytes(lines)

    def _frame(self) -> bytes | None:
        head = self._file.read(_LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        if length > MAX_DOCUMENT_BYTES:
            raise BadResponse("The compressed file is damaged.")
        frame = self._file.read(length) if len(head) == _LENGTH_BYTES else b""
        if len(head) < _LENGTH_BYTES or len(frame) < length:
            self._file.seek(self.position)
            return None
        self.position += _LENGTH_BYTES + length
        return frame

    def _unpack(self, frame: bytes) -> bytes:
        try:
            if zstandard.frame_content_size(frame) > MAX_DOCUMENT_BYTES:
                raise BadResponse("A document in the compressed file is too large.")
            return zstandard.ZstdDecompressor().decompress(frame, max_output_size=MAX_DOCUMENT_BYTES)
        except zstandard.ZstdError as exc:
            raise BadResponse("The compressed file is damaged.") from exc


def read_head(path: Path) -> bytes:
    """Returns the first bytes of a file: they tell how it is packed, and that it is still the same content."""
    with _open(path) as file:
        return file.read(HEAD_BYTES)


def open_stream(path: Path, head: bytes, position: int) -> Stream:
    """Returns the file's content from `position` on."""
    file = _open(path)
    if head[_LENGTH_BYTES : 2 * _LENGTH_BYTES] == _ZSTD:
        file.seek(position)
        return FramedStream(file, position)
    if head.startswith((_GZIP, _ZSTD)):
        return _skipped(PackedStream(file, head), position)
    file.seek(position)
    return PlainStream(file, position)


def _open(path: Path) -> IO[bytes]:
    """The path was resolved: a link that stands there by now was put there since."""
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def _unpacking(file: IO[bytes], head: bytes) -> _Unpacking:
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file, mode="rb")
    return cast("_Unpacking", zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))


def _skipped(stream: Stream, position: int) -> Stream:
    """What was read before is unpacked again: a packed file that grows is rare, and cannot be entered in the middle."""
    while stream.position < position:
        if not stream.read(min(1024 * 1024, position - stream.position)):
            break
    return stream
