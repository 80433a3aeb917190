"""Why a datasource could not answer.

DatasourceError
├── Unreachable      no connection, name not found, connection reset
├── TimedOut         no answer before the deadline
├── Unauthorized     the backend refused the credentials (401, 403)
├── Forbidden        Arcane's own egress rules refused the address
├── RateLimited      the backend asked to slow down (429); see `retry_after_s`
├── Rejected         the backend refused the request as it was sent (other 4xx)
├── BackendFailed    the backend broke (5xx)
├── BadResponse      an answer that is not what the protocol says
│   └── CutOff       an answer that ended before it was whole
├── TooLarge         an answer over the byte limit
├── Unsupported      the backend cannot do what was asked
├── CircuitOpen      the host leaves the backend in peace after repeated faults; see `retry_after_s`
└── Misconfigured    the settings cannot work (a folder that is not there, a wrong prefix)

Messages are safe to show: no credentials, no user-info in URLs, no bodies of the backend. Where something is
filled in, the message is a Notice, so that it can be told in another language. Without one it is the docstring.
"""

from __future__ import annotations

from typing import ClassVar

from arcane.model.notice import Notice


class DatasourceError(Exception):
    """The datasource could not answer."""

    kind: ClassVar[str] = "failed"

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = None) -> None:
        self.message = message if isinstance(message, Notice) else Notice(message or type(self).__doc__ or "")
        super().__init__(self.message)
        self.retry_after_s = retry_after_s


class Unreachable(DatasourceError):
    """No connection to the backend."""

    kind = "unreachable"


class TimedOut(DatasourceError):
    """No answer before the deadline."""

    kind = "timed_out"


class Unauthorized(DatasourceError):
    """The backend refused the credentials."""

    kind = "unauthorized"


class Forbidden(DatasourceError):
    """The address is not allowed by this instance's egress rules."""

    kind = "forbidden"


class RateLimited(DatasourceError):
    """The backend asked to slow down."""

    kind = "rate_limited"


class Rejected(DatasourceError):
    """The backend refused the request."""

    kind = "rejected"


class BackendFailed(DatasourceError):
    """The backend failed while answering."""

    kind = "backend_failed"


class BadResponse(DatasourceError):
    """The backend's answer could not be understood."""

    kind = "bad_response"


class CutOff(BadResponse):
    """The backend's answer ended before it was whole."""


class TooLarge(DatasourceError):
    """The backend's answer is over the size limit."""

    kind = "too_large"


class Unsupported(DatasourceError):
    """The backend cannot do this."""

    kind = "unsupported"


class CircuitOpen(DatasourceError):
    """The backend failed repeatedly and is left in peace for a while."""

    kind = "circuit_open"


class Misconfigured(DatasourceError):
    """The datasource's settings cannot work."""

    kind = "misconfigured"
