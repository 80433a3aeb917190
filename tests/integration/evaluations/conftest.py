"""A project to work in, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.evaluating import Desk, desk_on
from tests.support.postgres import MigratedDatabase


@pytest.fixture
async def desk(migrated_database: MigratedDatabase) -> AsyncIterator[Desk]:
    async with desk_on(migrated_database) as made:
        yield made
