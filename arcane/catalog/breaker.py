"""The circuit breaker of one datasource: after repeated faults it is left in peace, and tried again with one call.

closed ── faults in a row ──▶ open ── the pause is over: one probe ──▶ half open ── it answers ──▶ closed
                               ▲                                          │
                               └────────── another fault: twice the pause ┘

Only faults of the source count (time-outs, connections, 5xx). A query that it refuses is an answer: it says that the
source works. What failed before anything was sent says nothing about it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from arcane.model.notice import Notice
from arcane.settings import ResilienceSettings
from arcane.spi.errors import (
    BackendFailed,
    BadResponse,
    CircuitOpen,
    CutOff,
    DatasourceError,
    RateLimited,
    Rejected,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
)

FAULTS = (TimedOut, Unreachable, BackendFailed, CutOff)
_ANSWERS = (Rejected, Unauthorized, RateLimited, TooLarge, BadResponse)
"""Errors that only an answer of the datasource can end in."""
_WHILE_PROBED_S = 1.0


class BreakerState(StrEnum):
    """Whether a datasource is asked."""

    CLOSED = "closed"  # it is
    OPEN = "open"  # it is not, until the pause is over
    HALF_OPEN = "half_open"  # one call is finding out


@dataclass(frozen=True, slots=True)
class Permit:
    """A call that was let through; a `probe` decides for all others."""

    probe: bool


class Breaker:
    """Decides whether a call goes out. Holds counts and one sentence, no history."""

    def __init__(self, settings: ResilienceSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self.reset()

    def reset(self) -> None:
        """It is closed and knows of no fault: the datasource was changed."""
        self._faults = 0
        self._pause_s = self._settings.breaker_pause_s
        self._retry_at: float | None = None
        self._probing = False
        self._why: Notice | str = ""

    @property
    def state(self) -> BreakerState:
        """What the next call will meet."""
        if self._retry_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._probing else BreakerState.OPEN

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until it is tried again, None while it is closed."""
        return None if self._retry_at is None else max(0.0, self._retry_at - self._now())

    def enter(self, *, always: bool = False) -> Permit:
        """Returns a permit for one call; raises CircuitOpen. `always` is for a person who tests the connection."""
        if self._retry_at is None:
            return Permit(probe=False)
        left = self._retry_at - self._now()
        if not always and (left > 0 or self._probing):
            raise self._refusal(max(left, _WHILE_PROBED_S) if self._probing else left)
        self._probing = True
        return Permit(probe=True)

    def succeeded(self) -> None:
        """The datasource has answered: it is asked again."""
        if self._faults or self._retry_at is not None:
            self.reset()

    def failed(self, permit: Permit, error: DatasourceError) -> None:
        """The call ended with `error`: a fault, an answer that the query has earned, or no verdict."""
        if not isinstance(error, FAULTS):
            if isinstance(error, _ANSWERS):
                self.succeeded()
            else:
                self.abandoned(permit)
            return
        self._why = error.message
        if permit.probe and self._probing:
            self._probing = False
            self._pause_s = min(self._pause_s * 2, self._settings.breaker_pause_max_s)
            self._retry_at = self._now() + self._pause_s
        elif self._retry_at is None:
            self._faults += 1
            if self._faults >= self._settings.breaker_faults:
                self._retry_at = self._now() + self._pause_s

    def abandoned(self, permit: Permit) -> None:
        """The call ended without a verdict: somebody else may probe."""
        if permit.probe:
            self._probing = False

    def _refusal(self, seconds: float) -> CircuitOpen:
        after = math.ceil(seconds)
        return CircuitOpen(
            Notice(
                "Not asked: it failed repeatedly and is tried again in %(seconds)s s. The last fault was: %(fault)s",
                seconds=after,
                fault=self._why,
            ),
            retry_after_s=float(after),
        )
