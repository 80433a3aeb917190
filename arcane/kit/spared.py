"""What stays out although it is installed: modules that libraries take when they find them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """While the block runs, the modules `names` cannot be imported, as if nobody had installed them.

    What is loaded already stays, and afterwards whoever needs one of them gets it.
    """
    modules: dict[str, Any] = sys.modules
    absent = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(absent))  # None stands for what cannot be imported
    try:
        yield
    finally:
        for name in absent:
            del modules[name]
