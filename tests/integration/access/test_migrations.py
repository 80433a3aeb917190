"""The migrations make exactly the tables the code knows, can be taken back, and put every table behind its wall."""

from __future__ import annotations

import asyncpg
import pytest
from alembic import command
from pydantic import SecretStr

from arcane.access.permissions import SYSTEM_ROLES
from arcane.kit.migrate import DatabaseSetupError, app_url, migrate, run_alembic
from arcane.settings import DatabaseSettings, SecretSettings, Settings
from tests.support.postgres import MigratedDatabase, Server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

_SHAPE = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2
"""


async def test_the_models_say_what_the_migrations_do(migrated_database: MigratedDatabase) -> None:
    await run_alembic(migrated_database.settings, command.check)


async def test_up_down_and_up_again_ends_in_the_same_place(migrated_database: MigratedDatabase) -> None:
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    before = await connection.fetch(_SHAPE)
    await run_alembic(migrated_database.settings, lambda config: command.downgrade(config, "base"))
    left = await connection.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    assert [row["table_name"] for row in left] == ["alembic_version"]
    assert await connection.fetchval("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace") == 0
    await migrate(migrated_database.settings)
    assert await connection.fetch(_SHAPE) == before
    await connection.close()


async def test_migrating_twice_changes_nothing(migrated_database: MigratedDatabase) -> None:
    await migrate(migrated_database.settings)
    await migrate(migrated_database.settings)


async def test_a_new_table_cannot_be_made_without_a_wall(migrated_database: MigratedDatabase) -> None:
    """Every table that is not alembic's own enforces row-level security, on its owner too, and has a policy."""
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    open_tables = await connection.fetch(
        """
        SELECT c.relname FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                   AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))
        """
    )
    assert open_tables == []
    await connection.close()


async def test_the_application_owns_nothing_and_cannot_bypass(migrated_database: MigratedDatabase) -> None:
    connection = await asyncpg.connect(migrated_database.app_dsn)
    rights = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert rights is not None
    assert not any(rights.values())
    assert await connection.fetchval("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE mine (id int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    await connection.close()


async def test_no_key_is_forgotten_in_a_row_that_stays(migrated_database: MigratedDatabase) -> None:
    """ON DELETE SET NULL ends in a row that a check refuses, or that nobody can read any more."""
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    forgetting = await connection.fetch(
        "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'n'"
    )
    await connection.close()
    assert [f"{row['name']}: {row['conname']}" for row in forgetting] == []


async def test_names_are_given_keys_are_indexed_and_times_have_a_zone(migrated_database: MigratedDatabase) -> None:
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    naive = await connection.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"""
    )
    unindexed = await connection.fetch(
        """SELECT c.conname FROM pg_constraint c
           WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (
               SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
               AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)"""
    )
    assert naive == []
    assert unindexed == []
    await connection.close()


async def test_the_system_roles_of_the_database_are_those_of_the_code(migrated_database: MigratedDatabase) -> None:
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    rows = await connection.fetch("SELECT id, name, level, description, permissions FROM roles WHERE is_system")
    assert {(r["id"], r["name"], r["level"], r["description"]) for r in rows} == {
        (role.id, role.name, role.level.value, role.description) for role in SYSTEM_ROLES.values()
    }
    assert all(row["permissions"] == [] for row in rows)
    await connection.close()


async def test_the_password_of_the_application_can_be_derived(migrated_database: MigratedDatabase) -> None:
    given = migrated_database.settings.database
    role = f"derived_{migrated_database.name[:12]}"
    settings = Settings(
        database=given.model_copy(update={"app_role": role, "app_password": None}),
        secrets=SecretSettings(keys=[SecretStr("a2V5" * 11)]),
    )
    await migrate(settings)
    connection = await asyncpg.connect(app_url(settings).replace("+asyncpg", ""))
    assert await connection.fetchval("SELECT current_user") == role
    await connection.close()


async def test_a_role_that_bypasses_the_wall_is_refused(migrated_database: MigratedDatabase) -> None:
    server = migrated_database.server
    given = migrated_database.settings.database.model_copy(
        update={"app_url": SecretStr(server.url(migrated_database.name))}
    )
    with pytest.raises(DatabaseSetupError, match="bypasses row-level security"):
        await migrate(Settings(database=given))


@pytest.mark.parametrize("url", ["mysql://localhost/db", "not a url"])
async def test_an_address_that_is_not_postgres_is_named(url: str, postgres_server: Server) -> None:
    given = DatabaseSettings(url=SecretStr(url), app_password=SecretStr("x"))
    with pytest.raises(DatabaseSetupError, match="postgresql://"):
        await migrate(Settings(database=given))
