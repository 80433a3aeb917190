"""A name says what is in the room: no module called after nothing, the same role under the same name everywhere."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from tests.support.repository_files import ROOT, files, modules

SAY_NOTHING = {
    "util",
    "utils",
    "helper",
    "helpers",
    "manager",
    "managers",
    "info",
    "data",
    "common",
    "misc",
}
OTHER_NAMES_FOR_A_ROLE = {
    "router": "endpoints",
    "routers": "endpoints",
    "handlers": "endpoints",
    "controllers": "endpoints",
    "models": "tables",
    "orm": "tables",
    "crud": "repository",
    "dao": "repository",
    "repo": "repository",
    "dto": "schemas",
    "services": "service",
}
SLICES = ("access", "audit", "catalog", "traces", "workers")
DATASOURCE_ROLES = {"plugin.py", "settings.py", "adapter.py"}
PUBLIC_DOORS = {Path("arcane/spi/__init__.py"), Path("arcane/conventions/__init__.py")}


def test_no_module_is_named_after_nothing() -> None:
    named = {path for path in modules() if SAY_NOTHING & {*path.parts[:-1], path.stem}}
    assert named == set()


def test_a_role_has_one_name_in_every_slice() -> None:
    renamed = {
        f"{path}: the role is called {OTHER_NAMES_FOR_A_ROLE[path.stem]}"
        for path in modules()
        if path.parts[0] == "arcane" and path.parts[1] in SLICES and path.stem in OTHER_NAMES_FOR_A_ROLE
    }
    assert renamed == set()


def test_every_datasource_has_its_roles() -> None:
    folders = {path.parent for path in modules() if path.parts[0] == "datasources" and len(path.parts) == 3}
    assert folders
    incomplete = {folder: missing for folder in folders if (missing := DATASOURCE_ROLES - _names(folder))}
    assert incomplete == {}


def test_a_package_does_nothing_when_it_is_imported() -> None:
    full = {
        path
        for path in files()
        if path.name == "__init__.py" and path not in PUBLIC_DOORS and (ROOT / path).read_text().strip()
    }
    assert full == set()


@pytest.mark.parametrize("door", sorted(path.parent.as_posix().replace("/", ".") for path in PUBLIC_DOORS))
def test_a_public_door_says_exactly_what_it_opens(door: str) -> None:
    package = importlib.import_module(door)
    imported = {
        alias.asname or alias.name
        for node in ast.parse(Path(str(package.__file__)).read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    defined = {name for name, value in vars(package).items() if getattr(value, "__module__", None) == door}
    public = {name for name in imported | defined if not name.startswith("_")}
    assert set(package.__all__) == public


def _names(folder: Path) -> set[str]:
    return {path.name for path in modules() if path.parent == folder}
