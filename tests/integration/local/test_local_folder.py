"""One run a folder, keys that stay, and a way to end the other run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from arcane.kit.secrets import KeyRing
from arcane.local.errors import LocalError
from arcane.local.folder import LocalFolder

HOLDER = """
import signal, sys, time
from pathlib import Path
from arcane.local.folder import LocalFolder
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with LocalFolder.open(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_keys_are_made_once_and_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = LocalFolder.open(tmp_path / ".local")
    keys = folder.keys()
    assert LocalFolder.open(tmp_path / ".local").keys() == keys
    assert (folder.path / "keys.json").stat().st_mode & 0o077 == 0
    assert KeyRing.from_texts([keys.secret])
    assert len(keys.worker) >= 32


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    assert LocalFolder.open(tmp_path / "a").keys() != LocalFolder.open(tmp_path / "b").keys()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"secret": "a"}'])
def test_a_broken_key_file_is_told_and_not_replaced(tmp_path: Path, text: str) -> None:
    folder = LocalFolder.open(tmp_path)
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(LocalError, match=r"keys\.json is broken; restore it"):
        folder.keys()
    assert (tmp_path / "keys.json").read_text() == text


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LocalError, match=r"cannot write to .*--folder"):
        LocalFolder.open(tmp_path / "file" / ".local")


def test_a_second_run_is_refused_and_can_end_the_first(tmp_path: Path) -> None:
    folder = LocalFolder.open(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        refused = pytest.raises(LocalError, match=f"another `make up` runs on .*process {holder.pid}.*make down")
        with refused, folder.locked():
            pass
        assert folder.stop_other(within_s=10)
        assert holder.wait(10) == 0
    with folder.locked():
        pass
    assert not folder.stop_other(within_s=1)
