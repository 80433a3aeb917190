"""The worker's only peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx
import msgspec

from arcane.kit.clock import Clock
from arcane.kit.signing import Signer
from arcane.messaging.envelope import Body, Envelope
from arcane.messaging.signature import SignedRequest, signed_headers, worker_signer
from worker.settings import WorkerSettings


class BackendUnreachable(Exception):
    """No answer, or a server error: try again later."""


class BackendRefused(Exception):
    """The backend does not take us; trying again changes nothing until somebody changes a setting."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Sends signed messages to the backend."""

    client: httpx.AsyncClient  # noqa: TID251 - see `connected`
    signer: Signer
    clock: Clock

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: WorkerSettings, clock: Clock) -> AsyncIterator[Backend]:
        """Yields the backend of `settings`; its connections close with the block."""
        # Not arcane.kit.egress: that guards where *users* point datasources to, the operator named this address.
        async with httpx.AsyncClient(  # noqa: TID251
            base_url=settings.backend_url, timeout=settings.request_timeout_s, trust_env=False
        ) as client:
            yield cls(client, worker_signer(settings.key.get_secret_value()), clock)

    async def send(self, path: str, body: Body) -> None:
        """The backend has taken `body`. Raises BackendUnreachable or BackendRefused."""
        await self.ask(path, body)

    async def ask(self, path: str, body: Body, *, wait_s: float = 0.0) -> bytes:
        """Returns what the backend answers, for which it may take `wait_s` longer than usual. Raises as `send`."""
        now = self.clock.now()
        content = msgspec.json.encode(Envelope.around(body, id=uuid4(), sent_at=now))
        headers = signed_headers(self.signer, SignedRequest("POST", path, content), now)
        usual = self.client.timeout.read or 0.0
        timeout = httpx.Timeout(usual, read=usual + wait_s)
        try:
            answer = await self.client.post(path, content=content, headers=headers, timeout=timeout)
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise BackendUnreachable(type(exc).__name__) from exc
        if answer.status_code >= 500 or answer.status_code == 429:
            raise BackendUnreachable(f"status {answer.status_code}")
        if not answer.is_success:
            raise BackendRefused(_reason(answer))
        return answer.content

    async def is_there(self) -> bool:
        """Returns True when the backend answers its health check."""
        try:
            return (await self.client.get("/health")).is_success
        except (httpx.TransportError, httpx.InvalidURL):
            return False


def _reason(answer: httpx.Response) -> str:
    """Returns what the problem detail says; the status alone when there is none."""
    try:
        detail = msgspec.json.decode(answer.content).get("detail")
    except (msgspec.DecodeError, AttributeError):
        detail = None
    return f"status {answer.status_code}: {detail}" if detail else f"status {answer.status_code}"
