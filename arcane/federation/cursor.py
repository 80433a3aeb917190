"""Search cursors: where each datasource goes on, signed, and good for the one question they were made for."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from arcane.federation.question import Resume
from arcane.kit.pagination import BadCursor, Cursors
from arcane.model.time import TimeRange

_KIND = "search"
_MARK_BYTES = 8


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """A datasource and where it goes on; `start` None where nothing is left."""

    datasource_id: str
    start: int | None = None
    trace_id: bytes = b""


class _Held(msgspec.Struct, array_like=True, frozen=True):
    fingerprint: bytes
    start: int
    end: int
    places: list[_Place]
    seen: bytes


def fingerprint(*parts: str | Sequence[str] | None) -> bytes:
    """Returns what tells one question from another: give it everything that decides the list but the page."""
    return blake2b(msgspec.msgpack.encode(parts), digest_size=16).digest()


def encode_cursor(cursors: Cursors, question: bytes, resume: Resume) -> str:
    """Returns the cursor of the page after; `question` is its fingerprint."""
    places = [
        _Place(source_id, place[0], bytes.fromhex(place[1])) if place else _Place(source_id)
        for source_id, place in resume.places.items()
    ]
    held = _Held(question, resume.within.start, resume.within.end, places, b"".join(resume.seen))
    return cursors.encode(_KIND, held)


def decode_cursor(cursors: Cursors, text: str, question: bytes) -> Resume:
    """Returns where the search goes on; raises BadCursor, TamperedCursor or ExpiredCursor."""
    held = cursors.decode(_KIND, text, _Held)
    if held.fingerprint != question:
        raise BadCursor("the cursor belongs to another query, or to other datasources")
    places = {
        place.datasource_id: None if place.start is None else (place.start, place.trace_id.hex())
        for place in held.places
    }
    marks = range(0, len(held.seen), _MARK_BYTES)
    return Resume(TimeRange(held.start, held.end), places, tuple(held.seen[at : at + _MARK_BYTES] for at in marks))
