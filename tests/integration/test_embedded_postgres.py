"""The embedded server is a real Postgres that tests can rely on."""

import asyncpg
import pytest

from tests.support.postgres import Server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def test_a_database_of_its_own_answers(postgres_server: Server, empty_database: str) -> None:
    connection = await asyncpg.connect(postgres_server.url(empty_database, driver="postgresql"))
    assert await connection.fetchval("SELECT current_database()") == empty_database
    await connection.close()
