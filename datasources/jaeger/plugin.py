"""The kind `jaeger`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.jaeger.adapter import JaegerAdapter
from datasources.jaeger.search import Bounds
from datasources.jaeger.settings import JaegerSettings, headers_of
from datasources.jaeger.stores import STORES


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
        bounds = Bounds(settings.max_traces, settings.max_services, settings.longest_trace_minutes)
        return JaegerAdapter(context.http, STORES[settings.storage], bounds)


PLUGIN = JaegerPlugin()
