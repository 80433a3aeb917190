"""Runs revisions on the owner's connection: handed in by `arcane.kit.migrate`, or opened from the settings."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

import anyio
from alembic import context
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import arcane
from arcane.kit.migrate import app_role, run_alembic
from arcane.settings import Settings

LOCK_TIMEOUT = "5s"
"""A revision that cannot get its lock gives up: waiting would queue every query of the application behind it."""


def load_tables() -> None:
    """Every slice's tables are in the metadata; a new slice is found by its `tables` module."""
    for slice_ in pkgutil.iter_modules(arcane.__path__, "arcane."):
        if slice_.ispkg and importlib.util.find_spec(f"{slice_.name}.tables") and slice_.name != "arcane.kit":
            importlib.import_module(f"{slice_.name}.tables")


def run(connection: Connection, role: str) -> None:
    """The revisions have run in one transaction, and the application's role is known to them as `app_role`."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection, target_metadata=SQLModel.metadata, compare_server_default=True, app_role=role
    )
    with context.begin_transaction():
        context.run_migrations()


load_tables()
attributes = context.config.attributes
if "connection" in attributes:
    run(attributes["connection"], attributes["app_role"])
else:
    settings = Settings()
    anyio.run(run_alembic, settings, lambda config: run(config.attributes["connection"], app_role(settings).name))
