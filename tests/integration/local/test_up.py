"""`arcane up` as a person has it: up from nothing, up again in seconds, down with all it started, clear in trouble."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcane.local.postgres import EmbeddedPostgres
from tests.support.postgres import Server
from tests.support.running import ArcaneUp, free_port, occupied_port
from tests.support.shell import arcane

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

SECONDS = 45.0
"""A second start takes three on two idle cores; a busy CI gets more."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / ".local"
    shutil.rmtree(tmp_path / ".local", ignore_errors=True)


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What the first start in `folder` said, and what one beside it said; it has ended, and left its data."""

    folder: Path
    up: ArcaneUp
    health: int
    beside: str
    code: int


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstStart]:
    """A first start makes a database and a demo: later ones of this file are in its folder."""
    folder = tmp_path_factory.mktemp("up") / ".local"
    with ArcaneUp(folder) as up:
        up.until_ready()
        beside = refused(folder, ARCANE_SERVER__PORT=str(free_port()))
        health = up.get("/health/ready")
        code = up.stop(signal.SIGINT)
    yield FirstStart(folder, up, health, beside, code)
    shutil.rmtree(folder, ignore_errors=True)


def test_comes_up_from_nothing(first: FirstStart) -> None:
    up = first.up
    assert (first.health, first.code) == (200, 0)
    assert f"Arcane is at {up.address}" in up.told
    assert up.link.startswith(f"{up.address}/setup")
    assert any(line.startswith("the organisation Demo holds") for line in up.told)
    assert any("127.0.0.0/8" in line and "ARCANE_EGRESS__ALLOW_NETWORKS" in line for line in up.told)
    assert up.told[-1] == f"stopped; your data stays in {first.folder}"


def test_a_second_one_on_the_same_folder_is_told_in_one_line(first: FirstStart) -> None:
    assert "another `make up` runs on" in first.beside


def test_comes_up_again_with_everything_it_had_even_when_it_was_killed_and_ends_with_down(first: FirstStart) -> None:
    with ArcaneUp(first.folder) as killed:
        assert killed.until_ready() < SECONDS
        assert not any(line.startswith("the organisation Demo holds") for line in killed.told)
        assert killed.link != first.up.link
        children = [process for process in killed.family()[1:] if "postgres" not in process.name()]
        killed.process.kill()
        killed.ended(children)
    with ArcaneUp(first.folder, port=killed.port) as again:
        again.until_ready()
        assert arcane("down", "--folder", str(first.folder)).stdout == "arcane: stopped\n"
        assert again.ended() == 0


@pytest.mark.parametrize(
    ("name", "part"), [("worker.main", "worker"), ("arcane.local.serve", "backend"), ("postgres", "Postgres")]
)
def test_a_part_that_dies_takes_the_rest_down_and_is_named(first: FirstStart, name: str, part: str) -> None:
    with ArcaneUp(first.folder) as up:
        up.until_ready()
        family = up.family()
        up.child(name).kill()
        assert up.ended(family) == 1
        assert f"{part} stopped by itself" in up.told[-1]
        assert "Traceback" not in "\n".join(up.lines)


@pytest.mark.anyio
async def test_uses_the_database_and_the_owner_that_are_named(
    folder: Path, postgres_server: Server, empty_database: str
) -> None:
    settings = {
        "ARCANE_DATABASE__URL": postgres_server.url(empty_database, driver="postgresql"),
        "ARCANE_DATABASE__APP_ROLE": f"app_of_{empty_database}",  # roles belong to the server that tests share
        "ARCANE_ACCESS__OWNER_EMAIL": "ada@example.com",
        "ARCANE_ACCESS__OWNER_PASSWORD": "a long enough password",
    }
    with ArcaneUp(folder, settings=settings) as up:
        up.until_ready()
        assert up.get("/health/ready") == 200
        assert not (folder / "postgres").exists()
        assert "sign in as ada@example.com" in up.told
        assert not any("/setup" in line for line in up.told)
        assert up.stop(signal.SIGTERM) == 0


def refused(folder: Path, **settings: str) -> str:
    """The one line that an `arcane up` which cannot run leaves."""
    done = arcane("up", "--folder", str(folder), **{"ARCANE_LOG__LEVEL": "info", **settings})
    assert done.returncode == 1
    (line,) = (done.stdout + done.stderr).splitlines()
    return line.removeprefix("arcane: ")


def test_a_taken_port_is_told_in_one_line(folder: Path) -> None:
    with occupied_port() as port:
        line = refused(folder, ARCANE_SERVER__PORT=str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "ARCANE_SERVER__PORT=" in line


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot write to" in refused(tmp_path / "file", ARCANE_SERVER__PORT=str(free_port()))


def test_a_broken_postgres_folder_is_told_in_one_line(folder: Path) -> None:
    folder.mkdir()
    embedded = EmbeddedPostgres(folder / "postgres")
    embedded.start().stop()
    shutil.rmtree(embedded.data / "global")
    line = refused(folder, ARCANE_SERVER__PORT=str(free_port()))
    assert f"the Postgres data folder {embedded.data} is broken" in line
    assert "to start anew" in line


def test_a_database_that_does_not_answer_is_told_in_one_line(folder: Path) -> None:
    port = str(free_port())
    line = refused(folder, ARCANE_SERVER__PORT=port, ARCANE_DATABASE__URL="postgresql://a:b@127.0.0.1:1/c")
    assert line.startswith("cannot reach the database")
    assert line.endswith("check ARCANE_DATABASE__URL")


def test_a_wrong_setting_is_told_in_one_line(folder: Path) -> None:
    line = refused(folder, ARCANE_DATABASE__POOL_SIZE="many")
    assert line.startswith("ARCANE_DATABASE__POOL_SIZE: ")
