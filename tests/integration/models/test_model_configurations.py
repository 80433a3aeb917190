"""Model configurations over HTTP, on a real backend with a real worker: kept, masked, tested, run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import asyncpg
import pytest
from pydantic import SecretStr

from tests.support.model_stub import Answer, ModelStub, Refusal, serving_model
from tests.support.postgres import MigratedDatabase, Server
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.worker_process import WORKER_KEY, working

pytestmark = [pytest.mark.postgres]

KEY = "sk-canary-of-the-models-0123456789"


@dataclass(frozen=True, slots=True)
class House:
    """A backend, its owner, an organisation, and where everything is logged."""

    served: Served
    owner: Visitor
    place: Premises
    worker_log: Path

    @property
    def at(self) -> str:
        return f"{self.place.at}/model-configurations"

    def made(self, stub: ModelStub, **more: Any) -> dict[str, Any]:
        return self.owner.made(self.at, body(stub, **more))


def body(stub: ModelStub, **more: Any) -> dict[str, Any]:
    settings = {"base_url": stub.url, "api_key": KEY}
    return {
        "name": f"Stub {uuid4().hex[:6]}",
        "provider": "openai-compatible",
        "model": "stub-small",
        "settings": settings,
        **more,
    }


@pytest.fixture(scope="module")
def house(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("models")
    with cloned_database(postgres_server, template_database) as stored:
        settings = served_settings(stored, folder, worker={"key": SecretStr(WORKER_KEY)})
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            worker_log = folder / "w1.log"
            with working(served, owner, worker_log):
                yield House(served, owner, premises(served, owner), worker_log)


@pytest.fixture(scope="module")
def stub() -> Iterator[ModelStub]:
    with serving_model() as running:
        yield running


def test_a_configuration_is_made_read_changed_and_deleted(house: House, stub: ModelStub) -> None:
    made = house.made(stub, parameters={"temperature": 0.5}, price={"input_usd": 1, "output_usd": 2})
    assert made["settings"] == {"base_url": stub.url, "api_key": "********", "structured": "native"}
    assert made["secret_set"] == {"api_key": True}
    assert made["provider_title"] == "OpenAI-compatible"
    address = f"{house.at}/{made['id']}"
    changed = house.owner.call("PATCH", address, {"model": "other", "parameters": {"temperature": None, "seed": 1}})
    assert changed.status_code == 200, changed.text
    found = house.owner.get(address).json()
    assert (found["model"], found["parameters"], found["version"]) == ("other", {"seed": 1}, 2)
    assert found["price"] == {"input_usd": 1.0, "output_usd": 2.0}
    assert house.owner.call("PATCH", address, {"price": None}).json()["price"] is None
    late = house.owner.call("PATCH", address, {"name": "late", "version": 1})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/model-configuration-changed")
    assert made["id"] in {one["id"] for one in house.owner.get(house.at).json()["items"]}
    assert house.owner.call("DELETE", address).status_code == 204
    assert house.owner.get(address).json()["type"] == "/problems/unknown-model-configuration"


def test_what_cannot_work_is_refused_at_the_field(house: House, stub: ModelStub) -> None:
    for wrong, pointer in [
        ({"provider": "nobody"}, "#/provider"),
        ({"settings": {"base_url": "ftp://x"}}, "#/settings/base_url"),
        ({"settings": {"base_url": stub.url, "api_key": "********"}}, "#/settings/api_key"),
        ({"settings": {"base_url": stub.url, "region": "x"}}, "#/settings/region"),
        ({"parameters": {"temperature": 3}}, "#/parameters/temperature"),
        ({"parameters": {"top_k": 3}}, "#/parameters/top_k"),
        ({"provider": "anthropic", "settings": {"api_key": "k"}, "parameters": {"seed": 1}}, "#/parameters/seed"),
        ({"provider": "bedrock", "settings": {"region": "Nowhere!"}}, "#/settings/region"),
        ({"provider": "google-vertex-ai", "settings": {"credentials": "{}"}}, "#/settings/credentials"),
        ({"name": "  "}, "#/name"),
    ]:
        answer = house.owner.call("POST", house.at, body(stub, **wrong))
        assert answer.status_code == 422, (wrong, answer.text)
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}, (wrong, answer.text)


def test_a_name_is_taken_once(house: House, stub: ModelStub) -> None:
    made = house.made(stub)
    again = house.owner.call("POST", house.at, body(stub, name=made["name"].upper()))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/model-configuration-name-taken")


def test_a_key_stays_where_it_was_entered_for(house: House, stub: ModelStub) -> None:
    address = f"{house.at}/{house.made(stub)['id']}"
    same_host = house.owner.call("PATCH", address, {"settings": {"base_url": f"{stub.url}/v2", "api_key": "********"}})
    assert same_host.status_code == 200, same_host.text
    moved = house.owner.call("PATCH", address, {"settings": {"base_url": "https://evil.example.com/v1"}})
    assert moved.status_code == 422
    assert moved.json()["errors"][0]["pointer"] == "#/settings/api_key"
    entered = {"settings": {"base_url": "https://other.example.com/v1", "api_key": "sk-new"}}
    assert house.owner.call("PATCH", address, entered).status_code == 200


def test_a_test_calls_the_model_over_a_worker(house: House, stub: ModelStub) -> None:
    made = house.made(stub, price={"input_usd": 1_000_000, "output_usd": 0})
    stub.then(Answer("ready", input_tokens=7, output_tokens=1))
    before = len(stub.asked)
    test = house.owner.call("POST", f"{house.at}/{made['id']}/test").json()
    assert test["ok"], test
    assert (test["model"], test["input_tokens"], test["output_tokens"], test["cost_usd"]) == ("stub-small", 7, 1, 7.0)
    assert test["worker"] == "w1"
    assert test["latency_ms"] > 0
    assert [one.key for one in stub.asked[before:]] == [KEY]
    stub.then(Refusal(401, f"no {KEY} here", "invalid_api_key"))
    failed = house.owner.call("POST", f"{house.at}/test", body(stub)).json()
    assert (failed["ok"], failed["cause"]) == (False, "authentication")
    assert "invalid_api_key" in failed["error"]
    assert KEY not in str(failed)


def test_a_model_on_an_address_that_may_not_be_called_is_told_so(house: House, stub: ModelStub) -> None:
    settings = {"base_url": "http://169.254.169.254/v1", "api_key": "k"}
    test = house.owner.call("POST", f"{house.at}/test", body(stub, settings=settings)).json()
    assert (test["ok"], test["cause"]) == (False, "address")
    assert "metadata" in test["error"]


def test_another_organisation_knows_nothing_of_it(house: House, stub: ModelStub) -> None:
    made = house.made(stub)
    stranger = premises(house.served, house.owner, "Other")
    theirs = f"{stranger.at}/model-configurations/{made['id']}"
    for method, path, content in [
        ("GET", theirs, None),
        ("PATCH", theirs, {"name": "mine"}),
        ("DELETE", theirs, None),
        ("POST", f"{theirs}/test", None),
    ]:
        assert stranger.member.call(method, path, content).status_code == 404
        assert (
            stranger.member.call(
                method, path.replace(stranger.organisation_id, house.place.organisation_id), content
            ).status_code
            == 404
        )


def test_no_key_is_ever_shown_logged_or_stored_in_the_open(house: House, stub: ModelStub) -> None:
    made = house.made(stub)
    house.owner.call("POST", f"{house.at}/{made['id']}/test")
    house.owner.call("PATCH", f"{house.at}/{made['id']}", {"settings": {"api_key": f"{KEY}-2"}})
    shown = house.owner.get(f"{house.at}/{made['id']}").text + house.owner.get(house.at).text
    audit = house.owner.get(f"{house.place.at}/audit-entries").text
    assert "model.updated" in audit
    assert "credentials_entered" in audit
    logs = house.served.log + house.worker_log.read_text()
    stored = "".join(anyio.run(_rows, house.served.stored))
    assert made["name"] in stored
    for text in (shown, audit, logs, stored):
        assert KEY not in text


async def _rows(database: MigratedDatabase) -> list[str]:
    """Returns every row of every table."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [row[0] for (name,) in tables for row in await connection.fetch(f'SELECT t::text FROM "{name}" t')]
    finally:
        await connection.close()
