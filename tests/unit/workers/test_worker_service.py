"""The backend knows the workers that announced themselves lately, and lets in only those with the key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from arcane.messaging.envelope import Body
from arcane.messaging.workers import ANNOUNCEMENTS_PATH, SILENCE_S, WorkerAnnouncement
from arcane.workers.service import MOST_WORKERS, WorkerService
from arcane.workers.sessions import UnreadableWorkerMessage, WorkerRefused
from tests.support.workers import Caller, door_of

KEY = "k" * 32


@dataclass
class Watch:
    time: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def announcement(watch: Watch, name: str) -> WorkerAnnouncement:
    return WorkerAnnouncement(name=name, version="1", started_at=watch.time, runs=())


def say(service: WorkerService, watch: Watch, body: Body, key: str = KEY) -> None:
    caller = Caller(service.door, watch, key=key)
    service.announce(*caller.signed(ANNOUNCEMENTS_PATH, body))


def test_a_worker_that_announced_itself_is_present_until_it_falls_silent() -> None:
    watch = Watch()
    service = WorkerService(door_of(KEY, watch), watch)
    say(service, watch, announcement(watch, "b"))
    watch.time += timedelta(seconds=SILENCE_S / 2)
    say(service, watch, announcement(watch, "a"))
    assert [worker.announcement.name for worker in service.present()] == ["a", "b"]
    watch.time += timedelta(seconds=SILENCE_S / 2 + 1)
    assert [worker.announcement.name for worker in service.present()] == ["a"]


def test_a_stranger_is_refused() -> None:
    watch = Watch()
    service = WorkerService(door_of(KEY, watch), watch)
    with pytest.raises(WorkerRefused, match="does not fit"):
        say(service, watch, announcement(watch, "a"), key="x" * 32)
    assert service.present() == []


def test_without_a_key_nobody_is_let_in() -> None:
    watch = Watch()
    with pytest.raises(WorkerRefused, match="ARCANE_WORKER__KEY"):
        say(WorkerService(door_of(None, watch), watch), watch, announcement(watch, "a"))


def test_a_message_of_another_release_is_named_as_such() -> None:
    watch = Watch()

    class Farewell(Body, frozen=True, kw_only=True, tag="farewell"):
        pass

    with pytest.raises(UnreadableWorkerMessage):
        say(WorkerService(door_of(KEY, watch), watch), watch, Farewell())


def test_the_number_of_workers_is_bounded() -> None:
    watch = Watch()
    service = WorkerService(door_of(KEY, watch), watch)
    for number in range(MOST_WORKERS):
        say(service, watch, announcement(watch, f"w{number}"))
    with pytest.raises(WorkerRefused, match="already"):
        say(service, watch, announcement(watch, "one too many"))
    say(service, watch, announcement(watch, "w0"))
