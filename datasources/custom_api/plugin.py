"""The kind `custom_api`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin, connection_headers
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2.adapter import SecondContract


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
        match settings.contract:
            case "v1":
                return FirstContract(context.http, settings)
            case "v2":
                return SecondContract(context.http)
        return ProbingAdapter(context.http, settings)


PLUGIN = CustomApiPlugin()
