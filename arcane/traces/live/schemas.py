"""What the events of live views hold, as they are encoded."""

from __future__ import annotations

import msgspec

from arcane.model.outcome import SourceOutcome
from arcane.traces.bodies import HitBody
from arcane.traces.live.watching import WatchedSource


class OpenBody(msgspec.Struct, frozen=True):
    """`open`: what is watched, of whom, and how often they are asked."""

    query: str
    sources: tuple[WatchedSource, ...]
    poll_s: float
    overlap_s: float


class TraceBody(msgspec.Struct, frozen=True):
    """`trace`: a trace that matches. With `again` it takes the place of what was said of the same trace before."""

    trace: HitBody
    again: bool


class PollBody(msgspec.Struct, frozen=True):
    """`poll`: a datasource was asked once more."""

    at: str
    source: SourceOutcome


class DroppedBody(msgspec.Struct, frozen=True):
    """`dropped`: so many traces were not taken in time and are gone."""

    count: int


class EndBody(msgspec.Struct, frozen=True):
    """`end`: the view is over. After `changed` and `quiet` it may be opened again."""

    reason: str
    message: str


class StateBody(msgspec.Struct, frozen=True):
    """`state`: the datasources were asked once more for the trace; `quiet` is the last one."""

    at: str
    state: str
    since: str
    sources: tuple[SourceOutcome, ...]
