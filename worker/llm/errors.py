"""Why a model did not answer: what a person is told, and whether trying again may help.

`message` is a sentence of ours with no key and no content in it; it may be stored. `detail` is what the provider said,
without the secrets of the call: it may quote the prompt, so it goes to whoever waits for the answer and is never kept.
"""

from __future__ import annotations

from enum import StrEnum

from arcane.messaging.generation import Usage


class Cause(StrEnum):
    """What went wrong, for programs."""

    SETTINGS = "settings"  # the configuration or the request cannot work as it is
    ADDRESS = "address"  # the address is not one that may be called
    AUTHENTICATION = "authentication"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    NOT_FOUND = "not_found"
    TOO_LONG = "too_long"
    REJECTED = "rejected"
    FILTERED = "filtered"
    UNAVAILABLE = "unavailable"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    UNREADABLE = "unreadable"  # an answer that is not one, or does not fit the schema
    DEADLINE = "deadline"


_RETRYABLE = frozenset({Cause.RATE_LIMIT, Cause.UNAVAILABLE, Cause.CONNECTION, Cause.TIMEOUT, Cause.UNREADABLE})


class ModelError(Exception):
    """A model call failed. `retry_after_s` is what the provider asked for, `usage` what an unreadable answer took."""

    def __init__(self, cause: Cause, message: str, *, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.usage = Usage()

    @property
    def retryable(self) -> bool:
        """True when the same call may succeed in a moment."""
        return self.cause in _RETRYABLE

    @property
    def later(self) -> bool:
        """True when the same job may succeed in minutes: a retryable cause, or time that ran out."""
        return self.retryable or self.cause is Cause.DEADLINE
