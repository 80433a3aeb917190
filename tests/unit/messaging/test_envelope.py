"""An envelope travels whole, says its kind, and tolerates a newer sender."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from arcane.messaging.envelope import Body, Envelope, UnreadableMessage
from arcane.messaging.workers import WorkerAnnouncement

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = UUID(int=7)
ANNOUNCEMENT = WorkerAnnouncement(name="w1", version="1", started_at=NOW, runs=("exact_match",))
WIRE = msgspec.json.encode(Envelope.around(ANNOUNCEMENT, id=ID, sent_at=NOW))


class Other(Body, frozen=True, kw_only=True, tag="other"):
    pass


def test_what_was_put_in_comes_out() -> None:
    envelope = Envelope.read(WIRE)
    assert (envelope.id, envelope.kind, envelope.sent_at) == (ID, "worker_announcement", NOW)
    assert envelope.content(WorkerAnnouncement) == ANNOUNCEMENT


def test_a_field_of_a_newer_sender_is_passed_over() -> None:
    newer = msgspec.json.decode(WIRE)
    newer["trace"], newer["body"]["gpu"] = "1-2-3", True
    assert Envelope.read(msgspec.json.encode(newer)).content(WorkerAnnouncement) == ANNOUNCEMENT


def test_another_kind_is_not_taken_for_the_one_asked_for() -> None:
    with pytest.raises(UnreadableMessage, match="not a other"):
        Envelope.read(WIRE).content(Other)


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"id": 1}'])
def test_what_is_no_envelope_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        Envelope.read(raw)
