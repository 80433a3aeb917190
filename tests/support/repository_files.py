"""The files of this repository as git knows them: committed ones and new ones that are not ignored."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("arcane", "datasources", "worker", "web")


@cache
def files() -> tuple[Path, ...]:
    """Returns every file, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(path for line in sorted(set(done.stdout.splitlines())) if (ROOT / (path := Path(line))).is_file())


def sources(*suffixes: str) -> list[Path]:
    """Returns the files with one of `suffixes`."""
    return [path for path in files() if path.suffix in suffixes]


def modules() -> list[Path]:
    """Returns the Python files of the product."""
    return [path for path in sources(".py") if path.parts[0] in PACKAGES]
