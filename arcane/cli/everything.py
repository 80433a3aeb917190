"""Every command, with the instance's code. Each reads the settings, does one thing, and tells a fault in one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import anyio
import typer
from starlette.datastructures import State

from arcane.access.principals import SYSTEM
from arcane.access.service.password_links import IssuedPasswordLink
from arcane.catalog.rotation import RotationReport
from arcane.cli import light
from arcane.cli.light import HERE, Folder, say
from arcane.kit.logging import configure_logging
from arcane.kit.migrate import migrate as migrate_database
from arcane.local.check import check_conformance, check_datasource, entered_settings, report
from arcane.local.errors import LocalError
from arcane.local.faults import MENDABLE, one_line, reaching_database
from arcane.local.folder import LocalFolder
from arcane.local.inside import services
from arcane.local.up import Up
from arcane.main import create_app
from arcane.models.service import RotatedModels
from arcane.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    name="arcane",
    help="LLM and agent traces, on top of the trace storage you already run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

light.add_to(app)


@app.command()
def up(folder: Folder = HERE) -> None:
    """Starts everything on this machine: Postgres, backend with its pages, worker. Ctrl-C stops it."""
    anyio.run(Up(_settings(), LocalFolder.open(folder), say).run, backend_options={"use_uvloop": True})


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else ARCANE_SERVER__HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else ARCANE_SERVER__PORT.")] = None,
) -> None:
    """Serves the API and the pages. The database must have been migrated."""
    chosen = (("--host", host), ("--port", port))
    options = [text for name, value in chosen if value is not None for text in (name, str(value))]
    # A new program in place of this one: the backend's process does not keep what only commands need.
    os.execv(sys.executable, [sys.executable, "-m", "arcane.local.serve", *options])  # noqa: S606


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
    say("the database is at the newest revision")


@app.command("check-datasource")
def check(
    kind: Annotated[str, typer.Argument(help="The kind, for instance tempo.")],
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting: url=http://tempo:3200.")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="A setting that is asked for without showing it.")] = None,
    conformance: Annotated[
        bool, typer.Option("--conformance", help="Try whatever it says that it can do, with the traces that it has.")
    ] = False,
) -> None:
    """Says what answers with these settings: version, newest trace, what can be pushed down. Stores nothing."""
    entered = entered_settings(settings or ())
    for name in secret or ():
        entered[name] = typer.prompt(name, hide_input=True)
    found = anyio.run(check_datasource, _settings(), kind, entered)
    for line in report(found):
        print(line)
    if not found.ok:
        sys.exit(1)
    if conformance and not anyio.run(check_conformance, _settings(), kind, entered, print):
        sys.exit(1)


@app.command()
def create_owner_link() -> None:
    """Prints a one-time link that makes its holder the owner. The link before it does not work any more."""
    link = _inside(lambda state: state.accounts.issue_setup_link())
    if link is None:
        raise LocalError("this instance has an owner already; owners are made in its pages")
    print(link)


@app.command()
def create_password_link(email: Annotated[str, typer.Argument(help="The account's e-mail address.")]) -> None:
    """Prints a one-time link by which an account gets a new password: for an owner who is locked out."""
    issued: IssuedPasswordLink = _inside(lambda state: state.password_links.issue_by_email(SYSTEM, email))
    print(issued.link)


@app.command()
def rotate_secrets() -> None:
    """Encrypts every stored secret with the first key of ARCANE_SECRETS__KEYS. May be stopped and run again."""
    done: RotationReport = _inside(lambda state: state.catalog.rotate_secrets())
    say(f"{done.datasources} datasources, {done.secrets} secrets, {done.rotated} encrypted anew")
    models: RotatedModels = _inside(lambda state: state.models.rotate_secrets())
    say(f"{models.configurations} model configurations, {models.secrets} secrets, {models.rotated} encrypted anew")
    unreadable = (*done.unreadable, *models.unreadable)
    if unreadable:
        raise LocalError(f"no key opens the secrets of {', '.join(map(str, unreadable))}: enter them again")


@app.command()
def openapi() -> None:
    """Prints the OpenAPI document of /api/v1."""
    document = create_app(Settings(_env_file=None)).openapi()
    print(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False))


def _inside(work: Callable[[State], Awaitable[T]]) -> T:
    settings = _settings()

    async def run() -> T:
        async with services(settings) as state:
            return await work(state)

    with reaching_database():
        return anyio.run(run)


def _settings() -> Settings:
    settings = Settings()
    configure_logging(settings.log.level, json_lines=settings.log.json_lines)
    return settings


def main() -> None:
    """Runs the command of the command line; what a user can mend ends with one line and exit code 1."""
    try:
        app(prog_name="arcane")
    except KeyboardInterrupt:
        sys.exit(130)
    except (*MENDABLE, BaseExceptionGroup) as exc:
        line = one_line(exc)
        if line is None:
            raise
        sys.stderr.write(f"arcane: {line}\n")
        sys.exit(1)
