"""The commands that load none of an instance's code: most of them ask one over its API, or files in place of one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Final

import typer

from arcane.client.commands import explain, metrics, query, tail
from arcane.client.datasets import datasets
from arcane.client.eval_commands import app as evaluations
from arcane.demo.generate import write_demo as generate_demo
from arcane.kit.secrets import generate_key as new_key
from arcane.local.errors import LocalError
from arcane.local.folder import LocalFolder

STOP_TIMEOUT_S = 60.0
HERE = Path(".local")
Folder = Annotated[Path, typer.Option(help="Where Postgres, generated keys and the demo are kept.")]


def down(folder: Folder = HERE) -> None:
    """Stops what `arcane up` runs on this folder."""
    stopped = LocalFolder.open(folder).stop_other(STOP_TIMEOUT_S)
    say("stopped" if stopped else f"nothing runs on {folder}")


def write_demo(folder: Annotated[Path, typer.Argument(help="Where the files go.")]) -> None:
    """Writes the demo, a day of OTLP JSON lines that ends now."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = generate_demo(folder, end=time.time_ns())
    say(f"{truth.total.traces} traces with {truth.total.spans} spans in {folder}")


def generate_key() -> None:
    """Prints a new key for ARCANE_SECRETS__KEYS (or ARCANE_WORKER__KEY)."""
    print(new_key())


def version() -> None:
    """Prints the version."""
    print(installed_version("arcane"))


def say(line: str) -> None:
    """The line is told as ours."""
    print(f"arcane: {line}", flush=True)


_COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "query": query,
    "metrics": metrics,
    "tail": tail,
    "explain": explain,
    "down": down,
    "write-demo": write_demo,
    "generate-key": generate_key,
    "version": version,
}
_GROUPS: Final = {"datasets": datasets, "eval": evaluations}


def add_to(app: typer.Typer) -> None:
    """`app` has these commands."""
    for name, command in _COMMANDS.items():
        app.command(name)(command)
    for name, group in _GROUPS.items():
        app.add_typer(group, name=name)


app = typer.Typer(name="arcane", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
add_to(app)


def main() -> None:
    """Runs the command of the command line."""
    try:
        app(prog_name="arcane")
    except KeyboardInterrupt:
        sys.exit(130)
    except (LocalError, OSError) as exc:
        sys.stderr.write(f"arcane: {exc}\n")
        sys.exit(1)
