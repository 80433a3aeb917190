"""Sessions of workers: the shared key opens one door, and what is behind it needs a session that is for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from arcane.kit.signing import Signer
from arcane.messaging.envelope import Body
from arcane.messaging.jobs import CLAIMS_PATH, KEYS_PATH, ClaimRequest, KeyRequest
from arcane.messaging.sessions import (
    SESSION_HEADER,
    CannotUnseal,
    Grant,
    key_purpose,
    sealed,
    unsealed,
)
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from arcane.workers.sessions import SESSION_S, NotGranted, UnreadableWorkerMessage, WorkerDoor, WorkerRefused
from tests.support.workers import Caller, door_of

KEY = "k" * 32
CLAIM = ClaimRequest(jobs=(UUID(int=1),))


@dataclass
class Watch:
    time: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def door(watch: Watch) -> WorkerDoor:
    return door_of(KEY, watch)


def test_a_session_says_who_it_is_and_opens_what_it_is_for(door: WorkerDoor, watch: Watch) -> None:
    caller = Caller(door, watch, name="nine", grants=[Grant.JOBS])
    session, said = door.entered(CLAIMS_PATH, *caller.signed(CLAIMS_PATH, CLAIM), ClaimRequest)
    assert (session.name, session.instance, session.grants) == ("nine", caller.instance, (Grant.JOBS,))
    assert said == CLAIM


def test_a_session_is_refused_for_what_it_was_not_given(door: WorkerDoor, watch: Watch) -> None:
    caller = Caller(door, watch, grants=[Grant.JOBS])
    request = KeyRequest(job=UUID(int=1), configuration=UUID(int=2))
    with pytest.raises(NotGranted, match="keys"):
        door.read(KEYS_PATH, *caller.signed(KEYS_PATH, request), KeyRequest)


def test_the_shared_key_alone_opens_nothing_but_the_first_door(door: WorkerDoor, watch: Watch) -> None:
    caller = Caller(door, watch)
    content = caller.enveloped(CLAIM)
    headers = signed_headers(worker_signer(KEY), SignedRequest("POST", CLAIMS_PATH, content), watch.now())
    with pytest.raises(WorkerRefused, match="no session"):
        door.read(CLAIMS_PATH, content, headers, ClaimRequest)
    caller.open()
    with pytest.raises(WorkerRefused, match="signature"):
        door.read(CLAIMS_PATH, content, headers | {SESSION_HEADER: caller.token}, ClaimRequest)


def test_a_session_ends_by_itself(door: WorkerDoor, watch: Watch) -> None:
    caller = Caller(door, watch)
    caller.open()
    watch.time += timedelta(seconds=SESSION_S + 1)
    with pytest.raises(WorkerRefused, match="still good"):
        door.read(CLAIMS_PATH, *caller.signed(CLAIMS_PATH, CLAIM), ClaimRequest)


def test_every_process_of_the_instance_knows_a_session_and_no_other_instance_does(watch: Watch) -> None:
    caller = Caller(door_of(KEY, watch), watch)
    request = caller.signed(CLAIMS_PATH, CLAIM)
    assert door_of(KEY, watch).read(CLAIMS_PATH, *request, ClaimRequest) == CLAIM
    with pytest.raises(WorkerRefused):
        door_of(KEY, watch, secret=b"another instance's").read(CLAIMS_PATH, *request, ClaimRequest)


def test_who_holds_the_shared_key_cannot_make_a_session(door: WorkerDoor, watch: Watch) -> None:
    forger = WorkerDoor(KEY, Signer.of([KEY.encode()], "worker session"), watch)
    caller = Caller(forger, watch)
    with pytest.raises(WorkerRefused):
        door.read(CLAIMS_PATH, *caller.signed(CLAIMS_PATH, CLAIM), ClaimRequest)


def test_a_stranger_gets_no_session(door: WorkerDoor, watch: Watch) -> None:
    with pytest.raises(WorkerRefused, match="does not fit"):
        Caller(door, watch, key="x" * 32).open()


def test_a_session_is_for_somebody_with_a_name(door: WorkerDoor, watch: Watch) -> None:
    for name in ("", "n" * 201):
        with pytest.raises(UnreadableWorkerMessage):
            Caller(door, watch, name=name).open()


def test_a_request_that_was_changed_on_its_way_is_refused(door: WorkerDoor, watch: Watch) -> None:
    caller = Caller(door, watch)
    content, headers = caller.signed(CLAIMS_PATH, CLAIM)
    changed: Body = ClaimRequest(jobs=(UUID(int=7),))
    with pytest.raises(WorkerRefused, match="signature"):
        door.read(CLAIMS_PATH, caller.enveloped(changed), headers, ClaimRequest)
    assert door.read(CLAIMS_PATH, content, headers, ClaimRequest) == CLAIM


def test_what_is_sealed_opens_with_its_key_and_for_its_purpose_alone() -> None:
    job, configuration = uuid4(), uuid4()
    envelope = sealed(b"s" * 32, b"secret", key_purpose(job, configuration))
    assert b"secret" not in envelope
    assert unsealed(b"s" * 32, envelope, key_purpose(job, configuration)) == b"secret"
    for key, purpose in (
        (b"t" * 32, key_purpose(job, configuration)),
        (b"s" * 32, key_purpose(uuid4(), configuration)),
    ):
        with pytest.raises(CannotUnseal):
            unsealed(key, envelope, purpose)
    with pytest.raises(CannotUnseal):
        unsealed(b"s" * 32, b"", "")
