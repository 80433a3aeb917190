"""`arcane up` as a person has it: up from nothing, up again in seconds, down with all it started, clear in trouble."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcane.local.postgres import EmbeddedPostgres
from tests.support.postgres import Server
from tests.support.running import ArcaneUp, occupied_port

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

SECONDS = 45.0
"""A second start takes three on two idle cores; a busy CI gets more."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / ".local"
    shutil.rmtree(tmp_path / ".local", ignore_errors=True)


def test_comes_up_from_nothing_and_again_with_everything_it_had(folder: Path) -> None:
    with ArcaneUp(folder) as first:
        first.until_ready()
        assert first.get("/health/ready") == 200
        assert f"Arcane is at {first.address}" in first.told
        assert first.link.startswith(f"{first.address}/setup")
        assert any(line.startswith("the organisation Demo holds") for line in first.told)
        assert any("127.0.0.0/8" in line and "ARCANE_EGRESS__ALLOW_NETWORKS" in line for line in first.told)
        assert first.stop(signal.SIGINT) == 0
        assert first.told[-1] == f"stopped; your data stays in {folder}"
    with ArcaneUp(folder) as second:
        assert second.until_ready() < SECONDS
        assert not any(line.startswith("the organisation Demo holds") for line in second.told)
        assert second.link != first.link
        assert second.stop(signal.SIGTERM) == 0


def test_makes_the_owner_from_settings_and_ends_with_down(folder: Path) -> None:
    owner = {
        "ARCANE_ACCESS__OWNER_EMAIL": "ada@example.com",
        "ARCANE_ACCESS__OWNER_PASSWORD": "a long enough password",
    }
    with ArcaneUp(folder, settings=owner) as up:
        up.until_ready()
        assert "sign in as ada@example.com" in up.told
        assert not any("/setup" in line for line in up.told)
        command = [sys.executable, "-m", "arcane.cli", "down", "--folder", str(folder)]
        down = subprocess.run(command, capture_output=True, text=True, check=True)
        assert down.stdout == "arcane: stopped\n"
        assert up.ended() == 0


@pytest.mark.parametrize(
    ("name", "part"), [("worker.main", "worker"), ("arcane.local.serve", "backend"), ("postgres", "Postgres")]
)
def test_a_part_that_dies_takes_the_rest_down_and_is_named(folder: Path, name: str, part: str) -> None:
    with ArcaneUp(folder) as up:
        up.until_ready()
        family = up.family()
        up.child(name).kill()
        assert up.ended(family) == 1
        assert f"{part} stopped by itself" in up.told[-1]
        assert "Traceback" not in "\n".join(up.lines)


def test_leaves_nothing_behind_when_it_is_killed_and_starts_again(folder: Path) -> None:
    with ArcaneUp(folder) as killed:
        killed.until_ready()
        children = [process for process in killed.family()[1:] if "postgres" not in process.name()]
        killed.process.kill()
        killed.ended(children)
    with ArcaneUp(folder, port=killed.port) as again:
        again.until_ready()
        assert again.stop() == 0


@pytest.mark.anyio
async def test_uses_the_database_that_is_named(folder: Path, postgres_server: Server, empty_database: str) -> None:
    settings = {
        "ARCANE_DATABASE__URL": postgres_server.url(empty_database, driver="postgresql"),
        "ARCANE_DATABASE__APP_ROLE": f"app_of_{empty_database}",  # roles belong to the server that tests share
    }
    with ArcaneUp(folder, settings=settings) as up:
        up.until_ready()
        assert up.get("/health/ready") == 200
        assert not (folder / "postgres").exists()
        assert up.stop() == 0


def refused(up: ArcaneUp) -> str:
    """The one line that an `arcane up` which cannot run leaves."""
    with up:
        assert up.ended() == 1
    assert len(up.lines) == 1, up.lines
    return up.told[0]


def test_a_taken_port_is_told_in_one_line(folder: Path) -> None:
    with occupied_port() as port:
        line = refused(ArcaneUp(folder, port=port))
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "ARCANE_SERVER__PORT=" in line


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot write to" in refused(ArcaneUp(tmp_path / "file"))


def test_a_broken_postgres_folder_is_told_in_one_line(folder: Path) -> None:
    folder.mkdir()
    embedded = EmbeddedPostgres(folder / "postgres")
    embedded.start().stop()
    shutil.rmtree(embedded.data / "global")
    line = refused(ArcaneUp(folder))
    assert f"the Postgres data folder {embedded.data} is broken" in line
    assert "to start anew" in line


def test_a_database_that_does_not_answer_is_told_in_one_line(folder: Path) -> None:
    line = refused(ArcaneUp(folder, settings={"ARCANE_DATABASE__URL": "postgresql://a:b@127.0.0.1:1/c"}))
    assert line.startswith("cannot reach the database")
    assert line.endswith("check ARCANE_DATABASE__URL")


def test_a_wrong_setting_is_told_in_one_line(folder: Path) -> None:
    line = refused(ArcaneUp(folder, settings={"ARCANE_DATABASE__POOL_SIZE": "many"}))
    assert line.startswith("ARCANE_DATABASE__POOL_SIZE: ")


def test_a_second_one_on_the_same_folder_is_told_in_one_line(folder: Path) -> None:
    with ArcaneUp(folder) as up:
        up.until_ready()
        assert "another `make up` runs on" in refused(ArcaneUp(folder))
        assert up.get("/health") == 200
