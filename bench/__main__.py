"""Runs every benchmark, one after the other, each in a process of its own. `python -m bench`, or `make bench`."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "evaluate",
    "conventions",
    "search",
    "federated",
    "metrics",
    "stream",
    "backends",
    "chdb",
    "trace",
    "load",
    "memory",
    "datasets",
    "evaluations",
    "jobs",
    "llm",
)


def main() -> None:
    failed = [name for name in NAMES if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode]
    if failed:
        sys.exit(f"did not run to the end: {', '.join(failed)}")


if __name__ == "__main__":
    main()
