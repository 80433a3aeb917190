"""The kind `otlp_file`."""

from __future__ import annotations

from importlib import import_module

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.otlp_file.settings import OtlpFileSettings

_ADAPTER = "datasources.otlp_file.adapter"
"""Imported when there are files to read: an instance holds the adapters of its own backends only."""


class OtlpFilePlugin(DatasourcePlugin[OtlpFileSettings]):
    """Makes adapters over OTLP JSON lines."""

    kind = "otlp_file"
    title = "OTLP files"
    summary = "OTLP JSON lines, as the OpenTelemetry collector's file exporter writes them."
    settings = OtlpFileSettings

    def base_url(self, settings: OtlpFileSettings) -> str | None:
        return None

    def headers(self, settings: OtlpFileSettings) -> dict[str, str]:
        return {}

    def connect(self, settings: OtlpFileSettings, context: AdapterContext) -> Adapter:
        adapter = import_module(_ADAPTER).OtlpFileAdapter
        made: Adapter = adapter(settings.path, context.file_roots, context.max_index_bytes)
        return made


PLUGIN = OtlpFilePlugin()
