"""aiohttp's exceptions become DatasourceErrors here, and nowhere else.

Every class that aiohttp's client can raise stands in the table; a test walks aiohttp and fails on one that
does not. The chain to aiohttp's exception is cut on purpose: its texts carry whole URLs, and a query
string is what a person searched for (R1).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

import aiohttp
from aiohttp import client_exceptions, http_exceptions

from arcane.kit.egress_url import Origin
from arcane.kit.logging import get_logger
from arcane.model.deadline import Deadline
from arcane.model.notice import Notice
from arcane.spi.errors import (
    BadResponse,
    CutOff,
    DatasourceError,
    Forbidden,
    Misconfigured,
    TimedOut,
    TooLarge,
    Unreachable,
)

log = get_logger("arcane.egress")

_TOO_MANY = "Too many headers received"  # aiohttp has no class for it


class AddressRefused(OSError):
    """Raised by the socket factory and the resolver when the rules refuse an address; aiohttp wraps it."""


Translation = Callable[[BaseException, Origin], DatasourceError]


def _says(error: type[DatasourceError], template: str) -> Translation:
    return lambda _exc, origin: error(Notice(template, origin=origin))


def _connector(exc: BaseException, origin: Origin) -> DatasourceError:
    cause = getattr(exc, "os_error", exc)
    if isinstance(cause, AddressRefused):
        return Forbidden(cause.args[0])
    if isinstance(cause, ConnectionRefusedError):
        return Unreachable(Notice("%(origin)s refuses connections: nothing listens there", origin=origin))
    reason = getattr(cause, "strerror", None)
    if reason:
        return Unreachable(Notice("no connection to %(origin)s: %(reason)s", origin=origin, reason=reason))
    return Unreachable(Notice("no connection to %(origin)s", origin=origin))


def _name(exc: BaseException, origin: Origin) -> DatasourceError:
    if isinstance(getattr(exc, "os_error", exc), AddressRefused):
        return _connector(exc, origin)
    return Unreachable(Notice("the name %(host)s was not found", host=origin.host))


def _certificate(exc: BaseException, origin: Origin) -> DatasourceError:
    cause = getattr(exc, "certificate_error", None)
    reason = getattr(cause, "verify_message", None) or Notice("it cannot be verified")
    return Unreachable(Notice("the certificate of %(origin)s is not trusted: %(reason)s", origin=origin, reason=reason))


def _tls(exc: BaseException, origin: Origin) -> DatasourceError:
    reason = getattr(exc, "reason", None) or getattr(getattr(exc, "os_error", None), "reason", None)
    words = str(reason).replace("_", " ").lower() if reason else Notice("is it an http address?")
    return Unreachable(Notice("no TLS connection to %(origin)s: %(words)s", origin=origin, words=words))


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it was raised from: aiohttp's parser errors arrive wrapped twice."""
    while exc is not None:
        yield exc
        exc = exc.__cause__


def _malformed(exc: BaseException, origin: Origin) -> DatasourceError:
    for cause in _causes(exc):
        if isinstance(cause, http_exceptions.LineTooLong) or getattr(cause, "message", "") == _TOO_MANY:
            return TooLarge(Notice("%(origin)s answered with headers over the size limit", origin=origin))
    return BadResponse(Notice("%(origin)s answered with something that is not HTTP", origin=origin))


def _payload(exc: BaseException, origin: Origin) -> DatasourceError:
    if any(isinstance(cause, http_exceptions.ContentEncodingError) for cause in _causes(exc)):
        return BadResponse(Notice("the answer of %(origin)s could not be decompressed", origin=origin))
    return CutOff(Notice("the answer of %(origin)s was cut off", origin=origin))


_CLOSED = _says(Unreachable, "%(origin)s closed the connection before it answered")
_SLOW = _says(TimedOut, "%(origin)s did not answer in time")
_NOT_A_URL = _says(Misconfigured, "the URL of %(origin)s cannot be requested")
_REDIRECT = _says(BadResponse, "%(origin)s redirects to something that is not a URL")
_PROXY = _says(Unreachable, "a proxy on the way to %(origin)s failed")
_NOT_ASKED = _says(BadResponse, "%(origin)s answered with something that was not asked for")

TRANSLATIONS: Final[dict[type[BaseException], Translation]] = {
    client_exceptions.ClientConnectorDNSError: _name,
    client_exceptions.ClientConnectorCertificateError: _certificate,
    client_exceptions.ClientConnectorSSLError: _tls,
    client_exceptions.ClientSSLError: _tls,
    client_exceptions.ClientProxyConnectionError: _PROXY,
    client_exceptions.UnixClientConnectorError: _connector,
    client_exceptions.ClientConnectorError: _connector,
    client_exceptions.ConnectionTimeoutError: _says(Unreachable, "no connection to %(origin)s in time"),
    client_exceptions.SocketTimeoutError: _SLOW,
    client_exceptions.ServerTimeoutError: _SLOW,
    client_exceptions.ServerDisconnectedError: _CLOSED,
    client_exceptions.ServerFingerprintMismatch: _tls,
    client_exceptions.ServerConnectionError: _CLOSED,
    client_exceptions.ClientConnectionResetError: _CLOSED,
    client_exceptions.ClientOSError: _CLOSED,
    client_exceptions.ClientConnectionError: _CLOSED,
    client_exceptions.ClientHttpProxyError: _PROXY,
    client_exceptions.WSServerHandshakeError: _NOT_ASKED,
    client_exceptions.WSMessageTypeError: _NOT_ASKED,
    client_exceptions.ContentTypeError: _NOT_ASKED,
    client_exceptions.TooManyRedirects: _REDIRECT,
    client_exceptions.ClientResponseError: _malformed,
    client_exceptions.ClientPayloadError: _payload,
    client_exceptions.UploadAbortedError: _CLOSED,
    client_exceptions.InvalidUrlRedirectClientError: _REDIRECT,
    client_exceptions.NonHttpUrlRedirectClientError: _REDIRECT,
    client_exceptions.RedirectClientError: _REDIRECT,
    client_exceptions.InvalidUrlClientError: _NOT_A_URL,
    client_exceptions.NonHttpUrlClientError: _NOT_A_URL,
    client_exceptions.InvalidURL: _NOT_A_URL,
    client_exceptions.ClientError: _says(Unreachable, "the request to %(origin)s failed"),
    http_exceptions.ContentEncodingError: _payload,
    http_exceptions.ContentLengthError: _payload,
    http_exceptions.TransferEncodingError: _payload,
    http_exceptions.DecompressSizeError: _payload,
    http_exceptions.PayloadEncodingError: _payload,
    http_exceptions.LineTooLong: _malformed,
    http_exceptions.InvalidHeader: _malformed,
    http_exceptions.BadHttpMethod: _malformed,
    http_exceptions.BadStatusLine: _malformed,
    http_exceptions.InvalidURLError: _malformed,
    http_exceptions.HttpBadRequest: _malformed,
    http_exceptions.BadHttpMessage: _malformed,
    http_exceptions.HttpProcessingError: _malformed,
    AddressRefused: _connector,
    TimeoutError: _SLOW,
    ssl.SSLError: _tls,
    ConnectionError: _CLOSED,
    OSError: _connector,
}

_CAUGHT = (
    aiohttp.ClientError,
    client_exceptions.WSMessageTypeError,
    http_exceptions.HttpProcessingError,
    OSError,
)


def translate(exc: BaseException, origin: Origin) -> DatasourceError:
    """Returns the DatasourceError for an exception of aiohttp or of a socket: the nearest class in the table."""
    for base in type(exc).__mro__:
        translation = TRANSLATIONS.get(base)
        if translation is not None:
            return translation(exc, origin)
    return Unreachable(Notice("the request to %(origin)s failed", origin=origin))


class Translating:
    """A block in which anything aiohttp raises comes out as a DatasourceError; cancellation passes."""

    __slots__ = ("deadline", "origin")

    def __init__(self, origin: Origin, deadline: Deadline) -> None:
        self.origin = origin
        self.deadline = deadline

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if exc is None or not isinstance(exc, _CAUGHT):
            return
        error = translate(exc, self.origin)
        if isinstance(exc, TimeoutError) and self.deadline.expired:
            error = TimedOut(Notice("%(origin)s did not answer in time", origin=self.origin))
        log.debug("request_failed", host=self.origin.host, error=error.kind, cause=type(exc).__name__)
        raise error from None
