"""What lives as long as the process is nothing for the garbage collector.

A program that serves imports this first: otherwise it spends a tenth of its start looking through modules for garbage.
"""

from __future__ import annotations

import gc

_YOUNG_OBJECTS = 20_000  # of containers alone; a page of hits makes a few thousand


def settle() -> None:
    """What was made so far lives as long as the process: the garbage collector does not look at it again.

    Otherwise every large answer makes it walk all modules, routes and tables, at several times the answer's own cost.
    """
    gc.collect()
    gc.freeze()


gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
