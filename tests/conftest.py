"""Fixtures every tier shares. Servers are started once a run and shared by all xdist workers."""

import gc

import pytest
import structlog
from hypothesis import settings

pytest.register_assert_rewrite("tests.support.not_run")  # before it is imported here

from tests.support.not_run import told  # noqa: E402

pytest_plugins = [
    "tests.support.clickhouse",
    "tests.support.model_stub",
    "tests.support.not_run",
    "tests.support.postgres",
]

for name, examples in {"dev": 50, "ci": 100, "nightly": 20_000}.items():
    # CI asks the same questions every time, so that a change is judged by itself; nightly looks for new ones.
    settings.register_profile(name, max_examples=examples, deadline=None, print_blob=True, derandomize=name == "ci")
settings.load_profile(told("HYPOTHESIS_PROFILE") or "dev")

# What logs in the tests' own process: drawing an exception with every value in its frames takes seconds.
plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At night a law takes as long as its examples do: what ends a test that hangs by day would end it."""
    if told("HYPOTHESIS_PROFILE") == "nightly":
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays to the end of the run: the garbage collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"
