"""The third party's road: a package of its own, built, installed, found by entry point, right by the suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "plugins" / "arcane-shelf"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as an installer leaves it: its wheel is built by its own backend and unpacked."""
    source, wheels, site = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "site"))
    package = source / "package"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    build = "import sys, uv_build; print(uv_build.build_wheel(sys.argv[1]))"
    built = run([sys.executable, "-c", build, str(wheels)], cwd=package)
    with ZipFile(wheels / built.stdout.split()[-1]) as wheel:
        wheel.extractall(site)
    shutil.move(package / "tests", site / "shelf_tests")  # away from this project's own fixtures
    return site


def run(command: list[str], cwd: Path, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    inherited = dict(os.environ)  # noqa: TID251 - a subprocess inherits what this one has
    inherited["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    environment = {**inherited, **(more or {})}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_an_installed_package_is_found_by_its_entry_point(installed: Path) -> None:
    ask = (
        "from arcane.catalog.registry import Registry\n"
        "kind = Registry.load().usable('shelf')\n"
        "print(kind.title, kind.package, [field.name for field in kind.fields])"
    )
    done = run([sys.executable, "-c", ask], cwd=ROOT, more={"PYTHONPATH": str(installed)})
    assert done.stdout.strip() == "Shelf arcane-shelf ['url', 'key']"


def test_an_installed_package_passes_the_suite(installed: Path) -> None:
    tests = installed / "shelf_tests"
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tests)]
    paths = os.pathsep.join([str(installed), str(ROOT), str(tests)])
    done = run([*suite, str(tests)], cwd=tests, more={"PYTHONPATH": paths})
    passed = int(done.stdout.rstrip().splitlines()[-1].split()[0])
    assert passed > 80, done.stdout


def test_an_installed_package_imports_nothing_of_arcane_but_the_spi(installed: Path) -> None:
    for file in (installed / "arcane_shelf").glob("*.py"):
        for line in file.read_text().splitlines():
            if line.startswith(("import arcane", "from arcane")):
                assert line.startswith(("from arcane.spi import", "from arcane_shelf.")), f"{file.name}: {line}"
