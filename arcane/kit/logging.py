"""Structured logs: an event is a constant name in the past tense with values as keys, never trace content (R1)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SECRET_KEYS = ("password", "token", "secret", "authorization", "api_key", "cookie")


def configure_logging(level: str, *, json_lines: bool) -> None:
    """Makes every logger of this process write one line an event to standard error, secrets masked."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(_LEVELS.get(level, logging.INFO), logging.WARNING),
        stream=sys.stderr,
        format="%(levelname)s %(name)s %(message)s",
    )


def mask_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Replaces the value of every key that names a secret."""
    for key in event:
        if any(word in key.lower() for word in _SECRET_KEYS) and event[key] is not None:
            event[key] = "********"
    return event


def get_logger(name: str) -> Any:
    """Returns a logger whose events carry `origin=name`."""
    return structlog.get_logger(origin=name)
