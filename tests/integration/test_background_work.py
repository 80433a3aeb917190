"""What goes on in the background of a backend outlives a database that is away, and statements that fail.

Whatever such work raises ends the process it runs in, and with it every request.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import anyio
import asyncpg
import pytest

from arcane.access.permissions import KeyScope
from arcane.access.principals import KeyPrincipal
from arcane.access.usage import Usage
from arcane.kit.database import Database
from tests.support.evaluating import desk_on
from tests.support.jobs import ledger_on
from tests.support.postgres import MigratedDatabase
from tests.support.scores import scores_on

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
A_WHILE_S = 1.0
"""Long enough for a loop to come round; on a slow machine the test proves less, and does not fail."""
SOMETHING = UUID(int=1)


async def _away(stored: MigratedDatabase, table: str) -> None:
    """Every statement about the table fails from now on."""
    connection = await asyncpg.connect(stored.superuser_dsn)
    try:
        await connection.execute(f'ALTER TABLE "{table}" RENAME TO "{table}_away"')
    finally:
        await connection.close()


async def test_keys_that_are_used_while_postgres_is_away_end_nothing() -> None:
    database = Database.connect("postgresql+asyncpg://nobody@127.0.0.1:9/nothing")
    usage = Usage(database, 0.01)
    usage.note(KeyPrincipal(SOMETHING, "ci", KeyScope.READ, None, SOMETHING, SOMETHING))
    with anyio.move_on_after(A_WHILE_S) as still_running:
        await usage.run()
    assert still_running.cancelled_caught
    await database.aclose()


async def test_sweeping_goes_on_when_a_statement_fails(migrated_database: MigratedDatabase) -> None:
    async with ledger_on(migrated_database, sweep_s=0.01) as ledger:
        await _away(migrated_database, "job_runs")
        with anyio.move_on_after(A_WHILE_S) as still_running:
            await ledger.sweeper.run()
        assert still_running.cancelled_caught


async def test_listing_goes_on_when_a_statement_fails(migrated_database: MigratedDatabase) -> None:
    async with desk_on(migrated_database) as desk:
        await _away(migrated_database, "evaluations")
        with anyio.move_on_after(A_WHILE_S) as still_running:
            await desk.evaluations.lister.run()
        assert still_running.cancelled_caught


async def test_keeping_scorers_goes_on_when_a_statement_fails(migrated_database: MigratedDatabase) -> None:
    async with scores_on(migrated_database) as bench:
        bench.worker_comes()
        await _away(migrated_database, "announced_scorers")
        scorers = replace(bench.service.scorers, look_s=0.01)
        with anyio.move_on_after(A_WHILE_S) as still_running:
            await scorers.run()
        assert still_running.cancelled_caught
