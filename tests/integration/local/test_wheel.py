"""The wheel, away from the clone: its commands work, and what needs a clone says so in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.repository_files import ROOT, files

BUILD = "import sys, uv_build; print(uv_build.build_wheel(sys.argv[1]))"
DATA = (".html", ".lark", ".toml")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the distribution as an installer leaves it."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    beside = str(Path(sys.executable).parent)  # there the backend looks for its program
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(wheels)],
        cwd=ROOT,
        env={"PATH": beside},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    with ZipFile(wheels / built.stdout.split()[-1]) as wheel:
        wheel.extractall(folder)
    return folder


def arcane(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the installed distribution in `folder`; nothing of the clone is found there."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(site), "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "arcane.cli", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_wheel_holds_every_file_that_the_packages_read(site: Path) -> None:
    read = [
        path for path in files() if path.suffix in DATA and path.parts[0] in ("arcane", "datasources", "worker", "web")
    ]
    assert len(read) > 50
    assert [str(path) for path in read if not (site / path).is_file()] == []


def test_its_commands_work_anywhere(site: Path, tmp_path: Path) -> None:
    assert "check-datasource" in arcane(site, tmp_path, "--help").stdout
    written = arcane(site, tmp_path, "write-demo", "demo")
    assert written.stdout.startswith("arcane: 500 traces with "), written.stderr
    found = arcane(
        site, tmp_path, "query", "{ status = error }", "--file", "demo/storefront", "--since", "2d", "--limit", "1"
    )
    assert (found.returncode, "storefront" in found.stdout) == (0, True), found.stderr


def test_what_needs_a_clone_says_so(site: Path, tmp_path: Path) -> None:
    done = arcane(site, tmp_path, "up")
    assert done.returncode == 1
    assert done.stderr == (
        "arcane: an installed package holds no migrations: run an instance from a clone (`make up`) or from the image\n"
    )
