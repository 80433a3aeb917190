"""A statement that is not answered ends: whoever waits is told, and the connection serves the next one."""

from __future__ import annotations

from uuid import uuid4

import anyio
import pytest
from sqlalchemy import text

from arcane.kit.actor import Tenant
from arcane.kit.database import Database
from arcane.kit.problems import Unavailable
from tests.support.postgres import MigratedDatabase
from tests.support.relay import relaying

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

TENANT = Tenant(organisation_id=uuid4())


async def _asked(database: Database, statement: str) -> None:
    async with database.transaction(TENANT) as session:
        await session.execute(text(statement))


async def test_a_statement_that_waits_too_long_frees_its_connection(migrated_database: MigratedDatabase) -> None:
    database = Database.connect(migrated_database.app_url, pool_size=1, statement_timeout_s=1.0)
    try:
        with pytest.raises(Unavailable):
            await _asked(database, "SELECT pg_sleep(60)")
        await _asked(database, "SELECT 1")
    finally:
        await database.aclose()


async def test_a_server_that_falls_silent_is_not_waited_for(migrated_database: MigratedDatabase) -> None:
    server = migrated_database.server
    async with relaying(server.port) as relay:
        through = migrated_database.app_url.replace(f":{server.port}/", f":{relay.port}/")
        database = Database.connect(through, pool_size=1, statement_timeout_s=1.0)
        try:
            await _asked(database, "SELECT 1")
            relay.silent = True
            with anyio.fail_after(30), pytest.raises(Unavailable):
                await _asked(database, "SELECT 1")
        finally:
            await relay.cut()
            await database.aclose()
