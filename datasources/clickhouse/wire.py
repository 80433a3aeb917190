"""One statement over HTTP: clickhouse-connect binds the parameters and reads the Native format, the host's session
carries both (docs/adr/0016). The driver's own client is not used: it would open connections of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from struct import error as StructError
from urllib.parse import quote
from uuid import uuid4

from clickhouse_connect.driver.binding import bind_query
from clickhouse_connect.driver.ctypes import RespBuffCls
from clickhouse_connect.driver.exceptions import ClickHouseError, StreamFailureError
from clickhouse_connect.driver.query import QueryContext, QueryResult
from clickhouse_connect.driver.transform import NativeTransform

from arcane.spi import BadResponse, DatasourceError, Deadline, HttpRequest, HttpResponse, HttpSession, TimedOut
from datasources.clickhouse.answers import READONLY, error_code, error_of, error_of_code
from datasources.clickhouse.decode import Columns
from datasources.clickhouse.statements import Statement

_SETTLED = {
    "precise_float_parsing": "1",  # otherwise 0.1 in a text may differ from 0.1 in its last bit
    "output_format_json_quote_64bit_integers": "0",  # toJSONString of a list of numbers
    "cancel_http_readonly_queries_on_client_close": "1",
}

_ADDRESS_MAX = 1_000
"""Characters of values up to which they go into the address: long lists, escaped, do not fit there."""
_FIELD_MAX = 32_000
"""Characters of a statement that is one field of a form: servers take 128 KB."""
_HARMLESS = Statement("SELECT 1", {}, 1)


class Profile(IntEnum):
    """What the user's profile lets a query say of itself; found out by being refused."""

    OPEN = 0  # everything
    CAREFUL = 1  # readonly=2: all settings but `readonly` itself
    CLOSED = 2  # readonly=1: none


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take."""

    seconds: int
    memory_bytes: int


@dataclass(slots=True)
class Wire:
    """Sends statements and reads their answers."""

    http: HttpSession
    limits: Limits
    profile: Profile = Profile.OPEN
    _is_known: bool = field(default=False)

    async def select(self, statement: Statement, deadline: Deadline) -> Columns:
        """Returns the answer a column at a time, no columns where it has no rows; raises DatasourceError."""
        response = await self.http.send(self._request(statement, self.profile, deadline), deadline)
        if error_code(response) == READONLY and not self._is_known:
            await self._find_profile(deadline)
            response = await self.http.send(self._request(statement, self.profile, deadline), deadline)
        if response.status != 200:
            raise error_of(response)
        return read_answer(response)

    async def _find_profile(self, deadline: Deadline) -> None:
        """Knows what the user's profile allows. What is tried is harmless: nothing else goes with less."""
        for profile in Profile:
            response = await self.http.send(self._request(_HARMLESS, profile, deadline), deadline)
            if response.status == 200:
                self.profile, self._is_known = profile, True
                return
            if error_code(response) != READONLY:
                break
        raise error_of(response)

    def _request(self, statement: Statement, profile: Profile, deadline: Deadline) -> HttpRequest:
        sql, parameters = bind_query(statement.sql, dict(statement.parameters))
        settings = self._settings(statement, profile, deadline)
        if len(sql) < _FIELD_MAX and sum(map(len, parameters.values())) > _ADDRESS_MAX:
            boundary = uuid4().hex
            body = _form({"query": str(sql), **parameters}, boundary)
            kind = f"multipart/form-data; boundary={boundary}"
        else:
            body, kind = str(sql).encode(), "text/plain; charset=utf-8"
            settings = {**settings, **parameters}
        return HttpRequest("/", "POST", tuple(settings.items()), {"content-type": kind}, body)

    def _settings(self, statement: Statement, profile: Profile, deadline: Deadline) -> dict[str, str]:
        told = {"default_format": "Native"}
        if profile is Profile.CLOSED:
            return told
        left = deadline.remaining()
        if left <= 0:
            raise TimedOut("No time was left to ask ClickHouse.")
        told |= _SETTLED | {
            "max_execution_time": str(min(self.limits.seconds, max(1, math.ceil(left)))),
            "max_memory_usage": str(self.limits.memory_bytes),
            "max_result_rows": str(statement.rows),
            "result_overflow_mode": "throw",
        }
        return told if profile is Profile.CAREFUL else told | {"readonly": "1"}


class _Body:
    """A whole answer as the driver's reader takes it."""

    def __init__(self, response: HttpResponse) -> None:
        self._body = response.body
        self.exception_tag = response.headers.get("x-clickhouse-exception-tag")
        self.last_message: bytes | None = None

    @property
    def gen(self) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._body

    def close(self) -> None:
        """There is nothing to close."""


def read_answer(response: HttpResponse) -> Columns:
    """Returns the columns of a Native answer; raises DatasourceError where it broke off or is something else."""
    if not response.body:
        return ()
    if response.headers.get("x-clickhouse-exception-code"):
        raise error_of(response)
    try:
        source = RespBuffCls(_Body(response))  # type: ignore[no-untyped-call]
        result = NativeTransform.parse_response(source, QueryContext(column_oriented=True))
        columns = tuple(result.result_columns) if isinstance(result, QueryResult) else ()
        if not result.column_names:
            raise _broken_off(None)
        return columns
    except StreamFailureError as exc:
        raise _broken_off(exc.code) from None
    except (ClickHouseError, StructError, ValueError, LookupError, TypeError, AttributeError, EOFError, OverflowError):
        code = error_code(HttpResponse(200, {}, response.body[-4_096:]))
        raise _broken_off(code) from None
    except MemoryError:
        raise _broken_off(None) from None


def _broken_off(code: int | None) -> DatasourceError:
    if code is not None:
        return error_of_code(code)
    return BadResponse("The answer is not in ClickHouse's Native format, or was cut off: is this its HTTP port?")


def _form(fields: dict[str, str], boundary: str) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{quote(name)}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return f"{''.join(parts)}--{boundary}--\r\n".encode()
