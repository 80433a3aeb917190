"""Looks at what the tables are: their columns, whether times of traces are kept, whether shards are behind them."""

from __future__ import annotations

from dataclasses import replace

from arcane.spi import DatasourceError, Deadline, Misconfigured, Unauthorized
from datasources.clickhouse import langfuse
from datasources.clickhouse.columns import EXPORTED, EXPORTER, ColumnMap, quoted_table
from datasources.clickhouse.layout import Layout, layout_of
from datasources.clickhouse.settings import ClickHouseSettings, column_map
from datasources.clickhouse.statements import Statement
from datasources.clickhouse.wire import Wire

_MOST_COLUMNS = 10_000


class Probe:
    """Finds the layout that the settings mean."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self._settings = settings

    def assumed(self) -> Layout | None:
        """Returns what an exporter of today would have made, before anything was looked at; None for other tables."""
        settings = self._settings
        if settings.layout != "opentelemetry":
            return None
        return layout_of(quoted_table(settings.database, settings.table), EXPORTER, EXPORTED)

    async def layout(self, wire: Wire, deadline: Deadline) -> Layout:
        """Returns the layout of the tables as they are now; raises NotUnderstood or DatasourceError."""
        settings = self._settings
        if settings.layout == "langfuse":
            observations = await self._types(wire, "observations", deadline)
            traces = await self._types(wire, "traces", deadline)
            found = langfuse.layout(settings, observations, traces)
            return await self._clustered(wire, found, "observations", deadline)
        columns: ColumnMap = column_map(settings) if settings.layout == "columns" else EXPORTER
        types = await self._types(wire, settings.table, deadline)
        found = layout_of(quoted_table(settings.database, settings.table), columns, types)
        if settings.layout == "opentelemetry":
            found = await self._with_times(wire, found, deadline)
        else:
            found = replace(found, loose_ids=True)
        return await self._clustered(wire, found, settings.table, deadline)

    async def _types(self, wire: Wire, table: str, deadline: Deadline) -> dict[str, str]:
        statement = Statement(f"DESCRIBE TABLE {quoted_table(self._settings.database, table)}", {}, _MOST_COLUMNS)
        columns = await wire.select(statement, deadline)
        return dict(zip(columns[0], columns[1], strict=True)) if columns else {}

    async def _with_times(self, wire: Wire, layout: Layout, deadline: Deadline) -> Layout:
        """Returns the layout with the table of trace times that the exporter makes, where the user may read it."""
        table = f"{self._settings.table}_trace_id_ts"
        try:
            types = await self._types(wire, table, deadline)
        except (Misconfigured, Unauthorized):
            return layout
        if not {"TraceId", "Start", "End"} <= types.keys():
            return layout
        return replace(layout, trace_times=quoted_table(self._settings.database, table))

    async def _clustered(self, wire: Wire, layout: Layout, table: str, deadline: Deadline) -> Layout:
        """Returns the layout with subqueries that are sent to all shards, where there may be shards."""
        own, dot, rest = table.partition(".")
        database, name = (own, rest) if dot else (self._settings.database, table)
        statement = Statement(
            "SELECT engine FROM system.tables WHERE database = {database:String} AND name = {name:String}",
            {"database": database, "name": name},
            1,
        )
        try:
            columns = await wire.select(statement, deadline)
        except DatasourceError:  # not every user may look
            columns = ()
        engine = columns[0][0] if columns and columns[0] else "Distributed"
        return replace(layout, member="GLOBAL IN") if engine == "Distributed" else layout
