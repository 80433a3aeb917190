"""What the tests of the whole application share: one served backend for each xdist worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import Server
from tests.support.premises import served_over_corpus
from tests.support.served import Served, Visitor


@pytest.fixture(scope="session")
def served(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A backend as in production, over the corpus. Tests share it: each makes its own organisation."""
    with served_over_corpus(postgres_server, template_database, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def owner(served: Served) -> Visitor:
    """The instance's owner, signed in."""
    return served.owner()
