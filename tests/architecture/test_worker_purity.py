"""The worker cannot touch a datasource or the database: it does not even have the code in its process (R2)."""

from __future__ import annotations

import subprocess
import sys

import pytest

ALLOWED = (
    "arcane.messaging",
    "arcane.prompting",
    "arcane.model.deadline",
    "arcane.model.notice",
    "arcane.kit.clock",
    "arcane.kit.egress_addresses",
    "arcane.kit.lasting",
    "arcane.kit.logging",
    "arcane.kit.nesting",
    "arcane.kit.signing",
    "arcane.kit.supervised",
    "arcane.kit.telemetry",
    "arcane.prompting",
)
PACKAGES = {"arcane", "arcane.kit", "arcane.model"}
FORBIDDEN = (
    "sqlalchemy",
    "sqlmodel",
    "asyncpg",
    "alembic",
    "fastapi",
    "clickhouse_connect",
    "datasources",
    "web",
)


# Providers' SDKs load with the first call of that provider.
PROVIDERS = ("anthropic", "bedrock", "google", "openai", "openai_chat", "openai_model")
ON_FIRST_USE = tuple(f"worker.llm.providers.{name}" for name in PROVIDERS)
HEAVY = ("pydantic_ai", "openai", "anthropic", "google.genai", "boto3", "botocore", "jsonschema", "genai_prices")


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """What a process holds that has imported all of the worker, but for the providers' SDKs."""
    program = (
        "import importlib, pkgutil, sys, worker\n"
        "for module in pkgutil.walk_packages(worker.__path__, 'worker.'):\n"
        "    if module.name not in sys.argv:\n"
        "        importlib.import_module(module.name)\n"
        "print('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *ON_FIRST_USE], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_worker_holds_only_its_part_of_arcane(loaded: set[str]) -> None:
    ours = {name for name in loaded if name.split(".")[0] == "arcane"} - PACKAGES
    assert "worker.main" in loaded
    assert {name for name in ours if not name.startswith(ALLOWED)} == set()


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_a_worker_holds_no_database_no_web_framework_and_no_adapter(loaded: set[str], forbidden: str) -> None:
    assert {name for name in loaded if name.split(".")[0] == forbidden} == set()


def test_a_worker_that_has_started_holds_no_sdk_of_a_provider() -> None:
    program = "import sys, worker.main, worker.llm.models\nprint('\\n'.join(sys.modules))\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {name for name in done.stdout.split() if name in HEAVY} == set()
