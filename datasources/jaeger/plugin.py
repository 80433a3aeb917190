"""The kind `jaeger`."""

from __future__ import annotations

from importlib import import_module

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.jaeger.settings import JaegerSettings, headers_of

_ADAPTER = "datasources.jaeger.adapter"
"""Imported when there is a Jaeger to ask: an instance holds the adapters of its own backends only."""


class JaegerPlugin(DatasourcePlugin[JaegerSettings]):
    """Makes adapters for Jaeger."""

    kind = "jaeger"
    title = "Jaeger"
    summary = "Jaeger 1 or 2 over the HTTP API of its query service."
    settings = JaegerSettings

    def base_url(self, settings: JaegerSettings) -> str | None:
        return settings.url

    def headers(self, settings: JaegerSettings) -> dict[str, str]:
        return headers_of(settings)

    def connect(self, settings: JaegerSettings, context: AdapterContext) -> Adapter:
        made: Adapter = import_module(_ADAPTER).JaegerAdapter.of(context.http, settings)
        return made


PLUGIN = JaegerPlugin()
