"""The commands that ask an instance over its API, or files without one: they load none of the instance's code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Final

import typer

from arcane.client.commands import explain, metrics, query, tail
from arcane.client.datasets import datasets
from arcane.client.eval_commands import app as evaluations

_COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "query": query,
    "metrics": metrics,
    "tail": tail,
    "explain": explain,
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
