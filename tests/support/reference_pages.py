"""The reference pages that are written from the code: `python -m tests.support.reference_pages` writes them anew."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer.main
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

import arcane.settings
import worker.settings
from arcane.cli.everything import app
from arcane.main import create_app
from tests.support.repository_files import ROOT
from tests.support.scorer_pages import scorers_page

REFERENCE = ROOT / "docs/reference"


def settings_page() -> str:
    """Returns docs/reference/settings.md."""
    parts = [
        "# Settings",
        "Read once at start, from the environment and from a file `.env` in the working directory.\n"
        "The environment wins. An empty variable counts as not set. Lists are JSON:\n"
        "`ARCANE_EGRESS__ALLOW_NETWORKS='[\"10.1.0.0/16\"]'`.",
        "This page is written from `arcane/settings.py` and `worker/settings.py` by `make docs`.",
        "## The backend",
        *_groups(arcane.settings.Settings),
        "## The worker",
        *_groups(worker.settings.Settings),
    ]
    return "\n\n".join(parts) + "\n"


def commands_page() -> str:
    """Returns docs/reference/command-line.md."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    parts = [
        "# The command line",
        "`arcane COMMAND --help` says the same. What you can mend ends with one line and exit code 1.\n"
        "This page is written from `arcane/cli` by `make docs`; a test keeps it equal.",
    ]
    for name, command in commands.items():
        for full, one in _leaves(name, command):
            parts += _command(full, one)
    return "\n\n".join(parts) + "\n"


def openapi_document() -> str:
    """Returns docs/reference/openapi.json."""
    settings = arcane.settings.Settings(_env_file=None)
    return json.dumps(create_app(settings).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "command-line.md": commands_page,
    "openapi.json": openapi_document,
    "scorers.md": scorers_page,
}


def _groups(settings: type[BaseSettings]) -> list[str]:
    parts = []
    for group, field in settings.model_fields.items():
        kind: Any = field.annotation
        rows = ["| variable | default | meaning |", "|---|---|---|"]
        for name, setting in kind.model_fields.items():
            rows.append(f"| `ARCANE_{group.upper()}__{name.upper()}` | {_default(setting)} | {setting.description} |")
        parts += [f"### {group}", inspect.getdoc(kind) or "", "\n".join(rows)]
    return parts


def _default(setting: FieldInfo) -> str:
    if setting.is_required():
        return "required"
    if setting.default_factory is not None:
        made = setting.get_default(call_default_factory=True)
        return f"`{json.dumps(made)}`" if isinstance(made, list) and made else ""
    value = setting.default
    if value is None or isinstance(value, BaseModel | SecretStr):
        return ""
    return f"`{json.dumps(value)}`" if not isinstance(value, str | Path) else f"`{value}`"


def _leaves(name: str, command: Any) -> list[tuple[str, Any]]:
    """The command, or those of a group under the group's name."""
    own = getattr(command, "commands", None)
    if own is None:
        return [(name, command)]
    return [leaf for part, one in own.items() for leaf in _leaves(f"{name} {part}", one)]


def _command(name: str, command: Any) -> list[str]:
    takes = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    options = [parameter for parameter in takes if parameter.param_type_name == "option"]
    arguments = [str(parameter.name).upper() for parameter in takes if parameter.param_type_name == "argument"]
    usage = " ".join(["arcane", name, *arguments, *(["[options]"] if options else [])])
    parts = [f"## arcane {name}", f"`{usage}`", inspect.cleandoc(command.help or "")]
    if options:
        parts.append("\n".join(["| option | default | meaning |", "|---|---|---|", *map(_option, options)]))
    return parts


def _option(option: Any) -> str:
    default = option.default
    shown = "" if default in (None, False, "", ()) or callable(default) else f"`{default}`"
    variable = f" Or `{option.envvar}`." if option.envvar else ""
    return f"| `{', '.join(option.opts)}` | {shown} | {option.help or ''}{variable} |"


def main() -> None:
    """Every page is equal to the code."""
    for name, render in PAGES.items():
        (REFERENCE / name).write_text(render())


if __name__ == "__main__":
    main()
