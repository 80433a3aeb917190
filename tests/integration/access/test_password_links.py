"""A forgotten password: an owner makes a one-time link, whoever holds it sets a new one."""

from __future__ import annotations

import asyncpg
import httpx
import pytest

from arcane.access.permissions import ORGANISATION_ADMIN
from arcane.access.principals import SYSTEM
from arcane.kit.problems import NotFound
from tests.integration.access.conftest import Acme
from tests.integration.access.house import PASSWORD, Browser, House

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

NEW = "a password that was made up just now"


async def link_for(owner: Browser, user_id: str) -> str:
    answer = await owner.post(f"/api/v1/users/{user_id}/password-link")
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["link"].partition("/new-password?token=")[2]
    return token


async def set_password(house: House, token: str, password: str = NEW) -> httpx.Response:
    return await house.browser().post("/api/v1/new-password", {"token": token, "password": password})


async def test_the_holder_of_the_link_sets_a_password_and_is_signed_out_everywhere(acme: Acme) -> None:
    token = await link_for(acme.owner, acme.member.user_id)
    assert (await acme.member.get("/api/v1/accounts/me")).status_code == 200, "nothing changes until it is used"
    email = (await acme.member.get("/api/v1/accounts/me")).json()["email"]
    assert (await set_password(acme.house, token)).status_code == 204
    assert (await acme.member.get("/api/v1/accounts/me")).status_code == 401
    assert (await acme.house.browser().sign_in(email, PASSWORD)).status_code == 401
    assert (await acme.house.browser().sign_in(email, NEW)).status_code == 201


async def test_a_link_works_once_and_only_the_newest(acme: Acme) -> None:
    first, second = [await link_for(acme.owner, acme.member.user_id) for _ in range(2)]
    assert (await set_password(acme.house, first)).json()["type"] == "/problems/password-link-not-usable"
    assert (await set_password(acme.house, second)).status_code == 204
    assert (await set_password(acme.house, second)).status_code == 409
    assert (await set_password(acme.house, "never-one")).status_code == 409


async def test_a_link_does_not_outlive_the_password_it_was_made_for(acme: Acme) -> None:
    token, other = [await link_for(acme.owner, one.user_id) for one in (acme.member, acme.viewer)]
    change = {"current": PASSWORD, "new": "a password that was remembered after all"}
    assert (await acme.member.put("/api/v1/accounts/me/password", change)).status_code == 204
    assert (await set_password(acme.house, token)).status_code == 409
    assert await acme.house.parts.password_links.email_of(token) is None
    assert (await set_password(acme.house, other)).status_code == 204, "it is of somebody else"


async def test_a_link_that_is_too_old_does_not_work(acme: Acme) -> None:
    token = await link_for(acme.owner, acme.member.user_id)
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    await connection.execute("UPDATE password_links SET expires_at = now() - interval '1 second'")
    await connection.close()
    assert (await set_password(acme.house, token)).status_code == 409
    assert await acme.house.parts.password_links.email_of(token) is None


async def test_a_weak_password_is_refused_and_costs_the_link_nothing(acme: Acme) -> None:
    token = await link_for(acme.owner, acme.member.user_id)
    refused = await set_password(acme.house, token, "short")
    assert refused.status_code == 422
    assert (await set_password(acme.house, token)).status_code == 204


async def test_only_an_owner_of_the_instance_makes_a_link(acme: Acme) -> None:
    admin = await acme.house.member(acme.owner, acme.organisation, "another@acme.test", ORGANISATION_ADMIN.id)
    for nobody in (admin, acme.member):
        answer = await nobody.post(f"/api/v1/users/{acme.owner.user_id}/password-link")
        assert answer.status_code in (403, 404)
    assert (
        await acme.owner.post("/api/v1/users/00000000-0000-0000-0000-000000000009/password-link")
    ).status_code == 404


async def test_guessing_links_is_slowed_down(acme: Acme) -> None:
    answers = [(await set_password(acme.house, f"guess-{number}")).status_code for number in range(11)]
    assert answers == [409] * 10 + [429]


async def test_a_shell_on_the_machine_makes_one_by_address(house: House) -> None:
    await house.owner()
    issued = await house.parts.password_links.issue_by_email(SYSTEM, "Owner@arcane.test")
    assert (await set_password(house, issued.link.partition("token=")[2])).status_code == 204
    assert issued.link not in repr(issued)
    with pytest.raises(NotFound):
        await house.parts.password_links.issue_by_email(SYSTEM, "nobody@arcane.test")


async def test_who_made_a_link_and_that_it_was_used_is_recorded_without_the_link(acme: Acme) -> None:
    token = await link_for(acme.owner, acme.member.user_id)
    await set_password(acme.house, token)
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    rows = await connection.fetch("SELECT actor_id, action, after FROM audit_entries ORDER BY id DESC LIMIT 2")
    await connection.close()
    assert [row["action"] for row in rows] == ["user.password_reset", "user.password_link_issued"]
    assert [str(row["actor_id"]) for row in rows] == [acme.member.user_id, acme.owner.user_id]
    assert token not in str(rows)
