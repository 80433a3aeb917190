"""Events of a streamed answer as they are encoded. `stream_schemas` describes the same for readers."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from arcane.federation.events import Progress, Settled
from arcane.model.notice import encoded
from arcane.model.outcome import SourceOutcome
from arcane.traces.arriving import AnswerEnded, AnswerEvent, Asked, TraceArrived
from arcane.traces.bodies import HitBody, hit_body
from arcane.traces.times import format_time

_ENCODER = msgspec.json.Encoder(enc_hook=encoded)


class AskedSourceBody(msgspec.Struct, frozen=True, gc=False):
    """See stream_schemas.AskedSourceOut."""

    datasource_id: str
    name: str
    kind: str


class BeginBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="begin"):
    """See stream_schemas.BeginOut."""

    start: str
    end: str
    sources: list[AskedSourceBody]


class HitEventBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="hit"):
    """See stream_schemas.HitEventOut."""

    hit: HitBody
    at: str
    again: bool


class ProgressBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="progress"):
    """See stream_schemas.ProgressOut."""

    datasource_id: str
    rows: int
    looked_at: int
    elapsed_ms: float


class SettledBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="source"):
    """See stream_schemas.SettledOut."""

    source: SourceOutcome


class EndBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="end"):
    """See stream_schemas.EndOut."""

    ending: str
    complete: bool
    next: str | None
    order: tuple[str, ...] | None
    sources: tuple[SourceOutcome, ...]


class ProblemBody(msgspec.Struct, frozen=True, gc=False, tag_field="event", tag="problem"):
    """See stream_schemas.ProblemOut."""

    problem: dict[str, Any]


EventBody: TypeAlias = "BeginBody | HitEventBody | ProgressBody | SettledBody | EndBody | ProblemBody"


def begin_body(asked: Asked) -> BeginBody:
    """Returns what comes first: who is asked, and for when."""
    within = asked.question.within
    sources = [AskedSourceBody(source.id, source.name, source.kind) for source in asked.sources]
    return BeginBody(format_time(within.start), format_time(within.end), sources)


def event_body(event: AnswerEvent) -> EventBody:
    """Returns an event as it is encoded."""
    match event:
        case TraceArrived(found, (at, _), again):
            return HitEventBody(hit_body(found.hit, found.datasource_ids, found.whole), format_time(at), again)
        case Progress(source_id, rows, looked_at, elapsed_ms):
            return ProgressBody(source_id, rows, looked_at, elapsed_ms)
        case Settled(outcome):
            return SettledBody(outcome)
        case AnswerEnded():
            return EndBody(event.ending, event.complete, event.next, event.order, event.sources)


def ndjson(body: EventBody) -> bytes:
    """Returns an event as a line."""
    return _ENCODER.encode(body) + b"\n"


def sse(body: EventBody) -> bytes:
    """Returns an event as a server-sent event, its name beside its data."""
    return b"event: %s\ndata: %s\n\n" % (str(body.__struct_config__.tag).encode(), _ENCODER.encode(body))
