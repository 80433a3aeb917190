"""The published client against a served backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from arcane_sdk import ArcaneClient

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor


@pytest.fixture
def place(served: Served, owner: Visitor) -> Premises:
    """An organisation over the corpus, with an API key that reads and writes."""
    return premises(served, owner, "Published")


@pytest.fixture
def sdk(served: Served, place: Premises) -> Iterator[ArcaneClient]:
    """The client that people have installed, as they make it."""
    with ArcaneClient(base_url=served.address, api_key=place.key, max_retries=0) as client:
        yield client
