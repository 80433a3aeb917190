"""What is another's is not there: by any id, through any route, past any filter or rule.

The numbers in names are those of the original product's list of holes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio
import asyncpg
import pytest
from anyio.from_thread import start_blocking_portal

from arcane.access.permissions import ORGANISATION_ADMIN, ORGANISATION_MEMBER, OWNER, PROJECT_ADMIN
from tests.support.canaries import AROUND, trace_of
from tests.support.postgres import MigratedDatabase
from tests.support.premises import Premises, premises
from tests.support.reference_pages import REFERENCE
from tests.support.served import Served, Visitor
from tests.support.tempo_standin import Tempo, serving

pytestmark = pytest.mark.postgres

DOCUMENT = json.loads((REFERENCE / "openapi.json").read_text())
OUTER = {"organisation_id", "project_id"}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two organisations that have nothing to do with each other; `admin` is admin of the first alone."""

    own: Premises
    other: Premises
    admin: Visitor


@pytest.fixture(scope="module")
def neighbours(served: Served, owner: Visitor) -> Neighbours:
    own = premises(served, owner, "Own")
    return Neighbours(own, premises(served, owner, "Other"), own.member)


def _inner() -> Iterator[tuple[str, str]]:
    """Yields operations on something that stands in an organisation or a project."""
    for path, item in DOCUMENT["paths"].items():
        names = set(re.findall(r"{(\w+)}", path))
        if names & OUTER and names - OUTER - {"trace_id", "span_id", "name"}:
            yield from ((method.upper(), path) for method in item)


def _outer() -> Iterator[tuple[str, str]]:
    for path, item in DOCUMENT["paths"].items():
        if set(re.findall(r"{(\w+)}", path)) & OUTER:
            yield from ((method.upper(), path) for method in item)


def _body(method: str, path: str, place: Premises) -> Any:
    """A body that would do, were it not for the id in the path."""
    in_project = "{project_id}" in path
    role = place.project_role_id if in_project else place.role_id
    row = {"row_id": place.row_id}
    message = {"role": "user", "text": "Taken over"}
    bodies: dict[tuple[str, str], Any] = {
        ("PUT", "members/{user_id}"): {"role_id": role},
        ("PATCH", "roles/{role_id}"): {"name": "Taken over"},
        ("PATCH", "datasources/{datasource_id}"): {"name": "Taken over"},
        ("PATCH", "model-configurations/{configuration_id}"): {"name": "Taken over"},
        ("PATCH", "prompts/{prompt}"): {"name": "Taken over"},
        ("PUT", "labels/{label}"): {"version": "v0"},
        ("POST", "{prompt}/versions"): {"messages": [message], "model_configuration_id": place.configuration_id},
        ("PATCH", "datasets/{dataset_id}"): {"name": "Taken over"},
        ("PUT", "datasets/{dataset_id}/columns"): {"columns": [{"name": "Taken over"}]},
        ("POST", "{dataset_id}/rows"): {"rows": [{"values": {"question": "Taken over"}}]},
        ("PATCH", "{dataset_id}/rows"): {"rows": [{**row, "values": {"question": "Taken over"}}]},
        ("POST", "{dataset_id}/captures"): {
            "columns": {"question": "trace:name"},
            "traces": [{"trace_id": place.trace_id}],
        },
        ("POST", "{dataset_id}/rows/delete"): {"row_ids": [place.row_id]},
        ("POST", "{dataset_id}/splits"): {"split": "taken", "row_ids": [place.row_id]},
        ("POST", "splits/by-column"): {"column": "question"},
        ("POST", "splits/by-chance"): {"shares": {"taken": 100}},
        ("PUT", "{subject_id}/scores/{score_id}"): {"value": 1.0},
        ("POST", "{run_id}/jobs/redrive"): {},
        ("POST", "{run_id}/jobs/discard"): {},
        ("PUT", "scores/{score_id}"): {"name": "Taken over"},
        ("PATCH", "experiments/{experiment_id}"): {"name": "Taken over"},
        ("POST", "{experiment_id}/results"): {**row, "output": "Taken over"},
        ("PATCH", "evaluations/{evaluation_id}"): {"name": "Taken over"},
        ("POST", "scores/{score_id}/import"): {"results": [{**row, "value": 1.0}]},
        ("PUT", "attribute-visibility-rules/{rule_id}"): {"hidden_role_ids": []},
    }
    return next((body for (how, end), body in bodies.items() if how == method and path.endswith(end)), None)


def _filled(path: str, outer: Premises, inner: Premises) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "role_id" and "{project_id}" in path:
            name = "project_role_id"
        if name == "order":
            return "pause"
        known = getattr(outer if name in OUTER else inner, name, None)
        return str(known if known is not None else "resource.service.name")

    asked = "?older=1&newer=1" if path.endswith("/differences") else ""
    if path.endswith("/comparison"):
        asked = f"?a={inner.experiment_id}&b={inner.experiment_id}"
    return re.sub(r"{(\w+)}", value, path) + asked


def stored(served: Served, neighbours: Neighbours) -> set[str]:
    """Returns every row of the two organisations and their members, but what is written about who came and went.

    What the instance does meanwhile for anybody else is not looked at.
    """
    places = neighbours.own, neighbours.other
    return anyio.run(_rows, served.stored, [one for place in places for one in (place.organisation_id, place.user_id)])


async def _rows(database: MigratedDatabase, ids: list[str]) -> set[str]:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = {name for (name,) in tables} - {"sessions", "user_sessions", "api_keys"}
        asked = " UNION ALL ".join(f'SELECT t::text AS line FROM "{name}" t' for name in sorted(names))
        found = await connection.fetch(f"SELECT line FROM ({asked}) everything WHERE line ~ ANY($1)", ids)
        return {row["line"] for row in found}
    finally:
        await connection.close()


@pytest.mark.parametrize(("method", "path"), sorted(_inner()))
def test_ids_of_another_organisation_are_not_there(
    served: Served, neighbours: Neighbours, method: str, path: str
) -> None:
    own, other = neighbours.own, neighbours.other
    before = stored(served, neighbours)
    assert len(before) > 40, "the search finds nothing, so nothing is proved"
    answer = neighbours.admin.call(method, _filled(path, own, other), _body(method, path, own))
    assert answer.status_code == 404, answer.text
    assert not stored(served, neighbours) ^ before


@pytest.mark.parametrize(("method", "path"), sorted(_outer()))
def test_another_organisation_is_not_there(served: Served, neighbours: Neighbours, method: str, path: str) -> None:
    """Also with its own ids in the path, and whatever the body would have been: who is nobody is told nothing."""
    other = neighbours.other
    before = stored(served, neighbours)
    answer = neighbours.admin.call(method, _filled(path, other, other), _body(method, path, other))
    assert answer.status_code in ({404, 422} if method in ("POST", "PUT", "PATCH") else {404}), answer.text
    key = {"Authorization": f"Bearer {neighbours.own.key}"}
    answer = served.visitor(**key).call(method, _filled(path, other, other), _body(method, path, other))
    assert answer.status_code in (403, 404, 422), answer.text
    assert not stored(served, neighbours) ^ before


def test_ids_of_another_organisation_in_bodies_are_not_there(neighbours: Neighbours) -> None:
    own, other, admin = neighbours.own, neighbours.other, neighbours.admin
    guest = {"email": "x@example.com", "role_id": str(ORGANISATION_MEMBER.id)}
    for path, body in (
        (f"{own.at}/invitations", {**guest, "role_id": other.role_id}),
        (f"{own.at}/invitations", {**guest, "project_id": other.project_id}),
        (f"{own.at}/invitations", {**guest, "project_id": own.project_id, "project_role_id": other.project_role_id}),
        (f"{own.in_project}/members", {"user_id": other.user_id, "role_ids": []}),
        (f"{own.in_project}/members", {"user_id": own.user_id, "role_ids": [other.project_role_id]}),
        (
            f"{own.in_project}/attribute-visibility-rules",
            {"attribute_name": "a", "hidden_role_ids": [other.project_role_id]},
        ),
        (f"{own.in_project}/search", {"query": "{}", "datasources": [other.datasource_id]}),
        (f"{own.in_project}/search/explain", {"query": "{}", "datasources": [other.datasource_id]}),
    ):
        answer = admin.call("POST", path, body)
        assert answer.status_code in (404, 409), (path, body, answer.text)
    assert admin.get(f"{own.in_project}/attributes", params={"datasource": other.datasource_id}).status_code == 404


def test_somebody_elses_session_cannot_be_ended(served: Served, neighbours: Neighbours) -> None:
    theirs = neighbours.other.member
    assert neighbours.admin.call("DELETE", f"/api/v1/sessions/{theirs.session_id}").status_code == 404
    assert theirs.get("/api/v1/accounts/me").status_code == 200


def test_1_every_change_of_an_organisation_asks_for_a_permission(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Holes")
    plain = served.visitor().invited(
        place.organisation_id, "plain-1@example.com", owner, role_id=str(ORGANISATION_MEMBER.id)
    )
    for method, path, body in (
        ("PATCH", place.at, {"name": "Mine"}),
        ("DELETE", place.at, None),
        ("PUT", f"{place.at}/members/{plain.user_id}", {"role_id": str(ORGANISATION_ADMIN.id)}),
        ("DELETE", f"{place.at}/members/{place.user_id}", None),
        ("POST", f"{place.at}/invitations", {"email": "y@example.com", "role_id": str(ORGANISATION_MEMBER.id)}),
        ("GET", f"{place.at}/members", None),
    ):
        assert plain.call(method, path, body).status_code == 403, (method, path)


def test_2_roles_are_of_the_place_and_below_the_instance(neighbours: Neighbours) -> None:
    own, other, admin = neighbours.own, neighbours.other, neighbours.admin
    member = f"{own.at}/members/{own.user_id}"
    for role in (other.role_id, str(OWNER.id), own.project_role_id, str(PROJECT_ADMIN.id)):
        assert admin.call("PUT", member, {"role_id": role}).status_code == 404
    for role in (other.project_role_id, str(OWNER.id), own.role_id, str(ORGANISATION_ADMIN.id)):
        assert admin.call("PUT", f"{own.in_project}/members/{own.user_id}/roles/{role}").status_code == 404
    for permission in ("*", "datasources:*", "instance:everything"):
        body = {"name": "Everything", "permissions": [permission]}
        assert admin.call("POST", f"{own.at}/roles", body).status_code == 422


@contextmanager
def tempos(*names: str) -> Iterator[list[Tempo]]:
    with start_blocking_portal() as portal:
        running = [portal.wrap_async_context_manager(serving(Tempo([trace_of(1)]))) for _ in names]
        entered = [one.__enter__() for one in running]
        try:
            yield entered
        finally:
            for one in running:
                one.__exit__(None, None, None)


def test_5_a_connection_test_sends_stored_secrets_nowhere_else(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Secrets")
    token = "zq7-kept-secret"
    with tempos("own", "evil") as (own, evil):
        settings = {"url": own.url, "auth": "bearer", "token": token, "extra_headers": f"X-Key: {token}"}
        made = owner.made(f"{place.at}/datasources", {"name": "Kept", "kind": "tempo", "settings": settings})
        test = f"{place.at}/datasources/{made['id']}/test"
        assert owner.call("POST", test).json()["ok"] is True
        assert any(token in str(request.headers) for request in own.requests)
        for change in ({"url": evil.url}, {"url": evil.url, "token": "********"}, {"url": f"{evil.url}/x"}):
            owner.call("POST", test, {"settings": change})
            owner.call("PATCH", f"{place.at}/datasources/{made['id']}", {"settings": change})
            owner.call("POST", test)
        assert not any(token in str(request.headers) for request in evil.requests)
        stranger = premises(served, owner, "Strangers")
        for asking in (test.replace(place.organisation_id, stranger.organisation_id), test):
            assert stranger.member.call("POST", asking, {"settings": {"url": evil.url}}).status_code == 404
        reader = _member_who_may(served, owner, place, "organisations:read", "datasources:read")
        assert reader.call("POST", test, {"settings": {"url": evil.url}}).status_code == 403
        assert evil.requests == []


def _member_who_may(served: Served, owner: Visitor, place: Premises, *permissions: str) -> Visitor:
    role = owner.made(f"{place.at}/roles", {"name": "Some", "permissions": list(permissions)})["id"]
    return served.visitor().invited(place.organisation_id, f"some-{role[-6:]}@example.com", owner, role_id=role)


def test_10_what_a_caller_writes_never_becomes_another_path_upstream(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Paths")
    with tempos("upstream") as (tempo,):
        settings = {"url": f"{tempo.url}", "max_range_hours": 168}
        owner.made(f"{place.at}/datasources", {"name": "Tempo", "kind": "tempo", "settings": settings})
        for written in ("../../admin", "..%2F..%2Fadmin", "a/../../admin", "x?y=1", "x#y", "x%00y", "a b&c=d"):
            for name in (f'span."{written}"', f".{written}", written):
                where = f"{place.in_project}/attributes/{quote(name, safe='')}/values"
                assert owner.get(where, params=AROUND).status_code in (200, 400)
            assert owner.get(f"{place.in_project}/traces/{quote(written, safe='')}").status_code in (400, 404)
            query = f'{{ span."{written}" = "{written}&limit=9" }}'
            owner.call("POST", f"{place.in_project}/search", {"query": query, **AROUND})
        raw = {request.raw_path.partition("?")[0] for request in tempo.requests}
        known = r"/api/(status/buildinfo|search|v2/traces/[0-9a-f]{32}|v2/search/tag/[^/]+/values)"
        assert [path for path in raw if not re.fullmatch(known, path)] == []
        asked = [request for request in tempo.requests if request.path == "/api/search"]
        assert asked
        assert {len(request.query.getall("limit")) for request in asked} == {1}


def test_12_what_is_remembered_for_one_is_not_given_to_another(served: Served, neighbours: Neighbours) -> None:
    own, other = neighbours.own, neighbours.other
    keys = [served.visitor(Authorization=f"Bearer {place.key}") for place in (own, other)]
    for _ in range(2):
        for place, key in zip((own, other), keys, strict=True):
            assert key.get(f"{place.in_project}/datasources").json()["items"][0]["id"] == place.datasource_id
            question = {"query": "{}", "datasources": [place.datasource_id], **AROUND}
            assert key.call("POST", f"{place.in_project}/search", question).status_code == 200
        for place, key in zip((other, own), keys, strict=True):
            assert key.get(f"{place.in_project}/datasources").status_code == 404
            question = {"query": "{}", "datasources": [place.datasource_id]}
            assert key.call("POST", f"{place.in_project}/search", question).status_code == 404
    mine = {"query": "{}", "datasources": [other.datasource_id]}
    assert keys[0].call("POST", f"{own.in_project}/search", mine).status_code == 404
