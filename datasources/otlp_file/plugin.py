"""The kind `otlp_file`."""

from __future__ import annotations

from arcane.spi import Adapter, AdapterContext, DatasourcePlugin
from datasources.otlp_file.adapter import OtlpFileAdapter
from datasources.otlp_file.settings import OtlpFileSettings


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
        return OtlpFileAdapter(settings.path, context.file_roots, context.max_index_bytes)


PLUGIN = OtlpFilePlugin()
