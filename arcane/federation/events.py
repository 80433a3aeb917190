"""What a streamed answer says while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from arcane.federation.merge import Position
from arcane.federation.question import Found
from arcane.model.hit import TraceHit
from arcane.model.outcome import SourceOutcome


class Ending(StrEnum):
    """Why a stream ended."""

    RANGE = "range"  # everything in the range was given
    LIMIT = "limit"  # as many traces as were asked for
    BOUND = "bound"  # a bound of this instance was reached: rows, or time
    FAULT = "fault"  # a datasource failed before it was through


@dataclass(frozen=True, slots=True)
class Arrived:
    """A trace that matches, and the ids of the datasources it is known from so far.

    `position` is where it stands in the order newest first. With `again`, it takes the place of what
    was said of the same trace before.
    """

    hit: TraceHit
    origins: tuple[str, ...]
    position: Position
    again: bool = False
    whole: bool = True
    """Its extent and counts are known to be of the whole trace; else of what is known so far."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A datasource has answered once more: how many traces it gave and how many were looked at, so far."""

    source_id: str
    rows: int
    looked_at: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A datasource has said everything it is going to say."""

    outcome: SourceOutcome


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. `found` has the outcomes and where to go on; its hits are the page, where a limit was asked for.

    Rows that arrived and are not among those hits are older than the page reaches.
    """

    found: Found
    ending: Ending


Event: TypeAlias = "Arrived | Progress | Settled | Ended"
