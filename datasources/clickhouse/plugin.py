"""The kind `clickhouse`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.clickhouse.adapter import ClickHouseAdapter
from datasources.clickhouse.settings import ClickHouseSettings, headers_of


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
        return ClickHouseAdapter(context.http, settings)


PLUGIN = ClickHousePlugin()
