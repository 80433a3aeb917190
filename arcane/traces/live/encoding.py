"""Events of live views as server-sent events with JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from arcane.kit.sse import frame
from arcane.model.notice import encoded
from arcane.traces.bodies import hit_body
from arcane.traces.live import schemas as s
from arcane.traces.live.follow import FollowEvent, Grown, Looked
from arcane.traces.live.watching import Dropped, Ended, Opened, Polled, TailEvent, Traced
from arcane.traces.streaming import grown_document
from arcane.traces.times import format_time

_ENCODER = msgspec.json.Encoder(enc_hook=encoded)


def tail_frames(events: Sequence[TailEvent]) -> Iterator[bytes]:
    """Yields a frame for each event."""
    for event in events:
        match event:
            case Traced(found, again):
                body = s.TraceBody(hit_body(found.hit, found.datasource_ids, found.whole), again)
                yield frame("trace", _ENCODER.encode(body))
            case Polled(outcome, at):
                yield frame("poll", _ENCODER.encode(s.PollBody(format_time(at), outcome)))
            case Opened(canonical, sources, poll_s, overlap_s):
                yield frame("open", _ENCODER.encode(s.OpenBody(canonical, sources, poll_s, overlap_s)))
            case Dropped(count):
                yield frame("dropped", _ENCODER.encode(s.DroppedBody(count)))
            case Ended():
                yield _end(event)


def follow_frames(events: Sequence[FollowEvent]) -> Iterator[bytes]:
    """Yields a frame for each event."""
    for event in events:
        match event:
            case Grown(answer, reading, spans):
                yield frame("spans", grown_document(answer, reading, spans))
            case Looked(at, quiet_since, quiet, sources):
                state = s.StateBody(format_time(at), "quiet" if quiet else "live", format_time(quiet_since), sources)
                yield frame("state", _ENCODER.encode(state))
            case Ended():
                yield _end(event)


def _end(event: Ended) -> bytes:
    return frame("end", _ENCODER.encode(s.EndBody(event.reason, event.message)))
