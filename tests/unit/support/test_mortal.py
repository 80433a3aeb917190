"""A server of a test does not outlive a run that is killed."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

STARTS_ONE = """
import subprocess, sys, time
from tests.support.mortal import end_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn=end_with_parent)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_what_a_killed_run_started_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS_ONE], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        server = psutil.Process(int(run.stdout.readline()))
        run.kill()
        run.wait()
        give_up = time.monotonic() + 30
        while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < give_up, "it still runs"
            time.sleep(0.02)
