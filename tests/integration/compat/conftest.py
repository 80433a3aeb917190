"""The published client against a served backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Premises:
    """An organisation over the corpus, with an API key that reads and writes."""
    return premises(served, owner, "Published")


@pytest.fixture(scope="module")
def sdk(served: Served, place: Premises) -> Iterator[ArcaneClient]:
    """The client that people have installed, as they make it."""
    with ArcaneClient(base_url=served.address, api_key=place.key, max_retries=0) as client:
        yield client


@pytest.fixture
async def asking(served: Served, place: Premises) -> AsyncIterator[ArcaneClientAsync]:
    """The async one."""
    client = ArcaneClientAsync(base_url=served.address, api_key=place.key, max_retries=0)
    yield client
    await client.close()


@pytest.fixture(scope="module")
def reader(served: Served, owner: Visitor, place: Premises) -> Iterator[ArcaneClient]:
    """A client with a key that reads."""
    key = owner.made(f"{place.in_project}/api-keys", {"name": "reads", "scope": "read"})["key"]
    with ArcaneClient(base_url=served.address, api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def nobody(served: Served) -> Iterator[ArcaneClient]:
    """A client with a key that there is not."""
    with ArcaneClient(base_url=served.address, api_key="sk-arcane-nobody", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def strangers(served: Served, owner: Visitor) -> Premises:
    """Another organisation, with one of everything."""
    return premises(served, owner, "Umbrella")
