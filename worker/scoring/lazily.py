"""Libraries that are heavy to import come when a scorer first needs them, and never on the event loop."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import to_thread

Result = TypeVar("Result")

LONG = 20_000
"""Texts of so many characters are compared in a thread: shorter ones are done before a thread has begun."""


async def library(name: str) -> Any:
    """Returns the module `name`, imported in a thread the first time."""
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(getattr(loaded, "__spec__", None), "_initializing", False) is False:
        return loaded
    return await to_thread.run_sync(importlib.import_module, name)


async def aside(size: int, work: Callable[[], Result]) -> Result:
    """Returns what `work` returns, done in a thread when it is about much."""
    return work() if size < LONG else await to_thread.run_sync(work)
