"""Structured logs: an event is a constant name in the past tense with values as keys, never trace content (R1).

An exception is logged as where it came from and of which type it is. Its text is left out: it may quote
what was being worked on, and nobody who raises can know whether that is a trace.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SECRET_KEYS = ("password", "token", "secret", "authorization", "api_key", "cookie")


def configure_logging(level: str, *, json_lines: bool) -> None:
    """Makes every logger of this process write one line an event to standard error, secrets masked."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_secrets,
            exceptions_without_words,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(LibraryFormatter())
    logging.basicConfig(level=max(_LEVELS.get(level, logging.INFO), logging.WARNING), handlers=[others])


def mask_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Replaces the value of every key that names a secret."""
    for key in event:
        if any(word in key.lower() for word in _SECRET_KEYS) and event[key] is not None:
            event[key] = "********"
    return event


def exceptions_without_words(_logger: Any, _method: str, event: Any) -> Any:
    """Replaces `exc_info` by the path that the exception took."""
    given = event.pop("exc_info", None)
    found = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(found, BaseException):
        event["exception"] = path_of(found)
    return event


def path_of(exc: BaseException) -> str:
    """Returns the stack of `exc` and of what caused it, with types and without a word of theirs."""
    return "\n".join(_stacks(exc, set()))


def _stacks(exc: BaseException, seen: set[int]) -> Iterator[str]:
    if id(exc) in seen:
        return
    seen.add(id(exc))
    before = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if before is not None:
        yield from _stacks(before, seen)
        yield "which led to"
    yield "".join(traceback.format_tb(exc.__traceback__)) + f"{type(exc).__module__}.{type(exc).__qualname__}"
    for part in exc.exceptions if isinstance(exc, BaseExceptionGroup) else ():
        yield "which holds"
        yield from _stacks(part, seen)


class LibraryFormatter(logging.Formatter):
    """What libraries log. Of asyncio's records the first line: the others show objects with their values."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record's text, and the way its exception took."""
        text = record.getMessage().strip()
        if record.name == "asyncio":
            text = text.partition("\n")[0]
        lines = [f"{record.levelname} {record.name} {text}"]
        if record.exc_info and record.exc_info[1]:
            lines.append(path_of(record.exc_info[1]))
        return "\n".join(lines)


def get_logger(name: str) -> Any:
    """Returns a logger whose events carry `origin=name`."""
    return structlog.get_logger(origin=name)
