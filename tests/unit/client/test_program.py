"""What a shell loads: asking an instance takes no code of one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest
from typer.main import get_command

from arcane.cli import everything, light
from arcane.cli.__main__ import LIGHT


def test_light_commands_are_known_before_anything_is_loaded() -> None:
    assert set(get_command(light.app).commands) == LIGHT  # type: ignore[attr-defined]


def test_the_whole_of_the_commands_has_them_too() -> None:
    assert set(get_command(light.app).commands) < set(get_command(everything.app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", [("query", "--help"), ("eval", "run", "--help")])
def test_asking_loads_neither_database_nor_pages(command: Iterable[str]) -> None:
    program = (
        "import sys\nfrom arcane.cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, text=True, check=True)
    assert "Usage: arcane" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert {"arcane", "httpx"} <= loaded
    assert not loaded & {"sqlalchemy", "asyncpg", "fastapi", "jinja2", "alembic", "web", "datasources", "aiohttp"}
