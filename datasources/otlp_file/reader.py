"""Reads what is new in all files, a slice at a time, in a worker thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from arcane.spi import BadResponse, Span, TraceId, decode_json
from datasources.otlp_file.follow import FollowedFile, Line
from datasources.otlp_file.places import Place, find_places

SLICE_BYTES = 512 * 1024
"""What is read and decoded at once: some 10 ms of a thread that holds the interpreter for most of it."""
_MEMORY_PER_BYTE = 2
"""Bytes of memory that a byte of OTLP JSON takes as spans; 1.6 was measured, and dictionaries come on top."""

FileKey = tuple[int, int]


@dataclass(slots=True)
class Group:
    """Spans of one trace that were read together, and about what they weigh in memory."""

    spans: list[Span] = field(default_factory=list)
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """What one read brought: spans by trace, all from one file."""

    file: FileKey
    groups: dict[TraceId, Group]


class Reader:
    """All files of a datasource, and how far each was read."""

    def __init__(self, pattern: str, roots: Sequence[Path]) -> None:
        self._pattern = pattern
        self._roots = tuple(roots)
        self._files: dict[FileKey, FollowedFile] = {}
        self._slices: deque[Slice] = deque()
        self._one_at_a_time = Lock()

    @property
    def files(self) -> tuple[FollowedFile, ...]:
        """The files there are."""
        return tuple(self._files.values())

    @property
    def is_behind(self) -> bool:
        """True while something was not read yet."""
        return any(file.behind for file in self._files.values())

    def look(self) -> set[FileKey]:
        """Knows which files there are now. Returns those that were deleted.

        A file whose path is taken by another was rotated away, not deleted: what was read of it stays.
        """
        with self._one_at_a_time:
            return self._look(find_places(self._pattern, self._roots))

    def _look(self, places: list[Place]) -> set[FileKey]:
        before, now = self._files, {}
        for place in places:
            known = before.get(place.key)
            if known is None:
                known = FollowedFile(place)
            else:
                known.look(place)
            now[place.key] = known
        self._files = now  # at once: other threads walk over it
        taken = {place.path for place in places}
        gone = [file for key, file in before.items() if key not in now]
        for file in gone:
            file.close()
        return {file.place.key for file in gone if file.place.path not in taken}

    def read_slice(self) -> bool:
        """Has read the next piece of the newest file that has one; False when there is nothing left to read.

        What was read is kept until it is `taken`, so nothing is lost when the caller is cancelled.
        """
        with self._one_at_a_time:
            behind = [file for file in self._files.values() if file.behind]
            if not behind:
                return False
            file = max(behind, key=lambda file: (file.place.changed_ns, file.place.path))
            groups: dict[TraceId, Group] = {}
            for line in file.next_lines(SLICE_BYTES):
                _add(file, line, groups)
            self._slices.append(Slice(file.place.key, groups))
            return True

    def taken(self) -> Iterator[Slice]:
        """Yields what was read since the last time."""
        while self._slices:
            yield self._slices.popleft()

    def close(self) -> None:
        """Closes every file."""
        with self._one_at_a_time:
            for file in self._files.values():
                file.close()


def _add(file: FollowedFile, line: Line, groups: dict[TraceId, Group]) -> None:
    try:
        spans = decode_json(line.text)
    except BadResponse:
        if line.ended:
            file.found_bad(line.number)
        return
    if not line.ended:
        file.took_unended()
    if not spans:
        return  # metrics and logs may stand in the same file
    weight = len(line.text) * _MEMORY_PER_BYTE // len(spans)
    for span in spans:
        group = groups.get(span.trace_id)
        if group is None:
            group = groups[span.trace_id] = Group()
        group.spans.append(span)
        group.weight += weight
