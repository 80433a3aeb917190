"""A headless start takes the owner from the settings instead of a link."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from arcane.main import create_app
from tests.integration.access.house import PASSWORD, house_settings
from tests.support.postgres import MigratedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


async def test_serving_creates_the_owner_that_the_settings_name_once(migrated_database: MigratedDatabase) -> None:
    settings = house_settings(migrated_database, owner_email="Root@Arcane.Test", owner_password=SecretStr(PASSWORD))
    for _ in range(2):
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            assert await app.state.accounts.issue_setup_link() is None
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://arcane.test") as client:  # noqa: TID251
                body = {"email": "root@arcane.test", "password": PASSWORD}
                answer = await client.post("/api/v1/sessions", json=body)
                assert answer.status_code == 201, answer.text
                assert answer.json()["is_owner"] is True
