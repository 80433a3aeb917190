"""The suite and the answers on a ClickHouse that is not the engine in process, where one is named."""

from __future__ import annotations

import pytest

from tests.contract.test_clickhouse import TestTables as Tables
from tests.contract.test_clickhouse import TestTablesWithJson as TablesWithJson

pytestmark = pytest.mark.connected("clickhouse")


class TestTablesOnAServer(Tables):
    """`ARCANE_TEST_CLICKHOUSE_URL` names the server: every test that fills tables then asks that one."""


class TestTablesWithJsonOnAServer(TablesWithJson):
    """The same with JSON columns."""
