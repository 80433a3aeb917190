"""Leaving installed modules out for a while."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from arcane.kit.spared import without

UNUSED = "this"  # of the standard library, and nobody imports it: it prints a poem
PROGRAM = "import {name}; from arcane.kit.spared import without\nwith without('{name}'):\n    import {name}"


def test_what_is_left_out_cannot_be_imported() -> None:
    with without(UNUSED), pytest.raises(ModuleNotFoundError):
        import_module(UNUSED)


def test_it_can_be_imported_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), without(UNUSED):
        raise RuntimeError
    import_module(UNUSED)
    assert "Beautiful" in capsys.readouterr().out
    del sys.modules[UNUSED]


def test_what_is_loaded_already_stays() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM.format(name="colorsys")], check=True, timeout=60)
