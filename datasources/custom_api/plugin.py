"""The kind `custom_api`."""

from __future__ import annotations

from importlib import import_module

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin, connection_headers
from datasources.custom_api.settings import CustomApiSettings

_ADAPTER = "datasources.custom_api.adapter"
"""Imported when there is such a server to ask: an instance holds the adapters of its own backends only."""


class CustomApiPlugin(DatasourcePlugin[CustomApiSettings]):
    """Makes adapters for servers that keep one of Arcane's two contracts."""

    kind = "custom_api"
    title = "Custom API"
    summary = "Your own HTTP API over your own store, by a small contract."
    settings = CustomApiSettings

    def base_url(self, settings: CustomApiSettings) -> str | None:
        return settings.url

    def headers(self, settings: CustomApiSettings) -> dict[str, str]:
        return connection_headers(settings)

    def connect(self, settings: CustomApiSettings, context: AdapterContext) -> Adapter:
        made: Adapter = import_module(_ADAPTER).adapter_of(context.http, settings)
        return made


PLUGIN = CustomApiPlugin()
