"""Brings a database to the shape this version needs: the application's role, then the migrations.

Runs as the owner of the tables (`settings.database.url`); the application itself connects with
`app_url`, as a role that owns nothing, so that row-level security binds it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from arcane.kit.logging import get_logger
from arcane.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config

log = get_logger("arcane.migrate")

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
_DRIVER = "postgresql+asyncpg"
_LOCK = 0x41524341  # "ARCA"
_ROLE_CREATED_MEANWHILE = frozenset({"42710", "23505"})  # duplicate_object, unique_violation
_OLDEST_POSTGRES = 15
_LARGEST_PORT = 65_535


class DatabaseSetupError(Exception):
    """The database cannot be prepared as the settings say; the message says what to do."""


@dataclass(frozen=True, slots=True)
class AppRole:
    """The role of the running application. Without `managed`, its password is the operator's business."""

    name: str
    password: str
    managed: bool


def owner_url(settings: Settings) -> str:
    """Returns the owner's connection URL, with the driver the application uses."""
    if settings.database.url is None:
        raise DatabaseSetupError("no database is configured: set ARCANE_DATABASE__URL, or run `make up`")
    return _text(_parsed(settings.database.url.get_secret_value()))


def app_role(settings: Settings) -> AppRole:
    """Returns the role the application runs as."""
    given = settings.database
    if given.app_url is not None:
        url = _parsed(given.app_url.get_secret_value())
        return AppRole(url.username or given.app_role, str(url.password or ""), managed=False)
    if given.app_password is not None:
        return AppRole(given.app_role, given.app_password.get_secret_value(), managed=True)
    if not settings.secrets.keys:
        raise DatabaseSetupError("set ARCANE_DATABASE__APP_PASSWORD, or ARCANE_SECRETS__KEYS to derive it from")
    key = settings.secrets.keys[0].get_secret_value().encode()
    derived = hmac.new(key, b"arcane database role", hashlib.sha256).digest()
    return AppRole(given.app_role, base64.urlsafe_b64encode(derived).decode().rstrip("="), managed=True)


def app_url(settings: Settings) -> str:
    """Returns the connection URL of the running application."""
    if settings.database.app_url is not None:
        return _text(_parsed(settings.database.app_url.get_secret_value()))
    role = app_role(settings)
    return _text(make_url(owner_url(settings)).set(username=role.name, password=role.password))


def require_scripts() -> None:
    """The migrations are here. They lie beside the packages, not in them, so a wheel brings none (docs/adr/0002)."""
    if not (SCRIPTS / "env.py").is_file():
        raise DatabaseSetupError(
            "an installed package holds no migrations: run an instance from a clone (`make up`) or from the image"
        )


async def migrate(settings: Settings) -> None:
    """The application's role exists and the database is at the newest revision; safe to run at any time."""
    # Loaded here and not above: alembic takes 10 MB that a running backend never needs.
    await run_alembic(settings, lambda config: import_module("alembic.command").upgrade(config, "head"))
    log.info("database_migrated")


async def run_alembic(settings: Settings, work: Callable[[Config], None]) -> None:
    """`work` has been done by alembic on the owner's connection, by one process at a time."""
    require_scripts()
    role = app_role(settings)
    engine = create_async_engine(owner_url(settings), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                await _check_server(connection)
                await _ensure_role(connection, role)
                await connection.run_sync(_with_config, role, work)
                await connection.commit()
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
    finally:
        await engine.dispose()


def _with_config(connection: Connection, role: AppRole, work: Callable[[Config], None]) -> None:
    config: Config = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes.update(connection=connection, app_role=role.name)
    work(config)


async def _check_server(connection: AsyncConnection) -> None:
    version = int((await connection.execute(text("SHOW server_version_num"))).scalar_one()) // 10_000
    if version < _OLDEST_POSTGRES:
        raise DatabaseSetupError(f"Postgres {version} is too old: Arcane needs {_OLDEST_POSTGRES} or newer")


async def _ensure_role(connection: AsyncConnection, role: AppRole) -> None:
    """Roles belong to the whole server: another database's migration may make the same one at this moment."""
    found = (
        await connection.execute(
            text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :name"), {"name": role.name}
        )
    ).scalar_one_or_none()
    if found:
        raise DatabaseSetupError(
            f"the application's role {role.name} is a superuser or bypasses row-level security: use another one"
        )
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
    if found is None:
        await _role_statement(connection, f"CREATE ROLE {{name}} WITH {rights} PASSWORD {{password}}", role)
    elif role.managed:
        await _role_statement(connection, "ALTER ROLE {name} WITH PASSWORD {password}", role)
    await connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {_identifier(role.name)}"))
    await connection.commit()


async def _role_statement(connection: AsyncConnection, statement: str, role: AppRole) -> None:
    """CREATE and ALTER ROLE take no bind parameters: the server quotes the literal for us."""
    quoted = (
        await connection.execute(text("SELECT quote_literal(:password)"), {"password": role.password})
    ).scalar_one()
    try:
        async with connection.begin_nested():
            filled = statement.format(name=_identifier(role.name), password=quoted)
            await connection.exec_driver_sql(filled)
    except DBAPIError as exc:
        if getattr(exc.orig, "sqlstate", None) not in _ROLE_CREATED_MEANWHILE:
            raise DatabaseSetupError(
                f"the role {role.name} cannot be prepared: let the owner create roles, or create it and "
                "set ARCANE_DATABASE__APP_URL"
            ) from None


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise DatabaseSetupError("the database address is not a postgresql:// URL") from None
    if not parsed.drivername.startswith("postgres") or (parsed.port or 0) > _LARGEST_PORT:
        raise DatabaseSetupError("the database address is not a postgresql:// URL")
    if "sslmode" in parsed.query:  # as libpq calls it, and what is copied from elsewhere has
        raise DatabaseSetupError(
            "the database address says sslmode: the driver calls it ssl, for instance ?ssl=require"
        )
    return parsed.set(drivername=_DRIVER)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
