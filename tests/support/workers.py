"""A worker's side of the internal API, without a process: it gets sessions, signs requests and opens envelopes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec

from arcane.kit.clock import Clock
from arcane.kit.signing import Signer
from arcane.messaging.envelope import Body, Envelope
from arcane.messaging.sessions import (
    NONCE_BYTES,
    SESSION_HEADER,
    SESSIONS_PATH,
    Grant,
    SessionAnswer,
    SessionRequest,
    session_purpose,
    unsealed,
)
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from arcane.workers.sessions import WorkerDoor

Signed = tuple[bytes, dict[str, str]]


def door_of(key: str | None, clock: Clock, secret: bytes = b"an instance's own secret") -> WorkerDoor:
    """Returns the door of an instance whose workers share `key`."""
    return WorkerDoor(key, Signer.of([secret], "worker session"), clock)


@dataclass(slots=True)
class Caller:
    """A worker, as its requests show it."""

    door: WorkerDoor
    clock: Clock
    key: str = "k" * 32
    name: str = "w1"
    grants: Sequence[Grant] = tuple(Grant)
    instance: UUID = field(default_factory=uuid4)
    token: str = ""
    session_key: bytes = b""

    def opening(self) -> tuple[bytes, dict[str, str], bytes]:
        """Returns a signed request for a session, and its nonce."""
        nonce = os.urandom(NONCE_BYTES)
        request = SessionRequest(name=self.name, instance=self.instance, grants=tuple(self.grants), nonce=nonce)
        content = self.enveloped(request)
        headers = signed_headers(
            worker_signer(self.key), SignedRequest("POST", SESSIONS_PATH, content), self.clock.now()
        )
        return content, headers, nonce

    def open(self) -> None:
        """From now on this worker has a session."""
        content, headers, nonce = self.opening()
        answer = msgspec.json.decode(self.door.open(content, headers), type=SessionAnswer)
        self.token = answer.token
        self.session_key = unsealed(self.key.encode(), answer.sealed_key, session_purpose(nonce))

    def signed(self, path: str, body: Body) -> Signed:
        """Returns body and headers of a request in this worker's session, which it gets if it has none."""
        if not self.token:
            self.open()
        content = self.enveloped(body)
        signer = Signer((self.session_key,))
        headers = signed_headers(signer, SignedRequest("POST", path, content), self.clock.now())
        return content, headers | {SESSION_HEADER: self.token}

    def enveloped(self, body: Body) -> bytes:
        """Returns the body as it travels."""
        return msgspec.json.encode(Envelope.around(body, id=uuid4(), sent_at=self.clock.now()))
