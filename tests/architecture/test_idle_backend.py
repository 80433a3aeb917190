"""A backend that nobody has asked yet holds what answers need, and not what only some of them do."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

NOT_LOADED = (
    "aio_pika",
    "aiokafka",
    "alembic",
    "arcane.cli",
    "arcane.client",
    "arcane.demo",
    "clickhouse_connect",
    "genai_prices",
    "google.protobuf",
    "httpx",
    "jsonschema",
    "markdown_it",
    "pyarrow",
    "pydantic_ai",
    "pygments",
    "regex",
    "rich",
    "scipy",
    "worker",
    "yaml",
    "zstandard",
    *(f"datasources.{kind}.adapter" for kind in ("clickhouse", "custom_api", "jaeger", "otlp_file", "tempo")),
)
PROGRAM = """
import json, sys
import arcane.local.serve
from arcane.catalog.registry import Registry
from arcane.kit.schema import Schema
from arcane.kit.tables import Row
from arcane.main import create_app
from arcane.settings import Settings
from pydantic import BaseModel

def below(model):
    for narrower in model.__subclasses__():
        yield narrower
        yield from below(narrower)

app = create_app(Settings(_env_file=None))
kinds = [kind.kind for kind in Registry.load().kinds if kind.available]
shapes = [one for base in (Schema, Row) for one in below(base)]
print(json.dumps({
    "modules": list(sys.modules),
    "kinds": kinds,
    "built": [f"{one.__module__}.{one.__name__}" for one in shapes if one.__pydantic_complete__],
    "eager": [one.__module__ for one in below(BaseModel) if not one.model_config.get("defer_build")],
    "installed": [__import__(name).__name__ for name in ("rich", "regex")],
}))
"""


@cache
def _idle() -> dict[str, list[str]]:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    idle: dict[str, list[str]] = json.loads(told)
    return idle


@pytest.mark.parametrize("module", NOT_LOADED)
def test_an_idle_backend_has_not_loaded(module: str) -> None:
    modules = _idle()["modules"]
    assert "arcane.main" in modules
    assert not [name for name in modules if name == module or name.startswith(f"{module}.")]


def test_the_kinds_of_datasources_are_known_without_their_adapters() -> None:
    assert {"custom_api", "jaeger", "otlp_file", "tempo"} <= set(_idle()["kinds"])


def test_no_shape_of_the_api_is_built_before_it_is_needed() -> None:
    assert set(_idle()["built"]) <= {"arcane.traces.trace_schemas.TokensOut"}  # one stands as a default


def test_every_shape_of_the_api_waits() -> None:
    """Settings do not: the program and its datasources are configured by them at start."""
    ours = {name for name in _idle()["eager"] if name.startswith(("arcane.", "web."))}
    assert ours <= {"arcane.settings", "arcane.spi.connection"}


def test_what_libraries_had_to_do_without_is_there_for_others() -> None:
    assert _idle()["installed"] == ["rich", "regex"]
