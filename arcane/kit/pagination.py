"""Pages of long lists: a signed cursor in, items and the next cursor out; no offsets, no totals.

A cursor is opaque to its holder and says where the last page ended, never how the list is filtered: the
filter comes with each request. Repositories page by key (`arcane.kit.keyset`), so a page costs the same wherever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import msgspec

from arcane.kit.clock import Clock, SystemClock
from arcane.kit.problems import Problem
from arcane.kit.signing import ExpiredToken, MalformedToken, Signer, TamperedToken

T = TypeVar("T")
P = TypeVar("P")

_VERSION = 1


class BadCursor(Problem):
    """The cursor is not one, or belongs to another list."""

    status = 400
    slug = "bad-cursor"
    title = "Bad cursor"


class TamperedCursor(Problem):
    """The cursor was changed after Arcane made it, or a key was rotated out meanwhile."""

    status = 400
    slug = "tampered-cursor"
    title = "Tampered cursor"


class ExpiredCursor(Problem):
    """The cursor is too old to continue from."""

    status = 400
    slug = "expired-cursor"
    title = "Expired cursor"


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads cursors. `max_age` None means they do not expire."""

    signer: Signer
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
    max_age: timedelta | None = None

    def encode(self, kind: str, position: Any) -> str:
        """Returns the cursor of the list `kind` after `position` (anything msgspec encodes)."""
        payload = msgspec.msgpack.encode((_VERSION, kind, position))
        expires = self.clock.now() + self.max_age if self.max_age else None
        return self.signer.token(payload, expires=expires)

    def decode(self, kind: str, cursor: str, position: type[P]) -> P:
        """Returns the position a cursor of `kind` holds; raises BadCursor, TamperedCursor or ExpiredCursor."""
        try:
            payload = self.signer.payload(cursor, now=self.clock.now())
        except MalformedToken:
            raise BadCursor("the cursor is not one this instance made") from None
        except TamperedToken:
            raise TamperedCursor("the cursor was changed, or its key was rotated out; start again") from None
        except ExpiredToken:
            raise ExpiredCursor("the cursor is too old; start again") from None
        try:
            version, made_for, raw = msgspec.msgpack.decode(payload, type=tuple[int, str, msgspec.Raw])
            if version != _VERSION or made_for != kind:
                raise BadCursor("the cursor belongs to another list")
            return msgspec.msgpack.decode(raw, type=position)
        except msgspec.MsgspecError:
            raise BadCursor("the cursor is of another release; start again") from None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of what follows; None at the end."""

    items: tuple[T, ...]
    next: str | None
