"""What an error of ClickHouse means, in words that are safe to show: its own text quotes queries and data."""

from __future__ import annotations

import re

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

READONLY = 164
DENIED = 497
_CODE = re.compile(rb"Code: (\d+)")
_NAME = re.compile(rb"\(([A-Z][A-Z0-9_]{3,60})\)")

_MEANING: dict[int, tuple[type[DatasourceError], str]] = {
    **dict.fromkeys((159, 160, 209), (TimedOut, "ClickHouse did not finish in time.")),
    394: (TimedOut, "The query was cancelled in ClickHouse."),
    241: (TooLarge, "The query needs more memory than it may take: narrow the time range, or raise the limit."),
    **dict.fromkeys((158, 307, 396), (TooLarge, "The answer is over a limit of this ClickHouse.")),
    **dict.fromkeys((192, 193, 194, 516), (Unauthorized, "ClickHouse refused the credentials.")),
    DENIED: (Unauthorized, "The user may not read this table: GRANT SELECT on it is enough."),
    READONLY: (Unauthorized, "The user's profile does not allow this query."),
    60: (Misconfigured, "There is no such table: check the table in the datasource's settings."),
    81: (Misconfigured, "There is no such database: check the database in the datasource's settings."),
    **dict.fromkeys((16, 47), (Misconfigured, "The table lacks a column that was asked for.")),
    452: (Misconfigured, "The server does not allow this much memory or time a query: lower the datasource's limits."),
    **dict.fromkeys((201, 202), (RateLimited, "ClickHouse asks to slow down: too many queries.")),
}
"""Error code (ErrorCodes.cpp) -> what it is for us."""
_NOT_TAKEN = frozenset({36, 43, 46, 53, 62, 69, 70, 115, 206, 386, 427})
"""Errors of a server that does not know a function, type or setting."""


def error_code(response: HttpResponse) -> int | None:
    """Returns the number of ClickHouse's error, None where the answer is not ClickHouse's."""
    told = response.headers.get("x-clickhouse-exception-code", "")
    if told.isdecimal():
        return int(told)
    found = _CODE.search(response.body[:4_096])
    return int(found[1]) if found else None


def error_of(response: HttpResponse) -> DatasourceError:
    """Returns why there is no answer: by ClickHouse's own code, else by the status of what stands before it."""
    code = error_code(response)
    if code is not None:
        return error_of_code(code, response.body)
    status = response.status
    if status in (401, 403):
        return Unauthorized("The credentials were refused on the way to ClickHouse.")
    if status in (404, 405):
        return Misconfigured("There is no ClickHouse at this address: check the URL; its HTTP port is 8123 or 8443.")
    if status == 429:
        return RateLimited("ClickHouse asks to slow down.", retry_after_s=response.retry_after_s)
    if status in (408, 504):
        return TimedOut("ClickHouse did not finish in time.")
    if status == 413:
        return TooLarge("The request is larger than something on the way to ClickHouse allows.")
    if status >= 500:
        return BackendFailed(Notice("What stands before ClickHouse failed with status %(status)d.", status=status))
    return BadResponse(Notice("Status %(status)d is not an answer of ClickHouse.", status=status))


def error_of_code(code: int, body: bytes = b"") -> DatasourceError:
    """Returns what an error code means."""
    kind, text = _MEANING.get(code, (None, ""))
    if kind is not None:
        return kind(text)
    names = _NAME.findall(body[-4_096:])
    error = f"{code} {names[-1].decode()}" if names else str(code)
    if code in _NOT_TAKEN:
        return Rejected(
            Notice("This ClickHouse refused the query with error %(error)s: it may be too old.", error=error)
        )
    return BackendFailed(Notice("ClickHouse failed with error %(error)s.", error=error))
