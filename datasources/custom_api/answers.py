"""What an HTTP answer means before it is read, in words that are safe to show: a server's text may quote anything."""

from __future__ import annotations

import re
from typing import TypeVar

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

T = TypeVar("T")

_QUOTED = re.compile(r" '[^']*'")
_WEB_PAGE = ("text/html", "application/xhtml+xml")


def checked(response: HttpResponse, path: str) -> bytes:
    """Returns the body of an answer that may be JSON; raises the DatasourceError that it is otherwise."""
    if response.status != 200:
        raise error_of(response, path)
    if response.content_type in _WEB_PAGE:
        raise BadResponse(
            Notice("%(path)s answered with a web page where JSON belongs: is there a sign-in in between?", path=path)
        )
    return response.body


def decoded(decoder: msgspec.json.Decoder[T], body: bytes, path: str) -> T:
    """Returns the body as the contract has it; raises BadResponse that says where it is something else."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as exc:
        raise BadResponse(Notice("%(path)s: %(fault)s.", path=path, fault=_unquoted(str(exc)))) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise BadResponse(Notice("%(path)s did not answer with JSON.", path=path)) from exc
    except RecursionError as exc:
        raise BadResponse(Notice("%(path)s: an attribute is nested too deeply.", path=path)) from exc


def _unquoted(fault: str) -> str:
    """Returns what is wrong and where, without the value that is wrong: it may be content of a trace."""
    return _QUOTED.sub("", fault)


def is_nothing(response: HttpResponse) -> bool:
    """True for a 404 that is the server's own answer: its router, or what stands before it, would send a text."""
    is_json = response.content_type == "application/json" or response.content_type.endswith("+json")
    return response.status == 404 and (is_json or not response.body.strip())


def error_of(response: HttpResponse, path: str) -> DatasourceError:
    """Returns why the server did not answer."""
    status = response.status
    if status in (401, 403):
        return Unauthorized(Notice("The server refused the credentials."))
    if status in (404, 405, 501):
        return Misconfigured(Notice("There is no %(path)s at this address: check the URL.", path=path))
    if status == 413:
        return TooLarge(Notice("The server says that the answer is over a limit of its own."))
    if status == 429:
        return RateLimited(Notice("The server asks to slow down."), retry_after_s=response.retry_after_s)
    if status in (408, 499, 504):
        return TimedOut(Notice("The server did not finish in time."))
    if 400 <= status < 500:
        return Rejected(Notice("%(path)s refused the request with status %(status)d.", path=path, status=status))
    if status >= 500:
        return BackendFailed(Notice("%(path)s failed with status %(status)d.", path=path, status=status))
    return BadResponse(
        Notice("%(path)s answered with status %(status)d, which the contract does not have.", path=path, status=status)
    )
