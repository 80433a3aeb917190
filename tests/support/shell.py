"""`arcane` as a shell runs it: what it leaves on its two streams, and its exit code."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.support.forked import Forked

_LONGEST_S = 120.0


def arcane(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Returns what the command left, in an environment of `settings` alone; none of them may end in a traceback."""
    environment = {"PATH": os.defpath, "ARCANE_LOG__LEVEL": "error", **settings}
    with tempfile.TemporaryDirectory(prefix="arcane-shell-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = Forked(("arcane.cli", *arguments), environment, out=out, err=err, folder=Path("/"))
        try:
            code = process.wait(_LONGEST_S)
        finally:
            process.kill()
        done = subprocess.CompletedProcess(["arcane", *arguments], code, out.read_text(), err.read_text())
    assert "Traceback" not in done.stderr, done.stderr
    return done
