"""Invitations are the only way to an account."""

from __future__ import annotations

from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from arcane.access.permissions import ORGANISATION_MEMBER, PROJECT_ADMIN, VIEWER
from tests.integration.access.conftest import Acme, found_acme
from tests.integration.access.house import PASSWORD, Browser, House

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

GUEST = "guest@acme.test"


async def _invite(acme: Acme, email: str = GUEST, **more: Any) -> dict[str, Any]:
    body = {"email": email, "role_id": str(ORGANISATION_MEMBER.id), **more}
    made = await acme.admin.post(f"{acme.at}/invitations", body)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


def _token(invitation: dict[str, Any]) -> str:
    return str(invitation["link"]).partition("token=")[2]


async def _accept(browser: Browser, token: str) -> httpx.Response:
    body = {"token": token, "name": "Gwen Guest", "password": PASSWORD}
    return await browser.http.post("/api/v1/invitations/accept", json=body)


async def _check(house: House, token: str) -> dict[str, Any]:
    answer = await house.browser().http.post("/api/v1/invitations/check", json={"token": token})
    body: dict[str, Any] = answer.json()
    return body


def _refused(answer: httpx.Response) -> str:
    """Returns why an invitation could not be used."""
    assert answer.status_code == 409, answer.text
    return str(answer.json()["reason"])


async def test_an_invitation_is_checked_accepted_and_then_used_up(acme: Acme) -> None:
    token = _token(await _invite(acme, "Guest@Acme.test"))
    seen = await _check(acme.house, token)
    assert (seen["status"], seen["email"], seen["organisation_name"]) == ("pending", GUEST, "Acme")
    assert (seen["invited_by"], seen["has_account"]) == ("admin", False)
    guest = acme.house.browser()
    guest.remember(await _accept(guest, token))
    assert (await guest.get(acme.at)).status_code == 200
    again = await _accept(acme.house.browser(), token)
    assert _refused(again) == "accepted"
    assert await _check(acme.house, token) == {
        "status": "accepted",
        "organisation_name": None,
        "email": None,
        "invited_by": None,
        "has_account": False,
    }


async def test_an_invitation_leads_right_into_a_project(acme: Acme) -> None:
    token = _token(await _invite(acme, project_id=acme.project["id"], project_role_id=str(VIEWER.id)))
    guest = acme.house.browser()
    guest.remember(await _accept(guest, token))
    assert (await guest.get(acme.in_project)).status_code == 200


async def test_an_account_is_made_only_with_a_valid_invitation(acme: Acme) -> None:
    """The original made the account first and looked at the invitation afterwards."""
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    before = await connection.fetchval("SELECT count(*) FROM users")
    for token in ("", "nonsense", _token(await _invite(acme))[:-1]):
        assert (await _accept(acme.house.browser(), token)).status_code in (409, 422)
    assert await connection.fetchval("SELECT count(*) FROM users") == before
    await connection.close()


async def test_inviting_again_makes_the_old_link_useless(acme: Acme) -> None:
    old, new = await _invite(acme), await _invite(acme)
    assert old["id"] == new["id"]
    assert (await _check(acme.house, _token(old)))["status"] == "not_found"
    assert (await _check(acme.house, _token(new)))["status"] == "pending"


async def test_a_revoked_and_an_expired_invitation_cannot_be_used(acme: Acme) -> None:
    revoked, expired = await _invite(acme, "a@acme.test"), await _invite(acme, "b@acme.test")
    assert (await acme.admin.delete(f"{acme.at}/invitations/{revoked['id']}")).status_code == 204
    assert (await acme.admin.delete(f"{acme.at}/invitations/{revoked['id']}")).status_code == 409
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    await connection.execute("UPDATE invitations SET expires_at = now() WHERE email = 'b@acme.test'")
    await connection.close()
    for invitation, reason in ((revoked, "revoked"), (expired, "expired")):
        answer = await _accept(acme.house.browser(), _token(invitation))
        assert _refused(answer) == reason
    listed = {row["email"]: row["status"] for row in (await acme.admin.get(f"{acme.at}/invitations")).json()["items"]}
    assert (listed["a@acme.test"], listed["b@acme.test"]) == ("revoked", "expired")


async def test_whoever_has_an_account_accepts_signed_in_with_the_invited_address(acme: Acme) -> None:
    other = await found_acme(acme.house, "Umbrella")
    token = _token(await _invite(acme, "viewer@umbrella.test"))
    assert (await _check(acme.house, token))["has_account"] is True
    refused = await _accept(acme.house.browser(), token)
    assert _refused(refused) == "has_account"
    body = {"token": token}
    wrong = await other.member.post("/api/v1/invitations/join", body)
    assert _refused(wrong) == "other_address"
    assert (await other.viewer.post("/api/v1/invitations/join", body)).json() == {
        "organisation_id": acme.organisation["id"]
    }
    assert (await other.viewer.get(acme.at)).status_code == 200


async def test_two_at_once_make_one_account(acme: Acme) -> None:
    token = _token(await _invite(acme))
    answers: list[httpx.Response] = []

    async def accept() -> None:
        answers.append(await _accept(acme.house.browser(), token))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(accept)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {_refused(answer) for answer in answers if answer.status_code == 409} <= {"accepted", "has_account"}


async def test_ids_in_an_invitation_belong_to_the_organisation(acme: Acme) -> None:
    other = await found_acme(acme.house, "Umbrella")
    base = {"email": GUEST, "role_id": str(ORGANISATION_MEMBER.id)}
    for more in (
        {"project_id": other.project["id"]},
        {"project_id": acme.project["id"], "project_role_id": str(ORGANISATION_MEMBER.id)},
        {"project_role_id": str(PROJECT_ADMIN.id)},
    ):
        assert (await acme.admin.post(f"{acme.at}/invitations", {**base, **more})).status_code == 404
    theirs = (await other.admin.post(f"{other.at}/invitations", base)).json()["id"]
    assert (await acme.admin.delete(f"{acme.at}/invitations/{theirs}")).status_code == 404


async def test_a_member_is_not_invited_again(acme: Acme) -> None:
    body = {"email": "VIEWER@acme.test", "role_id": str(ORGANISATION_MEMBER.id)}
    assert (await acme.admin.post(f"{acme.at}/invitations", body)).status_code == 409


async def test_only_a_hash_of_the_link_is_stored_and_it_is_never_listed(acme: Acme) -> None:
    token = _token(await _invite(acme))
    listed = await acme.admin.get(f"{acme.at}/invitations")
    assert token not in listed.text
    assert "token" not in listed.text
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    assert token.encode() not in (
        await connection.fetchval("SELECT token_hash FROM invitations WHERE email = $1", GUEST)
    )
    await connection.close()
