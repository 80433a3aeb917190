"""What a status of Tempo's means, in words that are safe to show: its own text may quote anything."""

from __future__ import annotations

from arcane.spi import (
    BackendFailed,
    BadResponse,
    DatasourceError,
    HttpResponse,
    Misconfigured,
    Notice,
    RateLimited,
    Rejected,
    TimedOut,
    TooLarge,
    Unauthorized,
)


def checked(response: HttpResponse) -> bytes:
    """Returns the body of an answer that is one; raises the DatasourceError that its status means."""
    if response.status == 200:
        return response.body
    raise error_of(response)


def error_of(response: HttpResponse) -> DatasourceError:
    """Returns why Tempo did not answer."""
    status = response.status
    if status == 400:
        return Rejected(_why_rejected(response.body))
    if status in (401, 403):
        return Unauthorized(_why_unauthorized(response.body))
    if status in (404, 405):
        return Misconfigured("There is no Tempo API at this address: check the URL and the path before /api.")
    if status in (413, 422):
        return TooLarge("The answer is over a limit of this Tempo.")
    if status == 429:
        return RateLimited("Tempo asks to slow down.", retry_after_s=response.retry_after_s)
    if status in (408, 499, 504):
        return TimedOut("Tempo did not finish in time.")
    if status >= 500:
        return BackendFailed(Notice("Tempo failed with status %(status)d.", status=status))
    return BadResponse(Notice("Tempo answered with status %(status)d, which its API does not have.", status=status))


def _why_rejected(body: bytes) -> str:
    if b"range specified by start and end" in body:
        return Notice(
            "The window is longer than this Tempo allows: lower the longest window in the datasource's settings."
        )
    if b"invalid TraceQL query" in body:
        return Notice("This Tempo does not know a part of the query: it may be too old for it.")
    return Notice("Tempo refused the request.")


def _why_unauthorized(body: bytes) -> str:
    if b"no org id" in body:
        return Notice("Tempo wants a tenant: set it in the datasource's settings.")
    return Notice("Tempo refused the credentials.")
