"""A file is there whole, or as it was."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from arcane.kit.whole import written_whole


def _cut_short(file: Path) -> None:
    with written_whole(file) as out:
        out.write(b"half")
        raise InterruptedError


def test_what_is_written_is_there_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    with written_whole(file) as out:
        out.write(b"all of it")
        assert not file.exists()
    assert file.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_was_there_outlives_what_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("from yesterday")
    with pytest.raises(InterruptedError):
        _cut_short(file)
    assert file.read_text() == "from yesterday"
    with pytest.raises(InterruptedError):
        _cut_short(tmp_path / "new.csv")
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_keeps_its_mode_and_a_link_leads_to_it_still(tmp_path: Path) -> None:
    file, link = tmp_path / "rows.csv", tmp_path / "latest.csv"
    file.touch(0o600)
    link.symlink_to(file)
    with written_whole(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o600)


def test_a_new_file_has_the_mode_that_is_said(tmp_path: Path) -> None:
    with written_whole(tmp_path / "keys", 0o600) as out:
        assert os.fstat(out.fileno()).st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with written_whole(pipe) as out:
        out.write(b"rows")
    reader.join(10)
    assert (read, pipe.is_fifo()) == ([b"rows"], True)
