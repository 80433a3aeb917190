"""Datasources over HTTP: shapes, status codes, permissions, problems."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request

from arcane.catalog.endpoints import router
from arcane.kit.actor import Actor
from arcane.kit.http import install_problem_handlers
from arcane.kit.problems import NotAllowed, NotFound
from arcane.settings import Settings
from tests.support.backends import always, backend, reply
from tests.support.catalog import EVERYTHING, CatalogBench, actor_of, catalog_on
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

CANARY = "canary-5ecret-token"


@dataclass(slots=True)
class OneActor:
    """Lets one actor in, where the path names its organisation or any project."""

    actor: Actor

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        named = request.path_params.get("organisation_id")
        if named is not None and UUID(str(named)) != self.actor.organisation_id:
            raise NotFound("there is nothing at this address")
        if permission is not None and not self.actor.may(permission):
            raise NotAllowed("you are not allowed to do this")
        return self.actor


@dataclass(slots=True)
class Door:
    """The endpoints, and the way to be somebody with fewer permissions."""

    client: httpx.AsyncClient  # noqa: TID251 - of the application under test
    bench: CatalogBench
    authoriser: OneActor
    app: FastAPI

    @property
    def root(self) -> str:
        return f"/organisations/{self.authoriser.actor.organisation_id}"

    def may(self, *permissions: str) -> None:
        self.authoriser.actor = replace(self.authoriser.actor, permissions=frozenset(permissions))

    async def post(self, path: str, body: Any, status: int) -> Any:
        answer = await self.client.post(self.root + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
async def door(migrated_database: MigratedDatabase) -> AsyncIterator[Door]:
    async with catalog_on(migrated_database) as bench:
        app = FastAPI()
        app.state.settings = Settings(_env_file=None)  # type: ignore[call-arg]
        app.state.catalog = bench.service
        app.state.authoriser = authoriser = OneActor(actor_of(await bench.organisation()))
        install_problem_handlers(app)
        app.include_router(router)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://arcane") as client:  # noqa: TID251 - as above
            yield Door(client, bench, authoriser, app)


def body(name: str = "Tempo", **settings: object) -> dict[str, Any]:
    return {"kind": "probe", "name": name, "settings": {"url": "http://127.0.0.1:9", "token": CANARY, **settings}}


async def test_a_datasource_over_its_whole_life(door: Door) -> None:
    made = await door.post("/datasources", body(), 201)
    assert made["settings"]["token"] == "********"
    assert made["secret_set"]["token"] is True
    assert made["health"] == {
        "status": "unknown", "last_ok_at": None, "last_error_at": None, "error": None, "latency_ms": None,
        "p50_ms": None, "p95_ms": None, "answers": 0, "faults": 0, "repeats": 0, "breaker": "closed", "retry_at": None,
    }  # fmt: skip
    where = f"{door.root}/datasources/{made['id']}"
    assert (await door.client.get(where)).json() == made
    patched = await door.client.patch(where, json={"settings": {"tenant": "a", "token": "********"}, "version": 1})
    assert (patched.status_code, patched.json()["version"]) == (200, 2)
    assert (
        (await door.client.patch(where, json={"name": "x", "version": 1})).json()["type"].endswith("datasource-changed")
    )
    listed = (await door.client.get(f"{door.root}/datasources")).json()
    assert ([item["name"] for item in listed["items"]], listed["next"]) == (["Tempo"], None)
    deleted = await door.client.delete(where)
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await door.client.get(where)
    assert (gone.status_code, gone.json()["type"]) == (404, "/problems/unknown-datasource")
    everything = json.dumps([made, patched.json(), listed, gone.json()])
    assert "canary" not in everything


async def test_pages_are_followed_by_cursor(door: Door) -> None:
    for name in "abc":
        await door.post("/datasources", body(name), 201)
    first = (await door.client.get(f"{door.root}/datasources", params={"limit": 2})).json()
    rest = (await door.client.get(f"{door.root}/datasources", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["name"] for item in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    for cursor, slug in (("nonsense", "bad-cursor"), (first["next"][:-2] + "zz", "tampered-cursor")):
        refused = await door.client.get(f"{door.root}/datasources", params={"cursor": cursor})
        assert (refused.status_code, refused.json()["type"]) == (400, f"/problems/{slug}")


async def test_errors_point_at_fields_and_never_repeat_a_secret(door: Door) -> None:
    refused = await door.post("/datasources", body(url="http://10.0.0.1", headers={"X": CANARY}), 422)
    assert refused["type"] == "/problems/invalid-datasource"
    assert [error["pointer"] for error in refused["errors"]] == ["#/settings/url"]
    refused = await door.post("/datasources", body(token={"not": CANARY}, limit=CANARY), 422)
    assert {error["pointer"] for error in refused["errors"]} == {"#/settings/token", "#/settings/limit"}
    assert "canary" not in json.dumps(refused)
    made = await door.post("/datasources", body(), 201)
    where = f"{door.root}/datasources/{made['id']}"
    moved = await door.client.patch(where, json={"settings": {"url": "https://evil.example"}})
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (422, "#/settings/token")


async def test_a_taken_name_is_a_conflict(door: Door) -> None:
    await door.post("/datasources", body(), 201)
    assert (await door.post("/datasources", body("tempo"), 409))["type"] == "/problems/datasource-name-taken"


@pytest.mark.parametrize(
    "raw",
    [
        '{"kind": "probe", "name": "n", "settings": ' + '{"a":' * 40 + "1" + "}" * 41,
        '{"kind": "probe", "name": "n", "settings": {"url": "\\u0000"}}',
        '{"kind": "probe", "name": "n", "settings": {"note": "\\ud800"}}',
        '{"kind": "probe", "name": "", "settings": {}}',
        '{"kind": "probe", "name": "n", "settings": {}, "secrets": {}}',
        '{"kind": "probe", "name": "n", "settings": [1]}',
        '{"kind": "probe"',
    ],
)
async def test_malformed_bodies_are_refused(door: Door, raw: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await door.client.post(f"{door.root}/datasources", content=raw, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_test_is_an_answer_whatever_it_finds(door: Door) -> None:
    async with backend(always(reply(b"2.9"))) as server:
        found = await door.post("/datasources/test", {"kind": "probe", "settings": {"url": server.url}}, 200)
        made = await door.post("/datasources", body(url=server.url), 201)
        again = await door.post(f"/datasources/{made['id']}/test", {"settings": {"tenant": "b"}}, 200)
        plain = await door.client.post(f"{door.root}/datasources/{made['id']}/test")
    assert (found["ok"], found["version"], found["newest_trace_ns"]) == (True, "2.9", "1700000000000000000")
    assert found["newest_trace"] == "2023-11-14T22:13:20Z"
    assert found["capabilities"]["concurrency"] == 4
    assert again["ok"]
    assert plain.json()["ok"]
    lost = await door.post("/datasources/test", {"kind": "probe", "settings": {"url": "http://127.0.0.1:9"}}, 200)
    assert (lost["ok"], lost["error"]["kind"]) == (False, "unreachable")
    assert (await door.client.get(f"{door.root}/datasources/{made['id']}")).json()["health"]["status"] == "ok"


async def test_kinds_come_with_their_form(door: Door) -> None:
    kinds = (await door.client.get(f"{door.root}/datasource-kinds")).json()["items"]
    (probe,) = kinds
    assert (probe["kind"], probe["available"], probe["reason"]) == ("probe", True, None)
    token = next(field for field in probe["fields"] if field["name"] == "token")
    assert (token["label"], token["secret"], token["default"]) == ("Token", True, None)


async def test_a_projects_reader_sees_names_and_health_only(door: Door) -> None:
    await door.post("/datasources", body(), 201)
    door.may("traces:read")
    listed = (await door.client.get(f"/projects/{uuid4()}/datasources")).json()
    assert [set(item) for item in listed["items"]] == [{"id", "name", "kind", "health"}]
    assert "canary" not in json.dumps(listed)


@pytest.mark.parametrize("missing", EVERYTHING)
async def test_each_route_needs_its_permission(door: Door, missing: str) -> None:
    made = await door.post("/datasources", body(), 201)
    door.may(*(set(EVERYTHING) - {missing}))
    one = f"{door.root}/datasources/{made['id']}"
    calls = {
        "datasources:read": [
            ("GET", f"{door.root}/datasource-kinds", None),
            ("GET", f"{door.root}/datasources", None),
            ("GET", one, None),
            ("POST", f"{one}/test", {}),
        ],
        "datasources:create": [
            ("POST", f"{door.root}/datasources", body("b")),
            ("POST", f"{door.root}/datasources/test", {"kind": "probe", "settings": {}}),
        ],
        "datasources:update": [("PATCH", one, {}), ("POST", f"{one}/test", {"settings": {"tenant": "a"}})],
        "datasources:delete": [("DELETE", one, None)],
        "traces:read": [("GET", f"/projects/{uuid4()}/datasources", None)],
    }
    for method, path, content in calls[missing]:
        answer = await door.client.request(method, path, json=content)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed"), (method, path)


async def test_a_stranger_finds_nothing(door: Door) -> None:
    answer = await door.client.get(f"/organisations/{uuid4()}/datasources")
    assert answer.status_code == 404


async def test_the_openapi_document_names_every_path_parameter(door: Door) -> None:
    document = door.app.openapi()
    for path, operations in document["paths"].items():
        named = {part.strip("{}") for part in path.split("/") if part.startswith("{")}
        for operation in operations.values():
            declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert declared == named, path
