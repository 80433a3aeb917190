"""The `arcane` command. Each command reads the settings, does one thing, and says in one line what went wrong."""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import anyio
import typer

from arcane.kit.logging import configure_logging
from arcane.kit.migrate import migrate as migrate_database
from arcane.kit.secrets import generate_key as new_key
from arcane.kit.serving import listen
from arcane.kit.serving import serve as serve_application
from arcane.local.faults import MENDABLE, one_line, reaching_database
from arcane.local.folder import LocalFolder
from arcane.local.up import Up
from arcane.main import create_app
from arcane.settings import Settings

STOP_TIMEOUT_S = 60.0

app = typer.Typer(
    name="arcane",
    help="LLM and agent traces, on top of the trace storage you already run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Folder = Annotated[Path, typer.Option(help="Where Postgres, generated keys and the demo are kept.")]
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]

HERE = Path(".local")


@app.command()
def up(folder: Folder = HERE) -> None:
    """Starts everything on this machine: Postgres, backend with its pages, worker. Ctrl-C stops it."""
    anyio.run(Up(_settings(), LocalFolder.open(folder), _say).run, backend_options={"use_uvloop": True})


@app.command()
def down(folder: Folder = HERE) -> None:
    """Stops what `arcane up` runs on this folder."""
    stopped = LocalFolder.open(folder).stop_other(STOP_TIMEOUT_S)
    _say("stopped" if stopped else f"nothing runs on {folder}")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else ARCANE_SERVER__HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else ARCANE_SERVER__PORT.")] = None,
    supervised: Supervised = False,
) -> None:
    """Serves the API and the pages. The database must have been migrated."""
    settings = _settings()
    bound = listen(host or settings.server.host, settings.server.port if port is None else port)
    anyio.run(
        lambda: serve_application(create_app(settings), bound, supervised=supervised),
        backend_options={"use_uvloop": True},
    )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(context: typer.Context) -> None:
    """Runs the work that the backend hands out. Needs ARCANE_WORKER__KEY and ARCANE_WORKER__BACKEND_URL."""
    # A new program in place of this one: a worker's process never holds the backend's code (R2).
    os.execv(sys.executable, [sys.executable, "-m", "worker.main", *context.args])  # noqa: S606


@app.command()
def migrate() -> None:
    """Creates the application's role and brings the database to the newest revision."""
    settings = _settings()
    with reaching_database():
        anyio.run(migrate_database, settings)
    _say("the database is at the newest revision")


@app.command()
def openapi() -> None:
    """Prints the OpenAPI document of /api/v1."""
    document = create_app(Settings(_env_file=None)).openapi()
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


@app.command()
def generate_key() -> None:
    """Prints a new key for ARCANE_SECRETS__KEYS (or ARCANE_WORKER__KEY)."""
    print(new_key())


@app.command()
def version() -> None:
    """Prints the version."""
    print(installed_version("arcane"))


def _settings() -> Settings:
    settings = Settings()
    configure_logging(settings.log.level, json_lines=settings.log.json_lines)
    return settings


def _say(line: str) -> None:
    print(f"arcane: {line}", flush=True)


def main() -> None:
    """Runs the command of the command line; what a user can mend ends with one line and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except (*MENDABLE, BaseExceptionGroup) as exc:
        line = one_line(exc)
        if line is None:
            raise
        sys.stderr.write(f"arcane: {line}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
