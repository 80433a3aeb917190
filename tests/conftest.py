"""Fixtures every tier shares. Servers are started once a run and shared by all xdist workers."""

import pytest

pytest_plugins = ["tests.support.not_run", "tests.support.postgres"]


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"
