"""What an answer of Jaeger's is: JSON, nothing found, a route that is not there, or a failure in words safe to show."""

from __future__ import annotations

import msgspec

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
from datasources.jaeger import wire

_FAILURE = msgspec.json.Decoder(wire.Failure)


class RouteMissing(Misconfigured):
    """This generation of the API is not served at the address, and where no other is, none is."""

    def __init__(self) -> None:
        super().__init__("There is no Jaeger API at this address: check the URL and its base path.")


def body_of(response: HttpResponse) -> bytes | None:
    """Returns the JSON of an answer, None where Jaeger says that there is nothing.

    Raises RouteMissing where no such route is served: Jaeger answers those with its pages and status 200,
    a proxy with a 404 of its own. Raises the DatasourceError that any other status means.
    """
    if response.status == 200:
        if response.body.lstrip()[:1] != b"{":
            raise RouteMissing()
        return response.body
    if response.status == 404 and _is_jaegers(response.body):
        return None
    if response.status in (404, 405):
        raise RouteMissing()
    raise error_of(response)


def error_of(response: HttpResponse) -> DatasourceError:
    """Returns why Jaeger did not answer."""
    status = response.status
    if b"search depth must be" in response.body:
        return Misconfigured("This Jaeger keeps fewer traces than a request may ask for: lower the most traces.")
    if status == 400:
        return Rejected("Jaeger refused the request.")
    if status in (401, 403):
        return Unauthorized(_why_unauthorized(response.body))
    if status == 413:
        return TooLarge("The answer is over a limit in front of Jaeger.")
    if status == 429:
        return RateLimited("Jaeger asks to slow down.", retry_after_s=response.retry_after_s)
    if status in (408, 499, 504):
        return TimedOut("Jaeger did not finish in time.")
    if status >= 500:
        return BackendFailed(Notice("Jaeger failed with status %(status)d.", status=status))
    return BadResponse(Notice("Jaeger answered with status %(status)d, which its API does not have.", status=status))


def _is_jaegers(body: bytes) -> bool:
    try:
        said = _FAILURE.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return bool(said.error or said.errors)


def _why_unauthorized(body: bytes) -> str:
    if b"tenant" in body:
        return Notice("Jaeger wants a tenant that it knows: set it in the datasource's settings.")
    return Notice("Jaeger refused the credentials.")
