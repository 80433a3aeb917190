"""The clickhouse adapter passes the suite over a real engine, in every shape that the exporter has written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from arcane.model.trace import Trace
from arcane.spi import Adapter
from arcane.spi.testing import AdapterContract, corpus
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of, text_names
from datasources.clickhouse.spelling import Names
from tests.support.clickhouse import ClickHouse, Databases, Exporter, read_back
from tests.support.egress import session


class TestTables(AdapterContract):
    exporter: ClassVar[Exporter] = Exporter()

    @pytest.fixture
    def traces(self) -> list[Trace]:
        names = Names(text_names(ClickHouseSettings(url="http://h")))
        return read_back(corpus(self.base), self.exporter, names)

    @pytest.fixture
    def table(self, clickhouse: ClickHouse, databases: Databases) -> ClickHouseSettings:
        def fill(database: str) -> None:
            self.exporter.create(clickhouse, database)
            self.exporter.fill(clickhouse, database, corpus(self.base))

        database = databases(repr(self.exporter), fill)
        return ClickHouseSettings(url=clickhouse.url, database=database, **clickhouse.credentials)

    @pytest.fixture
    async def adapter(self, table: ClickHouseSettings) -> AsyncIterator[Adapter]:
        async with session(table.url, headers=headers_of(table)) as http:
            yield ClickHouseAdapter(http, table)


class TestTablesOfOldExporters(TestTables):
    exporter = Exporter(old_words=True, zero_parents=True, signed_duration=True, with_times=False)


class TestTablesWithJson(TestTables):
    exporter = Exporter(attributes="JSON")
