"""One file that grows: what is new in it since the last look, in slices."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.spi import BadResponse, Notice
from datasources.otlp_file.places import Place
from datasources.otlp_file.streams import MAX_DOCUMENT_BYTES, PackedStream, Stream, open_stream, read_head


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, counted from 1. One that has not `ended` may still be written to."""

    number: int
    text: bytes
    ended: bool = True


class FollowedFile:
    """Remembers how far a file was read. A file that shrank or begins differently is read from its beginning."""

    def __init__(self, place: Place, max_line_bytes: int = MAX_DOCUMENT_BYTES) -> None:
        self.place = place
        self._max_line_bytes = max_line_bytes
        self.behind = True
        """True while there may be something that was not read."""
        self.read_bytes = 0
        """Of the file as it lies on disk; exact for plain files."""
        self.bad_lines = 0
        self.first_bad_line = 0
        self.problem: str | None = None
        self._head = b""
        self._position = 0
        self._line = 0
        self._rest = b""
        self._overlong = False
        self._denied = False
        self._stream: Stream | None = None

    def look(self, place: Place) -> None:
        """Knows what the file is now; `behind` is True when it is not what it was."""
        before, self.place = self.place, place
        if self._denied or (place.size, place.changed_ns) != (before.size, before.changed_ns):
            self.behind = True  # a file that may be read now has not changed for it
            self.problem, self._denied = None, False
            if place.size < before.size:
                self._begin_again()

    def next_lines(self, size: int) -> list[Line]:
        """Returns about `size` bytes of new lines, numbered from 1; `behind` is False when those were the last."""
        try:
            return self._next_lines(size)
        except BadResponse as exc:
            self._stop(exc.message)
        except OSError:
            self._denied = True
            self._stop(Notice("The file cannot be read."))
        return []

    def found_bad(self, number: int) -> None:
        """Counts a line that is not OTLP JSON."""
        self.bad_lines += 1
        self.first_bad_line = self.first_bad_line or number

    def took_unended(self) -> None:
        """Knows that the line that has not ended was whole after all."""
        self._rest = b""

    def close(self) -> None:
        """Closes the file if it is open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _next_lines(self, size: int) -> list[Line]:
        stream = self._opened()
        chunk = stream.read(size)
        self._position = stream.position
        if not chunk:
            self.behind = False
            self.read_bytes = self.place.size
            self.problem = Notice("The compressed file ends in the middle.") if stream.is_cut else None
            self.close()
            return self._last_line()
        if not isinstance(stream, PackedStream):
            self.read_bytes = stream.position
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        lines = [line for line in map(self._numbered, whole) if line.text]
        if len(self._rest) > self._max_line_bytes:
            self._give_up_line()
        return lines

    def _opened(self) -> Stream:
        if self._stream is None:
            head = read_head(self.place.path)
            if not head.startswith(self._head):
                self._begin_again()
            self._head = head
            self._stream = open_stream(self.place.path, head, self._position)
        return self._stream

    def _numbered(self, text: bytes) -> Line:
        self._line += 1
        if self._overlong:
            self._overlong = False
            text = b""
        return Line(self._line, text.strip())

    def _give_up_line(self) -> None:
        """The line that is being read is over the bound: it counts as bad now, for its end may never come."""
        if not self._overlong:
            self.found_bad(self._line + 1)
        self._rest, self._overlong = b"", True

    def _last_line(self) -> list[Line]:
        """A line that has no end yet is whole when it closes what it opened; if not, its writer is still at it."""
        rest = self._rest.strip()
        if self._overlong or not rest.endswith(b"}"):
            return []
        return [Line(self._line + 1, rest, ended=False)]

    def _begin_again(self) -> None:
        self.close()
        self._head, self._rest, self._position, self._line = b"", b"", 0, 0
        self._overlong = False
        self.bad_lines = self.first_bad_line = 0

    def _stop(self, problem: str) -> None:
        self.problem = problem
        self.behind = False
        self.close()
