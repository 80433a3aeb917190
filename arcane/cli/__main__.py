"""The `arcane` command: what needs none of the instance's code starts without it, in a quarter of the time."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

LIGHT: Final = frozenset(
    {"query", "metrics", "tail", "explain", "datasets", "eval", "down", "write-demo", "generate-key", "version"}
)
"""The commands of `arcane.cli.light`; a test compares them."""


def main() -> None:
    """Runs the command of the command line."""
    light = len(sys.argv) > 1 and sys.argv[1] in LIGHT
    import_module("arcane.cli.light" if light else "arcane.cli.everything").main()


if __name__ == "__main__":
    main()
