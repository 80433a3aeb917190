"""What is described of a Jaeger is what it is sent, also while it is found out what it can do."""

from __future__ import annotations

import pytest

from arcane.spi import Deadline, ScanRequest, SentRequest
from arcane.spi.testing import scan_all
from tests.support.jaeger_standin import Jaeger
from tests.support.jaeger_storages import Cassandra, Elasticsearch, Memory, Storage
from tests.unit.datasources.test_jaeger_adapter import TRACES, WHOLE, connected, filter_of

pytestmark = pytest.mark.anyio

TEXT = '{ resource.service.name = "shop" && name = "checkout" || resource.service.name = "db" }'
ASKED = ScanRequest(WHOLE, 100, filter_of(TEXT))
Heard = list[tuple[str, dict[str, str]]]


def described(requests: tuple[SentRequest, ...]) -> Heard:
    return [(one.target, dict(one.parameters)) for one in requests]


def heard(jaeger: Jaeger) -> Heard:
    return [(one.path, dict(one.query)) for one in jaeger.requests]


def in_any_order(found: Heard) -> list[tuple[str, list[tuple[str, str]]]]:
    return sorted((path, sorted(values.items())) for path, values in found)


@pytest.mark.parametrize(
    ("storage", "told"),
    [(Memory(TRACES), "memory"), (Cassandra(TRACES), "cassandra"), (Elasticsearch(TRACES), "elasticsearch")],
    ids=lambda one: one if isinstance(one, str) else "of",
)
async def test_what_would_be_sent_is_what_is_sent(storage: Storage, told: str) -> None:
    async with connected(storage, told) as (adapter, jaeger):
        for _ in range(2):
            jaeger.requests.clear()
            before = described(adapter.describe(ASKED, whole=False))
            await scan_all(adapter, ASKED, Deadline.after(30))
            assert in_any_order(before) == in_any_order(heard(jaeger))


async def test_of_a_storage_that_nobody_named_what_is_sent_first_is_described_and_then_the_rest() -> None:
    async with connected(Memory(TRACES)) as (adapter, jaeger):
        before = described(adapter.describe(ASKED, whole=False))
        await scan_all(adapter, ASKED, Deadline.after(30))
        assert before[:2] == heard(jaeger)[:2]
        jaeger.requests.clear()
        known = described(adapter.describe(ASKED, whole=False))
        await scan_all(adapter, ASKED, Deadline.after(30))
        assert in_any_order(known) == in_any_order(heard(jaeger))


async def test_what_is_sent_once_a_service_is_said_so() -> None:
    async with connected(Cassandra(TRACES), "cassandra") as (adapter, _):
        once, listing, search = adapter.describe(ScanRequest(WHOLE, 100), whole=False)
        assert once.target == listing.target == "/api/v3/services"
        assert search.note == "for each service"
