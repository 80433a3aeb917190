"""What people may do who once asked for something, and are not asking now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import anyio
import asyncpg
import pytest

from arcane.access.permissions import MEMBER, ORGANISATION_ADMIN, OWNER, PROJECT_ADMIN, VIEWER, KeyScope
from arcane.access.rights import Rights
from arcane.kit.actor import Actor, ActorKind
from arcane.kit.database import Database
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


@asynccontextmanager
async def _rights(served: Served) -> AsyncIterator[Rights]:
    database = Database.connect(served.stored.app_url, pool_size=2)
    try:
        yield Rights(database)
    finally:
        await database.aclose()


def _now(served: Served, then: Actor) -> Actor | None:
    async def ask() -> Actor | None:
        async with _rights(served) as rights:
            return await rights.now(then)

    return anyio.run(ask)


def _then(place: Premises, id_: str, kind: ActorKind = ActorKind.USER) -> Actor:
    """Returns who asked, with the role of that time."""
    at = UUID(place.organisation_id), UUID(place.project_id)
    return Actor(kind, UUID(id_), "Then", frozenset({"traces:read"}), *at, frozenset({MEMBER.id}))


def test_somebody_has_the_roles_they_were_given_since_and_none_once_they_left(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Rights")
    then = _then(place, place.user_id)
    now = _now(served, then)
    assert now is not None
    assert (now.id, now.project_id, now.role_ids) == (
        then.id,
        then.project_id,
        {ORGANISATION_ADMIN.id, PROJECT_ADMIN.id},
    )
    assert now.may("projects:delete")
    guest = {"role_id": str(ORGANISATION_ADMIN.id)}
    assert owner.call("PUT", f"{place.in_project}/members/{place.user_id}/roles/{VIEWER.id}").status_code in (200, 201)
    again = _now(served, then)
    assert again is not None
    assert VIEWER.id in again.role_ids
    served.visitor().invited(place.organisation_id, f"left-{place.user_id}@example.com", owner, **guest)
    assert owner.call("DELETE", f"{place.at}/members/{place.user_id}").status_code == 204
    assert _now(served, then) is None


def test_an_owner_has_everything_and_a_removed_user_nothing(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Rights")
    now = _now(served, _then(place, owner.user_id))
    assert now is not None
    assert (now.role_ids, now.may("projects:delete")) == ({OWNER.id}, True)
    assert _now(served, _then(place, place.key_id)) is None, "there is no such user"


def test_a_key_may_what_its_scope_says_until_it_is_revoked(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Rights")
    then = _then(place, place.key_id, ActorKind.API_KEY)
    role = KeyScope.READ_WRITE.role
    assert _now(served, then) == replace(then, permissions=role.permissions, role_ids=frozenset({role.id}))
    assert _now(served, replace(then, project_id=uuid4())) is None, "it is a key of another project"
    assert owner.call("DELETE", f"{place.in_project}/api-keys/{place.key_id}").status_code == 204
    assert _now(served, then) is None


def test_a_key_may_nothing_once_it_has_expired(served: Served, owner: Visitor) -> None:
    place = premises(served, owner, "Rights")
    then = _then(place, place.key_id, ActorKind.API_KEY)
    for years, allowed in ((1, True), (-1, False)):
        anyio.run(_expire, served, place.key_id, timedelta(days=365 * years))
        assert (_now(served, then) is not None) == allowed


async def _expire(served: Served, key_id: str, after: timedelta) -> None:
    connection = await asyncpg.connect(served.stored.superuser_dsn)
    try:
        await connection.execute("UPDATE api_keys SET expires_at = now() + $1 WHERE id = $2", after, UUID(key_id))
    finally:
        await connection.close()
