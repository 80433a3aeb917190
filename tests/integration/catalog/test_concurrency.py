"""How many requests go out at once, from a server's own words to its sockets."""

from __future__ import annotations

import asyncio
import json

import anyio
import pytest

from arcane.catalog.health import HealthRecord
from arcane.catalog.pool import AdapterMaker
from arcane.kit.egress import Egress
from arcane.model.deadline import Deadline
from arcane.settings import EgressSettings, FileSettings, LimitSettings
from arcane.spi import AttributeQuery, TimeRange, parse_trace_id
from datasources.custom_api.plugin import PLUGIN
from datasources.custom_api.settings import CustomApiSettings
from tests.support.backends import Seen, backend, reply

pytestmark = pytest.mark.anyio

DECLARED = 12


async def test_a_server_that_says_how_much_it_can_do_at_once_gets_that_much_and_no_more() -> None:
    document = {"contract": 2, "order": "newest_first", "max_limit": 100, "concurrency": DECLARED}
    under_way, most, all_there = 0, 0, asyncio.Event()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        if not seen.target.startswith("/traces/"):
            is_search = seen.target.startswith("/search")
            writer.write(reply(json.dumps({"traces": [], "complete": True} if is_search else document).encode()))
            return
        under_way += 1
        most = max(most, under_way)
        if most >= DECLARED:
            all_there.set()
        async with asyncio.timeout(5):
            await all_there.wait()
        under_way -= 1
        writer.write(reply(b"{}", status="404 Not Found"))

    maker = AdapterMaker(Egress(EgressSettings(allow_networks=["127.0.0.0/8"]), LimitSettings()), FileSettings())
    async with backend(answer) as server:
        adapter = maker.make(PLUGIN, CustomApiSettings(url=server.url, contract="v2"), HealthRecord())
        await adapter.attribute_names(AttributeQuery(TimeRange(0, 1)), Deadline.after(5))
        async with anyio.create_task_group() as group:
            for number in range(DECLARED + 4):
                group.start_soon(adapter.get_trace, parse_trace_id(f"{number + 1:x}"), None, Deadline.after(5))
        await adapter.aclose()
    assert most == DECLARED
