"""The `arcane` command: what only asks starts in half the time, because it loads half of the code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

ASKING: Final = frozenset({"query", "metrics", "tail", "explain", "datasets", "eval"})
"""The commands of `arcane.cli.asking`; a test compares them."""


def main() -> None:
    """Runs the command of the command line."""
    asks = sys.argv[1:2] and sys.argv[1] in ASKING
    import_module("arcane.cli.asking" if asks else "arcane.cli.everything").main()


if __name__ == "__main__":
    main()
