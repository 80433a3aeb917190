"""The first owner."""

from __future__ import annotations

from dataclasses import replace

import anyio
import asyncpg
import pytest
from pydantic import SecretStr

from arcane.kit.problems import MalformedInput
from arcane.settings import AccessSettings
from tests.integration.access.house import PASSWORD, House, running_house
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


def _claim(link: str, email: str = "owner@arcane.test") -> dict[str, str]:
    token = link.partition("token=")[2]
    return {"token": token, "email": email, "name": "Olive", "password": PASSWORD}


async def test_the_link_makes_its_holder_the_owner_and_signs_in(house: House) -> None:
    browser = house.browser()
    assert (await browser.get("/api/v1/setup")).json() == {"needs_owner": True}
    link = await house.parts.accounts.issue_setup_link()
    assert link is not None
    assert link.startswith("http://arcane.test/setup?token=")
    browser.remember(await browser.http.post("/api/v1/setup", json=_claim(link)))
    assert (await browser.get("/api/v1/accounts/me")).json()["is_owner"] is True
    assert (await browser.get("/api/v1/setup")).json() == {"needs_owner": False}


async def test_the_link_works_once_and_only_the_newest(house: House) -> None:
    browser = house.browser()
    old, new = await house.parts.accounts.issue_setup_link(), await house.parts.accounts.issue_setup_link()
    assert old is not None
    assert new is not None
    assert (await browser.http.post("/api/v1/setup", json=_claim(old))).status_code == 409
    assert (await browser.http.post("/api/v1/setup", json=_claim(new))).status_code == 201
    again = await browser.http.post("/api/v1/setup", json=_claim(new, "second@arcane.test"))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/setup-link-not-usable")
    assert await house.parts.accounts.issue_setup_link() is None


async def test_two_people_with_the_link_make_one_owner(house: House) -> None:
    link = await house.parts.accounts.issue_setup_link()
    assert link is not None
    statuses: list[int] = []

    async def claim(email: str) -> None:
        statuses.append((await house.browser().http.post("/api/v1/setup", json=_claim(link, email))).status_code)

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(claim, f"owner{number}@arcane.test")
    assert sorted(statuses) == [201, 409, 409, 409, 409]


async def test_only_a_hash_of_the_link_is_stored(house: House) -> None:
    link = await house.parts.accounts.issue_setup_link()
    assert link is not None
    token = link.partition("token=")[2]
    connection = await asyncpg.connect(house.stored.superuser_dsn)
    stored = await connection.fetchval("SELECT token_hash FROM setup_links")
    assert token.encode() not in stored
    assert len(stored) == 32
    await connection.close()


async def test_a_headless_start_takes_the_owner_from_the_settings(migrated_database: MigratedDatabase) -> None:
    given = {"owner_email": "Root@Arcane.test", "owner_password": SecretStr(PASSWORD)}
    async with running_house(migrated_database, **given) as house:
        assert await house.parts.accounts.ensure_owner_from_settings() is True
        assert await house.parts.accounts.ensure_owner_from_settings() is False
        assert await house.parts.accounts.issue_setup_link() is None
        browser = house.browser()
        await browser.sign_in("root@arcane.test")
        assert (await browser.get("/api/v1/accounts/me")).json()["is_owner"] is True


async def test_a_headless_owner_without_an_address_is_told_which_setting_it_is(house: House) -> None:
    given = AccessSettings(owner_email="root", owner_password=SecretStr(PASSWORD))
    accounts = replace(house.parts.accounts, settings=given)
    with pytest.raises(MalformedInput, match="ARCANE_ACCESS__OWNER_EMAIL: root is not an e-mail address"):
        await accounts.ensure_owner_from_settings()


async def test_a_weak_password_is_refused_with_a_reason(house: House) -> None:
    link = await house.parts.accounts.issue_setup_link()
    assert link is not None
    for password in ("short", "a" * 12, "owner@arcane.test"):
        answer = await house.browser().http.post("/api/v1/setup", json={**_claim(link), "password": password})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/password"
