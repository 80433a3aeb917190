"""Traces in memory, newest first, within a bound. Belongs to one thread: the event loop's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from arcane.spi import TimeRange, Trace, TraceId
from datasources.otlp_file.reader import FileKey, Slice

_TRACE_WEIGHT = 1_000
"""A trace, its entry and its places in dictionaries."""
_REMEMBERED_DROPPED = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A trace, what it is found by, and where it came from."""

    trace: Trace
    services: frozenset[str]
    files: set[FileKey]
    weight: int


class TraceIndex:
    """What was read, up to `max_weight` bytes; over it the oldest traces are dropped."""

    def __init__(self, max_weight: int) -> None:
        self.weight = 0
        self.spans = 0
        self.dropped = 0
        """How many traces did not fit."""
        self.dropped_until = 0
        """Start of the newest trace that did not fit: a window that reaches back to it is not answered in full."""
        self._max_weight = max_weight
        self._entries: dict[TraceId, Entry] = {}
        self._dropped_ids: dict[TraceId, None] = {}
        self._newest_first: list[Entry] | None = None
        self._longest = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, trace_id: TraceId) -> Trace | None:
        """Returns the trace, or None."""
        entry = self._entries.get(trace_id)
        return entry.trace if entry else None

    def add(self, piece: Slice) -> None:
        """Knows the spans of `piece` too. A span that was read before (a file that was read again) counts once."""
        for trace_id, group in piece.groups.items():
            if trace_id in self._dropped_ids:
                continue  # the rest of a trace whose beginning is gone
            known = self._entries.get(trace_id)
            if known is None:
                self._put(Trace(trace_id, group.spans), {piece.file}, group.weight + _TRACE_WEIGHT)
                continue
            known.files.add(piece.file)  # a copy too: it stays when the file that was read first is deleted
            trace = known.trace.with_spans(group.spans)
            if trace is not known.trace:
                self._put(trace, known.files, known.weight + group.weight)
        self._shrink()

    def forget(self, files: set[FileKey]) -> None:
        """Drops the traces that no other file has anything of."""
        if files:
            for entry in list(self._entries.values()):
                entry.files.difference_update(files)
                if not entry.files:
                    self._remove(entry.trace.trace_id)

    def overlapping(self, within: TimeRange) -> Iterator[Entry]:
        """Yields the traces that overlap the window, newest first. What is added meanwhile is not among them."""
        entries = self._ordered()
        earliest = within.start - self._longest
        for entry in islice(entries, _first_not_after(entries, within.end), None):
            trace = entry.trace
            if trace.start < earliest:
                return
            if trace.end >= within.start:
                yield entry

    def newest(self) -> int | None:
        """Start of the newest trace, or None."""
        entries = self._ordered()
        return entries[0].trace.start if entries else None

    def _put(self, trace: Trace, files: set[FileKey], weight: int) -> None:
        if trace.trace_id in self._entries:
            self._remove(trace.trace_id)
        services = frozenset(span.service_name for span in trace.spans)
        self._entries[trace.trace_id] = Entry(trace, services, files, weight)
        self.weight += weight
        self.spans += len(trace.spans)
        self._longest = max(self._longest, trace.duration)
        self._newest_first = None

    def _remove(self, trace_id: TraceId) -> None:
        entry = self._entries.pop(trace_id)
        self.weight -= entry.weight
        self.spans -= len(entry.trace.spans)
        self._newest_first = None

    def _shrink(self) -> None:
        """Drops the oldest traces, a tenth more than it has to, so that it need not sort for every slice."""
        if self.weight <= self._max_weight:
            return
        for entry in reversed(self._ordered()):
            if self.weight <= self._max_weight * 9 // 10:
                break
            self._remove(entry.trace.trace_id)
            self._dropped_ids[entry.trace.trace_id] = None
            self.dropped += 1
            self.dropped_until = max(self.dropped_until, entry.trace.end)
        for trace_id in list(islice(self._dropped_ids, max(0, len(self._dropped_ids) - _REMEMBERED_DROPPED))):
            del self._dropped_ids[trace_id]

    def _ordered(self) -> list[Entry]:
        if self._newest_first is None:
            self._newest_first = sorted(
                self._entries.values(), key=lambda entry: (entry.trace.start, entry.trace.trace_id), reverse=True
            )
        return self._newest_first


def _first_not_after(newest_first: list[Entry], end: int) -> int:
    """Returns the index of the first trace that starts at `end` or before."""
    low, high = 0, len(newest_first)
    while low < high:
        middle = (low + high) // 2
        if newest_first[middle].trace.start > end:
            low = middle + 1
        else:
            high = middle
    return low
