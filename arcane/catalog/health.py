"""What this process knows of how a datasource answers, from real traffic since it started. In memory only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from arcane.catalog.breaker import FAULTS, Breaker, BreakerState, Permit
from arcane.kit.clock import Clock, SystemClock
from arcane.model.deadline import Deadline
from arcane.settings import ResilienceSettings
from arcane.spi.errors import DatasourceError, Rejected, TimedOut, TooLarge, Unsupported

_ABOUT_THE_QUESTION = (Rejected, TooLarge, Unsupported)
"""Errors that say nothing about whether the datasource works."""
_EXPIRING_S = 0.01
"""A timer may fire this much early."""


class HealthRecord:
    """When a datasource answered last, how fast, what was wrong last, and whether it is asked at all."""

    def __init__(
        self,
        clock: Clock | None = None,
        settings: ResilienceSettings | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        settings = settings or ResilienceSettings()
        self.clock = clock or SystemClock()
        self.breaker = breaker or Breaker(settings)
        self.last_ok_at: datetime | None = None
        self.last_error_at: datetime | None = None
        self.error_kind: str | None = None
        self.error_message: str | None = None
        self.latency_ms: float | None = None
        self.answers = 0
        self.faults = 0
        self.repeats = 0
        self.slow_s = settings.breaker_slow_s
        self._latencies: deque[float] = deque(maxlen=settings.latency_window)

    @property
    def status(self) -> str:
        """`ok`, `failing`, or `unknown` where nothing was asked yet."""
        if self.last_ok_at is None and self.last_error_at is None:
            return "unknown"
        if self.breaker.state is BreakerState.CLOSED and (
            self.last_error_at is None or (self.last_ok_at and self.last_ok_at > self.last_error_at)
        ):
            return "ok"
        return "failing"

    @property
    def retry_at(self) -> datetime | None:
        """When a datasource that is left in peace is tried again."""
        left = self.breaker.retry_in_s
        return None if left is None else self.clock.now() + timedelta(seconds=left)

    def percentile_ms(self, share: float) -> float | None:
        """Returns the latency that `share` of the latest answers kept to, None before the first."""
        if not self._latencies:
            return None
        ordered = sorted(self._latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def answered(self, seconds: float) -> None:
        """The datasource has answered after `seconds`."""
        self.last_ok_at = self.clock.now()
        self.latency_ms = round(seconds * 1_000, 3)
        self.answers += 1
        self._latencies.append(self.latency_ms)
        self.breaker.succeeded()

    def failed(self, error: DatasourceError) -> None:
        """The datasource could not answer."""
        if isinstance(error, FAULTS):
            self.faults += 1
        if not isinstance(error, _ABOUT_THE_QUESTION):
            self.last_error_at = self.clock.now()
            self.error_kind, self.error_message = error.kind, error.message

    def repeated(self) -> None:
        """A request was sent again."""
        self.repeats += 1

    @contextmanager
    def call(self, deadline: Deadline, *, always: bool = False) -> Iterator[Callable[[float], None]]:
        """A block that is one call; what it is given is to be called with the seconds once there is an answer.

        Raises CircuitOpen while the datasource is left in peace (unless `always`). A call that its deadline cancels
        is a time-out of the datasource, if it had long enough.
        """
        watched = _Watched(self, self.breaker.enter(always=always), deadline.remaining())
        try:
            yield watched.answered
        except DatasourceError as exc:
            watched.failed(exc)
            raise
        except anyio.get_cancelled_exc_class():
            if deadline.remaining() < _EXPIRING_S and not watched.done:
                watched.failed(TimedOut())
            raise
        finally:
            if not watched.done:
                self.breaker.abandoned(watched.permit)


@dataclass(slots=True)
class _Watched:
    """One call while it lasts."""

    record: HealthRecord
    permit: Permit
    had_s: float
    done: bool = False

    def answered(self, seconds: float) -> None:
        self.done = True
        self.record.answered(seconds)

    def failed(self, error: DatasourceError) -> None:
        self.record.failed(error)
        if isinstance(error, TimedOut) and self.had_s < self.record.slow_s:
            return
        self.done = True
        self.record.breaker.failed(self.permit, error)
