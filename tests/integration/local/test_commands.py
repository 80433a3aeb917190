"""The commands of a shell, in real processes: what they print, and one line for what somebody can mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import asyncpg
import pytest

from arcane.kit.secrets import KeyRing, generate_key
from tests.support.postgres import MigratedDatabase
from tests.support.repository_files import ROOT
from tests.support.running import occupied_port
from tests.support.shell import arcane

KEYS = json.dumps([generate_key()])


def of(database: MigratedDatabase) -> dict[str, str]:
    """The settings of a process that works on `database`."""
    given = database.settings.database
    assert given.app_password is not None
    return {
        "ARCANE_SECRETS__KEYS": KEYS,
        "ARCANE_DATABASE__URL": database.owner_url,
        "ARCANE_DATABASE__APP_ROLE": given.app_role,
        "ARCANE_DATABASE__APP_PASSWORD": given.app_password.get_secret_value(),
    }


def refused(*arguments: str, **settings: str) -> str:
    """The one line of a command that could not do its work."""
    done = arcane(*arguments, **settings)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line.removeprefix("arcane: ")


def test_says_its_version() -> None:
    command = [sys.executable, "-m", "arcane.cli", "version"]
    done = subprocess.run(command, cwd="/", env={"PATH": os.defpath}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == version("arcane")
    assert arcane("version").stdout == done.stdout


def test_a_generated_key_is_one_that_the_key_ring_takes() -> None:
    KeyRing.from_texts([arcane("generate-key").stdout.strip()])


def test_the_openapi_document_does_not_depend_on_the_settings_around() -> None:
    printed = arcane("openapi", ARCANE_SERVER__PORT="9999").stdout
    assert printed == (ROOT / "docs/reference/openapi.json").read_text()


def test_writes_the_demo(tmp_path: Path) -> None:
    done = arcane("write-demo", str(tmp_path / "demo"))
    assert done.stdout.startswith("arcane: 500 traces with ")
    truth = json.loads((tmp_path / "demo/truth.json").read_text())
    assert {path.name for path in (tmp_path / "demo").iterdir() if path.is_dir()} == set(truth["folders"])


def test_checks_a_datasource_that_answers(tmp_path: Path) -> None:
    arcane("write-demo", str(tmp_path))
    done = arcane(
        "check-datasource",
        "otlp_file",
        "--set",
        "path=storefront",
        ARCANE_FILES__ALLOW_ROOTS=json.dumps([str(tmp_path)]),
    )
    assert done.returncode == 0
    assert "connected to" in done.stdout
    assert "newest trace: 20" in done.stdout


def test_checks_a_datasource_that_does_not_answer() -> None:
    with occupied_port() as port:
        done = arcane("check-datasource", "tempo", "--set", f"url=http://127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stdout.startswith("failed (") or "arcane: " in done.stderr
    assert "ARCANE_EGRESS__ALLOW_NETWORKS" in done.stdout + done.stderr


BUILT_IN = ("clickhouse", "custom_api", "jaeger", "memory", "otlp_file", "tempo")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], f"no installed package provides the kind nowhere; there are: {', '.join(BUILT_IN)}"),
        (["tempo"], "url: "),
        (["tempo", "--set", "url=ftp://example.com"], "url: "),
        (["tempo", "--set", "url"], "--set url: say name=value"),
        (["tempo", "--set", "url=http://example.com", "--set", "colour=red"], "colour: "),
        (["tempo", "--set", "url=1", "--set", "url.port=2"], "--set url.port=2: url has a value already"),
    ],
)
def test_settings_that_do_not_fit_a_kind_are_told_in_one_line(arguments: list[str], said: str) -> None:
    assert refused("check-datasource", *arguments).startswith(said)


@pytest.mark.anyio
@pytest.mark.postgres
async def test_an_owners_link_is_made_until_there_is_an_owner(migrated_database: MigratedDatabase) -> None:
    settings = of(migrated_database)
    first, second = (arcane("create-owner-link", **settings).stdout.strip() for _ in range(2))
    assert first.startswith("http://127.0.0.1:8085/setup?token=")
    assert first != second
    connection = await asyncpg.connect(migrated_database.superuser_dsn)
    await connection.execute(
        "INSERT INTO users (id, created_at, email, name, password_hash, is_owner, password_changed_at) "
        "VALUES (gen_random_uuid(), now(), 'ada@example.com', 'Ada', 'x', true, now())"
    )
    await connection.close()
    assert refused("create-owner-link", **settings).startswith("this instance has an owner already")
    link = arcane("create-password-link", "Ada@example.com", **settings).stdout
    assert link.startswith("http://127.0.0.1:8085/new-password?token=")
    assert refused("create-password-link", "nobody@example.com", **settings) == "no account has this address"


@pytest.mark.anyio
@pytest.mark.postgres
async def test_secrets_are_rotated_and_the_database_is_migrated_again(migrated_database: MigratedDatabase) -> None:
    settings = of(migrated_database)
    assert arcane("rotate-secrets", **settings).stdout == (
        "arcane: 0 datasources, 0 secrets, 0 encrypted anew\n"
        "arcane: 0 model configurations, 0 secrets, 0 encrypted anew\n"
    )
    assert arcane("migrate", **settings).stdout == "arcane: the database is at the newest revision\n"


@pytest.mark.parametrize("command", ["migrate", "rotate-secrets", "create-owner-link"])
def test_a_database_that_is_not_there_is_told_in_one_line(command: str) -> None:
    settings = {"ARCANE_SECRETS__KEYS": KEYS, "ARCANE_DATABASE__URL": "postgresql://nobody:x@127.0.0.1:1/nothing"}
    assert refused(command, **settings).endswith("check ARCANE_DATABASE__URL")


@pytest.mark.parametrize("command", ["serve", "migrate", "rotate-secrets"])
def test_a_setting_that_is_missing_is_told_in_one_line(command: str) -> None:
    assert "set ARCANE_DATABASE__URL" in refused(command, ARCANE_SECRETS__KEYS=KEYS)


def test_a_list_that_is_not_json_is_told_in_one_line() -> None:
    assert '"egress"' in refused("migrate", ARCANE_EGRESS__ALLOW_NETWORKS="10.0.0.0/8")


@pytest.mark.parametrize("where", ["127.0.0.1:port/c", "127.0.0.1:99999/c", "127.0.0.1:1/c?sslmode=require"])
def test_a_database_address_that_cannot_be_meant_is_told_in_one_line(where: str) -> None:
    settings = {"ARCANE_SECRETS__KEYS": KEYS, "ARCANE_DATABASE__URL": f"postgresql://a:b@{where}"}
    assert refused("migrate", **settings).startswith("the database address ")


def test_serving_without_a_key_is_told_in_one_line() -> None:
    assert "arcane generate-key" in refused("serve", ARCANE_DATABASE__URL="postgresql://a:b@127.0.0.1:1/c")


def test_a_taken_port_is_told_in_one_line() -> None:
    settings = {"ARCANE_SECRETS__KEYS": KEYS, "ARCANE_DATABASE__URL": "postgresql://a:b@127.0.0.1:1/c"}
    with occupied_port() as port:
        assert f"cannot listen on 127.0.0.1:{port}" in refused("serve", "--port", str(port), **settings)


def test_a_port_that_does_not_exist_is_told_in_one_line() -> None:
    settings = {"ARCANE_SECRETS__KEYS": KEYS, "ARCANE_DATABASE__URL": "postgresql://a:b@127.0.0.1:1/c"}
    assert "there is no such port" in refused("serve", "--port", "70000", **settings)


def test_the_worker_command_is_the_worker() -> None:
    assert "ARCANE_WORKER__KEY" in refused("worker")
