"""The kind `shelf`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from arcane_shelf.adapter import ShelfAdapter
from arcane_shelf.settings import ShelfSettings


class ShelfPlugin(DatasourcePlugin[ShelfSettings]):
    """Makes adapters for Shelf."""

    kind = "shelf"
    title = "Shelf"
    summary = "Traces on a Shelf."
    settings = ShelfSettings

    def base_url(self, settings: ShelfSettings) -> str | None:
        return settings.url

    def headers(self, settings: ShelfSettings) -> dict[str, str]:
        key = settings.key.get_secret_value()
        return {"X-Shelf-Key": key} if key else {}

    def connect(self, settings: ShelfSettings, context: AdapterContext) -> Adapter:
        return ShelfAdapter(context.http)


PLUGIN = ShelfPlugin()
