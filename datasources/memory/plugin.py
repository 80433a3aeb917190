"""The kind `memory`: for development."""

from __future__ import annotations

from arcane.spi import (
    COMPARISONS,
    Adapter,
    AdapterContext,
    BadResponse,
    Capabilities,
    DatasourcePlugin,
    Fields,
    LiteralType,
    Measure,
    MetricsRule,
    Misconfigured,
    Notice,
    Order,
    PushRule,
    Scope,
    Span,
    decode_json,
    traces_of,
)
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.settings import MemorySettings

EVERYTHING = Capabilities(
    push=(PushRule(frozenset(Scope), COMPARISONS, frozenset(LiteralType)),),
    push_or=True,
    push_not=True,
    order=Order.NEWEST_FIRST,
    whole_traces=True,
    metrics=(MetricsRule(frozenset(Measure), (Fields(frozenset(Scope)),), (Fields(frozenset(Scope)),)),),
    native_attributes=True,
)
"""All that the reference adapter can do."""


class MemoryPlugin(DatasourcePlugin[MemorySettings]):
    """Makes adapters over pasted traces."""

    kind = "memory"
    title = "In memory"
    summary = "Traces pasted as OTLP JSON, for development."
    settings = MemorySettings

    def base_url(self, settings: MemorySettings) -> str | None:
        return None

    def headers(self, settings: MemorySettings) -> dict[str, str]:
        return {}

    def connect(self, settings: MemorySettings, context: AdapterContext) -> Adapter:
        spans: list[Span] = []
        for number, line in enumerate(settings.document.splitlines(), start=1):
            try:
                spans.extend(decode_json(line.encode()) if line.strip() else ())
            except BadResponse as exc:
                raise Misconfigured(Notice("Line %(number)d is not OTLP JSON.", number=number)) from exc
        return MemoryAdapter(traces_of(spans), EVERYTHING)


PLUGIN = MemoryPlugin()
