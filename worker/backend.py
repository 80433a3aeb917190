"""The worker's only peer."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import anyio
import httpx
import msgspec

from arcane.kit.clock import Clock
from arcane.kit.signing import Signer
from arcane.messaging.envelope import Body, Envelope
from arcane.messaging.sessions import (
    NONCE_BYTES,
    SESSION_HEADER,
    SESSIONS_PATH,
    CannotUnseal,
    Grant,
    SessionAnswer,
    SessionRequest,
    session_purpose,
    unsealed,
)
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from worker.settings import WorkerSettings

_RENEWED_AFTER = 0.8
"""A session is renewed when so much of it is over."""


class BackendUnreachable(Exception):
    """No answer, or a server error: try again later."""


class BackendRefused(Exception):
    """The backend does not take this; sending it again changes nothing. `status` is what it answered."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """What this process may do for a while, and the key that it signs with."""

    token: str
    key: bytes
    renew_at: float

    @property
    def signer(self) -> Signer:
        """What signs this session's requests."""
        return Signer((self.key,))


@dataclass(slots=True, repr=False)
class Backend:
    """Sends signed messages to the backend, in a session that it gets and renews by itself."""

    client: httpx.AsyncClient  # noqa: TID251 - see `connected`
    key: str
    name: str
    clock: Clock
    grants: Sequence[Grant] = tuple(Grant)
    instance: UUID = field(default_factory=uuid4)
    _session: Session | None = None
    _opening: anyio.Lock = field(default_factory=anyio.Lock)

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, settings: WorkerSettings, clock: Clock, grants: Sequence[Grant] = tuple(Grant)
    ) -> AsyncIterator[Backend]:
        """Yields the backend of `settings`; its connections close with the block. Sessions are for `grants` alone."""
        # Not arcane.kit.egress: that guards where *users* point datasources to, the operator named this address.
        async with httpx.AsyncClient(  # noqa: TID251
            base_url=settings.backend_url, timeout=settings.request_timeout_s, trust_env=False
        ) as client:
            yield cls(client, settings.key.get_secret_value(), settings.name, clock, grants)

    async def send(self, path: str, body: Body) -> None:
        """The backend has taken `body`. Raises BackendUnreachable or BackendRefused."""
        await self.ask(path, body)

    async def ask(self, path: str, body: Body, *, wait_s: float = 0.0) -> bytes:
        """Returns what the backend answers, for which it may take `wait_s` longer than usual. Raises as `send`."""
        return (await self.asked(path, body, wait_s=wait_s))[0]

    async def asked(self, path: str, body: Body, *, wait_s: float = 0.0) -> tuple[bytes, Session]:
        """Returns what the backend answers, and the session it answered in. Raises as `send`."""
        session = await self._current(None)
        try:
            return await self._post(path, body, session, wait_s), session
        except BackendRefused as exc:
            if exc.status != 401:
                raise
        session = await self._current(session)  # it ended early: the instance's keys were changed
        return await self._post(path, body, session, wait_s), session

    async def is_there(self) -> bool:
        """Returns True when the backend answers its health check."""
        try:
            return (await self.client.get("/health")).is_success
        except (httpx.TransportError, httpx.InvalidURL):
            return False

    async def _current(self, refused: Session | None) -> Session:
        async with self._opening:
            session = self._session
            if session is None or session is refused or session.renew_at <= time.monotonic():
                session = self._session = await self._open()
            return session

    async def _open(self) -> Session:
        nonce = os.urandom(NONCE_BYTES)
        request = SessionRequest(name=self.name, instance=self.instance, grants=tuple(self.grants), nonce=nonce)
        raw = await self._signed(SESSIONS_PATH, request, worker_signer(self.key), {}, 0.0)
        try:
            answer = msgspec.json.decode(raw, type=SessionAnswer)
            key = unsealed(self.key.encode(), answer.sealed_key, session_purpose(nonce))
        except (msgspec.MsgspecError, CannotUnseal) as exc:
            raise BackendUnreachable("the backend gave a session that cannot be read") from exc
        return Session(answer.token, key, time.monotonic() + answer.keep_s * _RENEWED_AFTER)

    async def _post(self, path: str, body: Body, session: Session, wait_s: float) -> bytes:
        return await self._signed(path, body, session.signer, {SESSION_HEADER: session.token}, wait_s)

    async def _signed(self, path: str, body: Body, signer: Signer, more: dict[str, str], wait_s: float) -> bytes:
        now = self.clock.now()
        content = msgspec.json.encode(Envelope.around(body, id=uuid4(), sent_at=now))
        headers = signed_headers(signer, SignedRequest("POST", path, content), now) | more
        usual = self.client.timeout.read or 0.0
        timeout = httpx.Timeout(usual, read=usual + wait_s)
        try:
            answer = await self.client.post(path, content=content, headers=headers, timeout=timeout)
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise BackendUnreachable(type(exc).__name__) from exc
        if answer.status_code >= 500 or answer.status_code == 429:
            raise BackendUnreachable(f"status {answer.status_code}")
        if not answer.is_success:
            raise BackendRefused(_reason(answer), answer.status_code)
        return answer.content


def _reason(answer: httpx.Response) -> str:
    """Returns what the problem detail says; the status alone when there is none."""
    try:
        detail = msgspec.json.decode(answer.content).get("detail")
    except (msgspec.DecodeError, AttributeError):
        detail = None
    return f"status {answer.status_code}: {detail}" if detail else f"status {answer.status_code}"
