"""The installed plugin passes Arcane's suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from importlib.metadata import entry_points

import pytest
from pydantic import SecretStr
from shelf import shelf

from arcane.kit.egress import Egress
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi import Adapter, AdapterContext, Trace
from arcane.spi.testing import AdapterContract


class TestShelf(AdapterContract):
    @pytest.fixture
    async def adapter(self, traces: Sequence[Trace]) -> AsyncIterator[Adapter]:
        (point,) = entry_points(group="arcane.datasources", name="shelf")
        plugin = point.load()
        async with shelf(traces, key="open sesame") as url:
            settings = plugin.settings(url=url, key=SecretStr("open sesame"))
            egress = Egress(EgressSettings(allow_networks=["127.0.0.1/32"]), LimitSettings())
            http = egress.session(plugin.base_url(settings), plugin.headers(settings))
            yield plugin.connect(settings, AdapterContext(http, max_response_bytes=1024 * 1024))
            await http.aclose()
