"""The second wall: raw SQL as the application's role gets nothing of another tenant.

Every table of the catalog that has an `organisation_id` is tried, with rows of two organisations in
it, so a table that a later slice adds is covered the day its migration exists.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

MINE, THEIRS = UUID(int=1), UUID(int=2)
MY_PROJECT, OTHER_PROJECT = UUID(int=11), UUID(int=12)
ME, SOMEBODY = UUID(int=21), UUID(int=22)

_TENANT_TABLES = """
    SELECT c.relname AS name,
           EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id') AS in_project
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'organisation_id'
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
_LOOSEN = """
    DO $$ DECLARE r record; BEGIN
        FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f') AND conrelid <> 0 LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname);
        END LOOP;
        FOR r IN SELECT c.oid::regclass AS t, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
                   AND a.attnotnull AND a.attname <> 'id' AND c.relname <> 'alembic_version' LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', r.t, r.attname);
        END LOOP;
    END $$
"""
"""A throw-away clone lets go of everything but keys and policies: a row needs an id and a tenant, no more."""


class Wall:
    """The database as the application's role sees it, with rows of two tenants in every tenant table."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.connection = connection

    async def work_for(
        self, organisation: UUID | None = None, project: UUID | None = None, user: UUID | None = None
    ) -> None:
        given = {"organisation_id": organisation, "project_id": project, "user_id": user, "instance": ""}
        for name, value in given.items():
            await self.connection.execute("SELECT set_config($1, $2, false)", f"arcane.{name}", str(value or ""))

    async def seen(self, table: str) -> set[UUID | None]:
        rows = await self.connection.fetch(f'SELECT organisation_id FROM "{table}"')
        return {row["organisation_id"] for row in rows}


@pytest.fixture
async def tables(migrated_database: MigratedDatabase) -> AsyncIterator[dict[str, bool]]:
    """Every tenant table, and whether its rows belong to projects; rows of two tenants are in each."""
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    await connection.execute(_LOOSEN)
    found = {row["name"]: row["in_project"] for row in await connection.fetch(_TENANT_TABLES)}
    for organisation in (MINE, THEIRS):
        await connection.execute("INSERT INTO organisations (id) VALUES ($1)", organisation)
        for table, in_project in found.items():
            columns, values = (
                ("id, organisation_id, project_id", "$1, $2, $3") if in_project else ("id, organisation_id", "$1, $2")
            )
            projects = (MY_PROJECT, OTHER_PROJECT) if in_project else (None,)
            for project in projects:
                given = [uuid4(), organisation, *([project] if in_project else [])]
                await connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({values})', *given)
    await connection.execute("UPDATE roles SET is_system = false WHERE is_system IS NULL")
    yield found
    await connection.close()


@pytest.fixture
async def wall(tables: dict[str, bool], migrated_database: MigratedDatabase) -> AsyncIterator[Wall]:
    connection = await asyncpg.connect(migrated_database.app_dsn)
    yield Wall(connection)
    await connection.close()


def _own_rows(seen: set[UUID | None]) -> set[UUID | None]:
    return seen - {None}  # the system roles belong to nobody


async def test_the_catalog_was_walked(tables: dict[str, bool]) -> None:
    assert {"projects", "organisation_members", "api_keys", "audit_entries", "invitations", "roles"} <= set(tables)


async def test_without_a_tenant_nothing_is_there(wall: Wall, tables: dict[str, bool]) -> None:
    await wall.work_for()
    assert {table: _own_rows(await wall.seen(table)) for table in tables} == {table: set() for table in tables}
    assert await wall.connection.fetch("SELECT * FROM organisations") == []


async def test_a_tenant_sees_its_own_rows_and_no_others(wall: Wall, tables: dict[str, bool]) -> None:
    await wall.work_for(MINE)
    assert {table: _own_rows(await wall.seen(table)) for table in tables} == {table: {MINE} for table in tables}
    assert [row["id"] for row in await wall.connection.fetch("SELECT id FROM organisations")] == [MINE]


async def test_a_project_sees_none_of_another_projects_rows(wall: Wall, tables: dict[str, bool]) -> None:
    await wall.work_for(MINE, MY_PROJECT)
    for table in (table for table, in_project in tables.items() if in_project and table != "invitations"):
        rows = await wall.connection.fetch(f'SELECT project_id FROM "{table}" WHERE organisation_id IS NOT NULL')
        assert {row["project_id"] for row in rows} == {MY_PROJECT}, table


async def test_a_tenant_cannot_change_remove_or_plant_another_tenants_rows(wall: Wall, tables: dict[str, bool]) -> None:
    await wall.work_for(MINE)
    append_only = {"audit_entries"}
    for table in tables:
        if table not in append_only:
            for statement in (f'UPDATE "{table}" SET created_at = now()', f'DELETE FROM "{table}"'):
                done = await wall.connection.execute(f"{statement} WHERE organisation_id = $1", THEIRS)
                assert done.endswith(" 0"), (table, statement)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await wall.connection.execute(f'UPDATE "{table}" SET organisation_id = $1', THEIRS)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await wall.connection.execute(
                f'INSERT INTO "{table}" (id, organisation_id) VALUES ($1, $2)', uuid4(), THEIRS
            )


async def test_audit_entries_are_only_ever_added(wall: Wall) -> None:
    await wall.work_for(MINE)
    for statement in ("UPDATE audit_entries SET action = ''", "DELETE FROM audit_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await wall.connection.execute(statement)


async def test_people_are_seen_by_themselves_and_by_whom_they_work_with(
    wall: Wall, migrated_database: MigratedDatabase
) -> None:
    owner = await asyncpg.connect(migrated_database.superuser_dsn)
    for user in (ME, SOMEBODY):
        await owner.execute("INSERT INTO users (id, email) VALUES ($1, $2)", user, f"{user.int}@arcane.test")
        await owner.execute(
            "INSERT INTO sessions (id, user_id, token_hash) VALUES ($1, $2, $3)", uuid4(), user, user.bytes
        )
    await owner.execute(
        "INSERT INTO organisation_members (id, organisation_id, user_id) VALUES ($1, $2, $3)", uuid4(), MINE, ME
    )
    await owner.close()

    async def people() -> set[UUID]:
        return {row["id"] for row in await wall.connection.fetch("SELECT id FROM users")}

    await wall.work_for()
    assert await people() == set()
    await wall.work_for(MINE)
    assert await people() == {ME}
    await wall.work_for(user=SOMEBODY)
    assert await people() == {SOMEBODY}
    assert {row["user_id"] for row in await wall.connection.fetch("SELECT user_id FROM sessions")} == {SOMEBODY}
    await wall.work_for(THEIRS, user=SOMEBODY)
    assert await people() == {SOMEBODY}


async def test_my_organisations_are_seen_only_while_none_is_chosen(
    wall: Wall, migrated_database: MigratedDatabase
) -> None:
    owner = await asyncpg.connect(migrated_database.superuser_dsn)
    await owner.execute(
        "INSERT INTO organisation_members (id, organisation_id, user_id) VALUES ($1, $2, $3)", uuid4(), MINE, ME
    )
    await owner.close()
    await wall.work_for(user=ME)
    assert [row["id"] for row in await wall.connection.fetch("SELECT id FROM organisations")] == [MINE]
    await wall.work_for(THEIRS, user=ME)
    assert [row["id"] for row in await wall.connection.fetch("SELECT id FROM organisations")] == [THEIRS]
    assert _own_rows(await wall.seen("organisation_members")) == {THEIRS}


async def test_a_door_closes_behind_itself(wall: Wall) -> None:
    await wall.work_for()
    async with wall.connection.transaction():
        assert await wall.connection.fetch("SELECT * FROM access_grants($1)", ME) == []
        assert await wall.connection.fetchval("SELECT access_is_set_up()") is False
        assert await wall.connection.fetch("SELECT * FROM access_place($1, NULL, NULL, NULL)", MINE) != []
        assert await wall.connection.fetchval("SELECT current_setting('arcane.instance')") == ""
        assert await wall.connection.fetch("SELECT * FROM organisations") == []


async def test_the_doors_are_the_applications_alone(wall: Wall) -> None:
    everybody = await wall.connection.fetch(
        """SELECT p.proname FROM pg_proc p
           WHERE p.pronamespace = 'public'::regnamespace
             AND (p.proacl IS NULL OR has_function_privilege('public', p.oid, 'EXECUTE'))"""
    )
    assert everybody == []
