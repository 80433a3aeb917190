"""Started as root, a server is nobody, and still reaches what lies below a folder that only root may enter."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcane.local.unprivileged import as_user

ASK = 'id -u; test -r "$0" && echo reachable; grep -E "CapEff|CapPrm" /proc/self/status'
DAC_OVERRIDE = 1 << 1


@pytest.fixture(params=[0o755, 0o700], ids=["open", "closed"])
def file(request: pytest.FixtureRequest) -> Iterator[Path]:
    base = Path("/tmp") / f"arcane-unprivileged-{os.getpid()}-{request.param:o}"
    (base / "inner").mkdir(parents=True)
    (base / "inner/file").write_text("here")
    base.chmod(request.param)
    yield base / "inner/file"
    shutil.rmtree(base)


def test_the_server_is_not_root_and_reaches_its_files(file: Path) -> None:
    command = ["/bin/sh", "-c", ASK, str(file)]  # not our Python: nobody need be able to reach that
    done = subprocess.run(command, capture_output=True, text=True, check=True, **as_user(file))
    user, reachable, *capabilities = done.stdout.splitlines()
    assert user != "0"
    assert reachable == "reachable"
    assert {int(line.split()[1], 16) for line in capabilities} <= {0, DAC_OVERRIDE}
