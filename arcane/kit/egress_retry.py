"""Requests that are sent again: a datasource that stumbled gets another chance while there is time.

Every request of an adapter reads (R6), so each may be repeated, a POST too. It is, after a connection that
broke and after the statuses with which a server says "not now"; never once a part of an answer was handed
on, and never when the wait would outlast the deadline. Why this is not stamina: decision 14.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import anyio

from arcane.model.deadline import Deadline
from arcane.settings import ResilienceSettings
from arcane.spi.errors import CutOff, Unreachable
from arcane.spi.http import HttpRequest, HttpResponse, HttpSession, HttpStream, retry_after_s

NOT_NOW: Final = frozenset({429, 502, 503, 504})
"""Too many requests, and what a gateway says while its server is away. A 500 says "it broke", and would again."""

_BROKEN: Final = (Unreachable, CutOff)
_LEAST_TIME_S: Final = 0.05
"""An attempt that would have less than this is not made."""
_NO_HEADERS: Final[Mapping[str, str]] = {}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before another attempt: twice as long each time, by chance up to half of that less."""

    settings: ResilienceSettings
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] = _now

    def wait_s(self, attempt: int, headers: Mapping[str, str], deadline: Deadline) -> float | None:
        """Returns how long to wait after `attempt` (the first is 1) failed, None when it was the last.

        What `Retry-After` asks for is never shortened.
        """
        if attempt > self.settings.retries:
            return None
        longest = min(self.settings.retry_wait_max_s, self.settings.retry_wait_s * 2.0 ** (attempt - 1))
        wait = max(longest * (1.0 - self.chance() / 2), retry_after_s(headers, self.now()) or 0.0)
        return wait if wait + _LEAST_TIME_S < deadline.remaining() else None


@dataclass(frozen=True, slots=True)
class RetryingSession:
    """An HttpSession that repeats requests which were not answered; `repeated` is called for each repetition."""

    inner: HttpSession
    backoff: Backoff
    repeated: Callable[[], None]

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Returns the whole answer, of any status; raises DatasourceError."""
        attempt = 1
        while True:
            try:
                response = await self.inner.send(request, deadline)
                wait = self._wait_for(response, attempt, deadline)
                if wait is None:
                    return response
            except _BROKEN:
                wait = self.backoff.wait_s(attempt, _NO_HEADERS, deadline)
                if wait is None:
                    raise
            await self._pause(wait)
            attempt += 1

    @asynccontextmanager
    async def stream(self, request: HttpRequest, deadline: Deadline) -> AsyncIterator[HttpStream]:
        """Opens an answer for reading in chunks. Once it is open nothing is repeated: its bytes may have been used."""
        async with AsyncExitStack() as opened:
            yield await self._opened(request, deadline, opened)

    async def _opened(self, request: HttpRequest, deadline: Deadline, opened: AsyncExitStack) -> HttpStream:
        attempt = 1
        while True:
            try:
                answer = await opened.enter_async_context(self.inner.stream(request, deadline))
                wait = self._wait_for(answer, attempt, deadline)
                if wait is None:
                    return answer
                await opened.aclose()  # its connection and its place are free while we wait
            except _BROKEN:
                wait = self.backoff.wait_s(attempt, _NO_HEADERS, deadline)
                if wait is None:
                    raise
            await self._pause(wait)
            attempt += 1

    def _wait_for(self, answer: HttpResponse | HttpStream, attempt: int, deadline: Deadline) -> float | None:
        if answer.status not in NOT_NOW:
            return None
        return self.backoff.wait_s(attempt, answer.headers, deadline)

    async def _pause(self, seconds: float) -> None:
        await self.backoff.sleep(seconds)
        self.repeated()
