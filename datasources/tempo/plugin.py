"""The kind `tempo`."""

from __future__ import annotations

from importlib import import_module

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.tempo.settings import TempoSettings, headers_of

_ADAPTER = "datasources.tempo.adapter"
"""Imported when there is a Tempo to ask: an instance holds the adapters of its own backends only."""


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
        hours = (settings.max_range_hours, settings.metrics_range_hours)
        made: Adapter = import_module(_ADAPTER).TempoAdapter(context.http, *hours)
        return made


PLUGIN = TempoPlugin()
