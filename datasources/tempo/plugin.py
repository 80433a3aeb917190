"""The kind `tempo`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.tempo.adapter import TempoAdapter
from datasources.tempo.settings import TempoSettings, headers_of


class TempoPlugin(DatasourcePlugin[TempoSettings]):
    """Makes adapters for Grafana Tempo."""

    kind = "tempo"
    title = "Grafana Tempo"
    summary = "Tempo 2 or 3 over its HTTP API, Grafana Cloud Traces included."
    settings = TempoSettings

    def base_url(self, settings: TempoSettings) -> str | None:
        return settings.url

    def headers(self, settings: TempoSettings) -> dict[str, str]:
        return headers_of(settings)

    def connect(self, settings: TempoSettings, context: AdapterContext) -> Adapter:
        return TempoAdapter(context.http, settings.max_range_hours, settings.metrics_range_hours)


PLUGIN = TempoPlugin()
