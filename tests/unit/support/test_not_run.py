"""The listing at the end of a run names what did not run, and a required need makes the run fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SUITE = """
import pytest

@pytest.mark.connected("nowhere")
def test_against_a_server():
    pass

@pytest.mark.browser
def test_in_a_browser():
    pass

def test_here():
    pass
"""
SKIPS = """
import pytest

def test_leaves_early():
    pytest.skip("not today")
"""


def run(folder: Path, suite: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n    browser\n    postgres\n    connected(service)\naddopts = -p no:randomly\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.not_run", *arguments]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_names_every_test_that_went_without_its_server(tmp_path: Path, workers: str) -> None:
    done = run(tmp_path, SUITE, "-n", workers, PLAYWRIGHT_CHROMIUM=sys.executable)
    assert done.returncode == 0, done.stdout
    assert "nowhere (1 tests): no nowhere: set ARCANE_TEST_NOWHERE_URL" in done.stdout
    assert "test_suite.py::test_against_a_server" in done.stdout
    assert done.stdout.strip().splitlines()[-1].startswith("2 passed, 1 skipped")


def test_runs_what_has_its_server(tmp_path: Path) -> None:
    done = run(tmp_path, SUITE, ARCANE_TEST_NOWHERE_URL="here", PLAYWRIGHT_CHROMIUM=sys.executable)
    assert "not run" not in done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_fails_when_a_required_need_is_absent(tmp_path: Path, workers: str) -> None:
    gone = str(tmp_path / "no-browser")
    done = run(tmp_path, SUITE, "-n", workers, ARCANE_TEST_REQUIRE="browser", PLAYWRIGHT_CHROMIUM=gone)
    assert done.returncode == 1
    assert "INCOMPLETE: browser is required here, and 1 tests went without it" in done.stdout


def test_fails_when_nothing_that_needs_the_required_one_ran(tmp_path: Path) -> None:
    done = run(tmp_path, SUITE, ARCANE_TEST_REQUIRE="postgres", PLAYWRIGHT_CHROMIUM=sys.executable)
    assert done.returncode == 1
    assert "INCOMPLETE: postgres is required here, and no test that needs it ran" in done.stdout


def test_a_skip_that_nobody_declared_fails_a_run_with_requirements(tmp_path: Path) -> None:
    done = run(tmp_path, SUITE + SKIPS, ARCANE_TEST_REQUIRE="browser", PLAYWRIGHT_CHROMIUM=sys.executable)
    assert done.returncode == 1
    assert "a reason of its own (1 tests): not today" in done.stdout
    assert "INCOMPLETE: 1 tests were skipped for a reason of its own" in done.stdout


def test_part_of_the_suite_may_be_run_alone(tmp_path: Path) -> None:
    done = run(tmp_path, SUITE, "-k", "here", ARCANE_TEST_REQUIRE="postgres")
    assert done.returncode == 0, done.stdout
