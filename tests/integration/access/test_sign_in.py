"""Signing in and out, sessions, passwords."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.access.house import PASSWORD, Browser, House, running_house
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

NEW = "a much longer password"


def _set_cookie(house: House, answer: object) -> str:
    return str(answer.headers["set-cookie"]).lower()  # type: ignore[attr-defined]


async def test_the_cookie_is_kept_from_scripts_and_other_sites(house: House) -> None:
    await house.owner()
    cookie = _set_cookie(house, await house.browser().sign_in("OWNER@arcane.test "))
    assert cookie.startswith("arcane_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie
    assert "domain" not in cookie


async def test_with_https_the_cookie_is_secure_and_bound_to_the_host(migrated_database: MigratedDatabase) -> None:
    async with running_house(migrated_database) as house:
        house.settings.server.public_url = "https://arcane.test"
        cookie = type(house.parts.authoriser.cookie).of(house.settings)
    assert (cookie.name, cookie.secure) == ("__Host-arcane_session", True)


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(house: House) -> None:
    await house.owner()
    wrong = await house.browser().sign_in("owner@arcane.test", "wrong password")
    unknown = await house.browser().sign_in("nobody@arcane.test", "wrong password")
    nonsense = await house.browser().sign_in("nobody", "wrong password")
    assert wrong.status_code == unknown.status_code == nonsense.status_code == 401
    assert wrong.json() == unknown.json() == nonsense.json()
    assert wrong.json()["type"] == "/problems/wrong-credentials"


async def test_guessing_is_slowed_down_per_address_and_account(migrated_database: MigratedDatabase) -> None:
    async with running_house(migrated_database, sign_in_attempts=3) as house:
        await house.owner()
        for _ in range(3):
            assert (await house.browser().sign_in("owner@arcane.test", "guess guess")).status_code == 401
        refused = await house.browser().sign_in("owner@arcane.test")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 15 * 60 + 1
        assert (await house.browser().sign_in("somebody@arcane.test", "guess guess")).status_code == 401


async def test_only_a_hash_of_the_session_is_stored(house: House) -> None:
    browser = await house.owner()
    token = browser.http.cookies["arcane_session"]
    connection = await asyncpg.connect(house.stored.superuser_dsn)
    rows = await connection.fetch("SELECT token_hash FROM sessions")
    assert len(rows) == 1
    assert token.encode() not in rows[0]["token_hash"]
    assert len(token) >= 43  # 256 bits in base64
    await connection.close()


async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    browser = await house.owner()
    token = browser.http.cookies["arcane_session"]
    assert (await browser.delete("/api/v1/sessions/current")).status_code == 204
    stolen = house.browser(Cookie=f"arcane_session={token}")
    assert (await stolen.get("/api/v1/accounts/me")).status_code == 401


async def test_sessions_are_listed_and_revoked_one_by_one(house: House) -> None:
    first = await house.owner()
    second = house.browser(**{"User-Agent": "Second browser"})
    await second.sign_in("owner@arcane.test")
    listed = (await first.get("/api/v1/sessions")).json()["items"]
    assert {row["is_current"] for row in listed} == {True, False}
    other = next(row for row in listed if not row["is_current"])
    assert (other["user_agent"], other["address"]) == ("Second browser", "192.0.2.7")
    assert (await second.get("/api/v1/accounts/me")).status_code == 200
    assert (await first.delete(f"/api/v1/sessions/{other['id']}")).status_code == 204
    assert (await second.get("/api/v1/accounts/me")).status_code == 401
    assert (await first.get("/api/v1/accounts/me")).status_code == 200


async def test_a_session_of_somebody_else_is_not_there(house: House) -> None:
    owner = await house.owner()
    guest = await house.member(owner, await house.organisation(owner), "guest@arcane.test")
    assert (await guest.delete(f"/api/v1/sessions/{owner.session_id}")).status_code == 404
    assert (await owner.delete(f"/api/v1/sessions/{guest.session_id}")).status_code == 404
    assert len((await owner.get("/api/v1/sessions")).json()["items"]) == 1


async def test_a_session_ends_by_itself(house: House) -> None:
    browser = await house.owner()
    assert (await browser.get("/api/v1/accounts/me")).status_code == 200
    connection = await asyncpg.connect(house.stored.superuser_dsn)
    await connection.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
    await connection.close()
    house.parts.authoriser.forget_everything()
    assert (await browser.get("/api/v1/accounts/me")).status_code == 401


async def test_changing_the_password_ends_every_other_session(house: House) -> None:
    here, there = await house.owner(), house.browser()
    await there.sign_in("owner@arcane.test")
    change = {"current": PASSWORD, "new": NEW}
    assert (await here.put("/api/v1/accounts/me/password", {**change, "current": "wrong"})).status_code == 422
    assert (await here.put("/api/v1/accounts/me/password", {**change, "new": "short"})).status_code == 422
    assert (await here.put("/api/v1/accounts/me/password", change)).status_code == 204
    assert (await here.get("/api/v1/accounts/me")).status_code == 200
    assert (await there.get("/api/v1/accounts/me")).status_code == 401
    assert (await house.browser().sign_in("owner@arcane.test")).status_code == 401
    assert (await house.browser().sign_in("owner@arcane.test", NEW)).status_code == 201


async def test_all_other_sessions_end_at_once(house: House) -> None:
    here, there = await house.owner(), house.browser()
    await there.sign_in("owner@arcane.test")
    assert (await here.delete("/api/v1/sessions/others")).status_code == 204
    assert (await there.get("/api/v1/accounts/me")).status_code == 401
    assert (await here.get("/api/v1/accounts/me")).status_code == 200


async def test_a_name_is_changed_at_once(house: House) -> None:
    browser = await house.owner()
    assert (await browser.patch("/api/v1/accounts/me", {"name": "Ola"})).json()["name"] == "Ola"
    assert (await browser.get("/api/v1/accounts/me/session")).json()["name"] == "Ola"


async def test_a_hash_of_other_parameters_is_renewed_when_somebody_signs_in(house: House) -> None:
    await house.owner()
    connection = await asyncpg.connect(house.stored.superuser_dsn)
    old = await connection.fetchval("SELECT password_hash FROM users")
    assert old.startswith("$argon2id$")
    weaker = type(house.parts.accounts.passwords)()
    await connection.execute("UPDATE users SET password_hash = $1", await weaker.hash(PASSWORD))
    assert (await house.browser().sign_in("owner@arcane.test")).status_code == 201
    renewed = await connection.fetchval("SELECT password_hash FROM users")
    assert "m=8,t=1,p=1" in renewed
    await connection.close()


async def _post(browser: Browser, path: str, **headers: str) -> int:
    body = {"name": "Umbrella"}
    return (await browser.http.post(path, json=body, headers=headers)).status_code


async def test_a_change_needs_the_token_of_its_own_session(house: House) -> None:
    browser, other = await house.owner(), house.browser()
    await other.sign_in("owner@arcane.test")
    path = "/api/v1/organisations"
    assert await _post(browser, path) == 403
    assert await _post(browser, path, **{"X-CSRF-Token": other.csrf_token}) == 403
    not_ascii = {"X-CSRF-Token": "\u00fc".encode("latin-1")}
    assert (await browser.http.post(path, json={"name": "X"}, headers=not_ascii)).status_code == 403  # type: ignore[arg-type]
    assert await _post(browser, path, **{"X-CSRF-Token": browser.csrf_token}) == 201


async def test_a_form_carries_the_token_in_a_field(house: House) -> None:
    browser = await house.owner()
    form = {"csrf_token": browser.csrf_token, "name": "ignored: this endpoint takes JSON"}
    answer = await browser.http.post("/api/v1/organisations", data=form)
    assert answer.status_code == 415  # let in, then not understood
    assert (await browser.http.post("/api/v1/organisations", data={"csrf_token": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://arcane.test"}, 201),
        ({}, 201),
    ],
)
async def test_another_site_can_neither_change_anything_nor_sign_somebody_in(
    house: House, headers: dict[str, str], status: int
) -> None:
    browser = await house.owner()
    assert await _post(browser, "/api/v1/organisations", **headers, **{"X-CSRF-Token": browser.csrf_token}) == status
    body = {"email": "owner@arcane.test", "password": PASSWORD}
    answer = await house.browser().http.post("/api/v1/sessions", json=body, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "/problems/cross-site-request"


async def test_a_key_needs_no_token_and_a_broken_header_is_not_saved_by_a_cookie(house: House) -> None:
    owner = await house.owner()
    project = await house.project(owner, await house.organisation(owner))
    program = await house.key(owner, project)
    path = f"/api/v1/projects/{project['id']}"
    assert (await program.get(path)).status_code == 200
    for header in ("Bearer nonsense", "Basic !!!", "Basic dXNlcjpwYXNz", "Digest x", f"Bearer {program.key}0"):
        answer = await owner.http.get(path, headers={"Authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"].startswith("Bearer")
