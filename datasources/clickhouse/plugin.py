"""The kind `clickhouse`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.clickhouse.settings import ClickHouseSettings, headers_of

_ADAPTER = "datasources.clickhouse.adapter"
"""Imported when there is a ClickHouse to ask: its client costs 6 MB, which most instances need not pay."""

if find_spec("clickhouse_connect") is None:
    raise ImportError("clickhouse-connect is not installed: install arcane[clickhouse]")


class ClickHousePlugin(DatasourcePlugin[ClickHouseSettings]):
    """Makes adapters for tables of spans in ClickHouse."""

    kind = "clickhouse"
    title = "ClickHouse"
    summary = "Spans in ClickHouse: the OpenTelemetry exporter's tables, Langfuse's, or your own."
    settings = ClickHouseSettings

    def base_url(self, settings: ClickHouseSettings) -> str | None:
        return settings.url

    def headers(self, settings: ClickHouseSettings) -> dict[str, str]:
        return headers_of(settings)

    def connect(self, settings: ClickHouseSettings, context: AdapterContext) -> Adapter:
        made: Adapter = import_module(_ADAPTER).ClickHouseAdapter(context.http, settings)
        return made


PLUGIN = ClickHousePlugin()
