"""What a shell is told when something is wrong that its user can mend: one line.

Anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg import PostgresError as ServerSaid
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from arcane.kit.migrate import DatabaseSetupError
from arcane.kit.secrets import KeyRingError
from arcane.kit.serving import PortTaken
from arcane.local.errors import LocalError

MENDABLE = (LocalError, PortTaken, DatabaseSetupError, KeyRingError, ValidationError)


@contextmanager
def reaching_database() -> Iterator[None]:
    """A database that does not answer, or not to us, is a LocalError that says so."""
    try:
        yield
    except (ConnectionError, socket.gaierror, TimeoutError) as exc:
        raise LocalError(f"cannot reach the database ({exc}); check ARCANE_DATABASE__URL") from exc
    except (ServerSaid, DBAPIError) as exc:
        said = str(getattr(exc, "orig", None) or exc).splitlines()[0]
        raise LocalError(f"the database refuses: {said}; check ARCANE_DATABASE__URL") from exc


def one_line(exc: BaseException) -> str | None:
    """Returns what to tell about `exc`; None when it is a bug."""
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(one_line, exc.exceptions)), None)
    if isinstance(exc, ValidationError):
        fault = exc.errors(include_input=False, include_url=False)[0]
        return f"ARCANE_{'__'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
    return str(exc) if isinstance(exc, MENDABLE) else None
