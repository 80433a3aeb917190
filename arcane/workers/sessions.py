"""The door of the internal API: who may come in, with what, and how a worker gets a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from arcane.kit.clock import Clock
from arcane.kit.problems import Problem
from arcane.kit.signing import Signer, TokenError
from arcane.messaging.envelope import Body, Envelope, UnreadableMessage
from arcane.messaging.sessions import (
    GRANT_OF,
    NONCE_BYTES,
    SESSION_HEADER,
    SESSIONS_PATH,
    Grant,
    SessionAnswer,
    SessionRequest,
    sealed,
    session_purpose,
)
from arcane.messaging.signature import SignatureRefused, SignedRequest, verify, worker_signer

SESSION_S = 900.0
NAME_MAX = 200

BodyType = TypeVar("BodyType", bound=Body)


class WorkerRefused(Problem):
    """A message that does not come from a worker of this instance."""

    status = 401
    slug = "worker-refused"
    title = "Worker refused"


class NotGranted(Problem):
    """The worker's session is not for this."""

    status = 403
    slug = "worker-not-granted"
    title = "Not granted to this worker"


class UnreadableWorkerMessage(Problem):
    """A signed message that this release cannot read; worker and backend differ in version."""

    status = 400
    slug = "unreadable-worker-message"
    title = "Unreadable worker message"


class WorkerSession(msgspec.Struct, frozen=True, array_like=True):
    """Which worker it is, and what it may do."""

    name: str
    instance: UUID
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, repr=False)
class WorkerDoor:
    """Where signed messages of workers come in. Without a shared `key` nobody does.

    `tokens` signs sessions. It is the instance's own: a worker cannot make a session, its own or another's.
    """

    key: str | None
    tokens: Signer
    clock: Clock

    def open(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Returns a SessionAnswer for whoever holds the shared key. Raises WorkerRefused, UnreadableWorkerMessage."""
        if self.key is None:
            raise WorkerRefused("this instance has no ARCANE_WORKER__KEY")
        self._verified(worker_signer(self.key), SignedRequest("POST", SESSIONS_PATH, body), headers)
        request = _read(body, SessionRequest)
        if not 1 <= len(request.name) <= NAME_MAX or len(request.nonce) != NONCE_BYTES:
            raise UnreadableWorkerMessage("a session needs a name and a nonce")
        session = WorkerSession(request.name, request.instance, request.grants)
        expires = self.clock.now() + timedelta(seconds=SESSION_S)
        token = self.tokens.token(msgspec.msgpack.encode(session), expires=expires)
        answer = SessionAnswer(
            token=token,
            sealed_key=sealed(self.key.encode(), self.key_of(token), session_purpose(request.nonce)),
            keep_s=SESSION_S,
        )
        return msgspec.json.encode(answer)

    def read(self, path: str, body: bytes, headers: Mapping[str, str], kind: type[BodyType]) -> BodyType:
        """Returns what a worker says whose session is for `path`. Raises as `entered` does."""
        return self.entered(path, body, headers, kind)[1]

    def entered(
        self, path: str, body: bytes, headers: Mapping[str, str], kind: type[BodyType]
    ) -> tuple[WorkerSession, BodyType]:
        """Returns who says what. Raises WorkerRefused, NotGranted, UnreadableWorkerMessage."""
        if self.key is None:
            raise WorkerRefused("this instance has no ARCANE_WORKER__KEY")
        token = headers.get(SESSION_HEADER, "")
        try:
            raw = self.tokens.payload(token, now=self.clock.now())
            session = msgspec.msgpack.decode(raw, type=WorkerSession)
        except (TokenError, msgspec.MsgspecError):
            raise WorkerRefused("the request has no session of this instance that is still good") from None
        self._verified(Signer((self.key_of(token),)), SignedRequest("POST", path, body), headers)
        if GRANT_OF[path] not in session.grants:
            raise NotGranted(f"this session is not for `{GRANT_OF[path]}`")
        return session, _read(body, kind)

    def key_of(self, token: str) -> bytes:
        """Returns the key that belongs to a token."""
        return self.tokens.mac(b"session key\n" + token.encode())

    def _verified(self, signer: Signer, request: SignedRequest, headers: Mapping[str, str]) -> None:
        try:
            verify(signer, request, headers, self.clock.now())
        except SignatureRefused as exc:
            raise WorkerRefused(str(exc)) from exc


def _read(body: bytes, kind: type[BodyType]) -> BodyType:
    try:
        return Envelope.read(body).content(kind)
    except UnreadableMessage as exc:
        raise UnreadableWorkerMessage(str(exc)) from exc
