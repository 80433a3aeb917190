"""What is over is forgotten, and what just happened cannot be."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from arcane.access.permissions import ORGANISATION_MEMBER
from arcane.access.retention import Forgotten
from tests.integration.access.conftest import Acme

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def sql(acme: Acme, statement: str) -> list[Any]:
    connection = await asyncpg.connect(acme.house.stored.superuser_dsn)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def test_nothing_is_forgotten_before_its_time(acme: Acme) -> None:
    await acme.owner.post(f"{acme.at}/invitations", {"email": "x@y.test", "role_id": str(ORGANISATION_MEMBER.id)})
    assert await acme.house.parts.retention.sweep() == Forgotten()
    assert (await acme.owner.get("/api/v1/accounts/me")).status_code == 200


async def test_sessions_that_have_ended_are_gone(acme: Acme) -> None:
    await sql(acme, f"UPDATE sessions SET expires_at = now() - interval '1 s' WHERE user_id = '{acme.member.user_id}'")
    assert (await acme.house.parts.retention.sweep()).sessions == 1
    assert await sql(acme, f"SELECT 1 FROM sessions WHERE user_id = '{acme.member.user_id}'") == []
    assert (await acme.owner.get("/api/v1/accounts/me")).status_code == 200


async def test_settled_invitations_are_gone_after_their_days_and_open_ones_stay(acme: Acme) -> None:
    await acme.owner.post(f"{acme.at}/invitations", {"email": "x@y.test", "role_id": str(ORGANISATION_MEMBER.id)})
    settled = len(await sql(acme, "SELECT 1 FROM invitations WHERE status <> 'pending'"))
    await sql(acme, "UPDATE invitations SET created_at = now() - interval '91 days'")
    assert (await acme.house.parts.retention.sweep()).invitations == settled > 0
    assert [row["email"] for row in await sql(acme, "SELECT email FROM invitations")] == ["x@y.test"]


async def test_old_audit_entries_are_gone_and_others_stay(acme: Acme) -> None:
    await sql(
        acme,
        "UPDATE audit_entries SET created_at = now() - interval '731 days' "
        "WHERE id IN (SELECT id FROM audit_entries ORDER BY id LIMIT 3)",
    )
    before = len(await sql(acme, "SELECT 1 FROM audit_entries"))
    assert (await acme.house.parts.retention.sweep()).audit_entries == 3
    assert len(await sql(acme, "SELECT 1 FROM audit_entries")) == before - 3


async def test_the_application_cannot_wipe_out_what_just_happened(acme: Acme) -> None:
    connection = await asyncpg.connect(acme.house.stored.app_dsn)
    row = await connection.fetchrow("SELECT * FROM access_forget(now(), now() + interval '1 day', 1000)")
    await connection.close()
    assert row is not None
    assert row["audited"] == 0
