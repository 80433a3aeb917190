"""`arcane` as a shell runs it: each command is a process of its own, forked from one that has loaded Arcane once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from arcane.cli.everything import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_LONGEST_S = 120.0


def arcane(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Returns what the command left, in an environment of `settings` alone; none of them may end in a traceback."""
    environment = {"PATH": os.defpath, "ARCANE_LOG__LEVEL": "error", **settings}
    with tempfile.TemporaryDirectory(prefix="arcane-shell-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _FORKS.Process(target=_become, args=(arguments, environment, out, err))
        process.start()
        process.join(_LONGEST_S)
        if process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        done = subprocess.CompletedProcess(["arcane", *arguments], code, out.read_text(), err.read_text())
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """This process is `arcane` with these arguments; what it prints goes to the two files."""
    own = os.environ  # noqa: TID251 - the command's, before it reads its settings
    own.clear()
    own.update(environment)
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir("/")
    sys.argv = ["arcane", *arguments]
    main()
