"""The embedded server is a real Postgres that keeps its data, and says in one line why it cannot run."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from arcane.local.errors import PostgresError
from arcane.local.postgres import EmbeddedPostgres, RunningPostgres
from tests.support.postgres import Server

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

QUICK = ("fsync=off", "shared_buffers=8MB")


@pytest.fixture(params=["open", "closed"])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder for a server; below a `closed` one (as /root is) only its owner may enter."""
    parent = Path(tempfile.mkdtemp(prefix="arcane-local-"))
    parent.chmod(0o755 if request.param == "open" else 0o700)
    yield parent / "postgres"
    shutil.rmtree(parent)


async def ask(running: RunningPostgres, sql: str) -> object:
    connection = await asyncpg.connect(running.url(driver="postgresql"))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_database_of_its_own_answers(postgres_server: Server, empty_database: str) -> None:
    connection = await asyncpg.connect(postgres_server.url(empty_database, driver="postgresql"))
    assert await connection.fetchval("SELECT current_database()") == empty_database
    await connection.close()


async def test_keeps_its_data_over_a_restart_and_takes_over_a_server_that_was_left(folder: Path) -> None:
    embedded = EmbeddedPostgres(folder, QUICK)
    first = embedded.start()
    try:
        await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
        with pytest.raises(PostgresError, match="another Postgres is running"):
            embedded.start()
    finally:
        first.stop()
    left_over = embedded.start()
    embedded.stop_left_over()
    assert left_over.process.wait(10) == 0
    embedded.stop_left_over()  # nothing to do is no trouble
    again = embedded.start()
    try:
        assert await ask(again, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


async def test_comes_back_after_it_was_killed(folder: Path) -> None:
    embedded = EmbeddedPostgres(folder)
    first = embedded.start()
    await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait(10)
    again = embedded.start()
    try:
        assert await ask(again, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


def test_the_superusers_password_is_for_its_owner_only(folder: Path) -> None:
    running = EmbeddedPostgres(folder, QUICK).start()
    running.stop()
    assert (folder / "password").stat().st_mode & 0o077 == 0


def test_a_broken_data_folder_is_told(folder: Path) -> None:
    embedded = EmbeddedPostgres(folder, QUICK)
    embedded.start().stop()
    shutil.rmtree(embedded.data / "global")
    with pytest.raises(PostgresError, match=r"is broken; .*postgres\.log says why; move .* away to start anew$"):
        embedded.start()


def test_a_folder_of_a_postgres_that_we_do_not_bring_is_told(tmp_path: Path) -> None:
    embedded = EmbeddedPostgres(tmp_path)
    embedded.data.mkdir()
    (embedded.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(PostgresError, match=r"is of Postgres 9\.6"):
        embedded.start()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    embedded = EmbeddedPostgres(tmp_path)
    embedded.data.mkdir()
    (embedded.data / "letter.txt").write_text("mine")
    with pytest.raises(PostgresError, match="is not a Postgres data folder"):
        embedded.start()
    assert (embedded.data / "letter.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PostgresError, match=r"cannot write to .*ARCANE_DATABASE__URL"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()
