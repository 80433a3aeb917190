"""What a shell is told when something is wrong that its user can mend: one line.

Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import PostgresError as ServerSaid
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from arcane.kit.migrate import DatabaseSetupError
from arcane.kit.problems import Problem, Unavailable
from arcane.kit.secrets import KeyRingError
from arcane.kit.serving import PortTaken
from arcane.local.errors import LocalError

MENDABLE = (LocalError, PortTaken, DatabaseSetupError, KeyRingError, ValidationError, SettingsError, Problem)
_UNREACHABLE = (ConnectionError, socket.gaierror, TimeoutError)


@contextmanager
def reaching_database() -> Iterator[None]:
    """A database that does not answer, or not to us, is a LocalError that says so."""
    try:
        yield
    except (*_UNREACHABLE, ServerSaid, DBAPIError, Unavailable, ExceptionGroup) as exc:
        line = _of_database(exc)
        if line is None:
            raise
        raise LocalError(f"{line}; check ARCANE_DATABASE__URL") from exc


def _of_database(exc: BaseException) -> str | None:
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(_of_database, exc.exceptions)), None)
    if isinstance(exc, ServerSaid | DBAPIError):
        return f"the database refuses: {str(getattr(exc, 'orig', None) or exc).splitlines()[0]}"
    return (
        f"cannot reach the database ({exc.__cause__ or exc})" if isinstance(exc, (*_UNREACHABLE, Unavailable)) else None
    )


def one_line(exc: BaseException) -> str | None:
    """Returns what to tell about `exc`; None when it is a bug."""
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(one_line, exc.exceptions)), None)
    if isinstance(exc, ValidationError):
        fault = exc.errors(include_input=False, include_url=False)[0]
        return f"ARCANE_{'__'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
    if isinstance(exc, SettingsError):
        return f'{exc}: a list is written as JSON, for instance ["10.0.0.0/8"]'
    return str(exc) if isinstance(exc, MENDABLE) else None
