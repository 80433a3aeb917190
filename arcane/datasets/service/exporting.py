"""Exports of a version, or of one split of it: streamed, a batch of rows in memory at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from arcane.datasets.columns import SPLIT, ColumnType, written
from arcane.datasets.files.guarded import guarded
from arcane.datasets.files.processes import FileProcesses, chunks_of
from arcane.datasets.files.records import as_line
from arcane.datasets.files.request import Format
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.repository.reading import RowReader
from arcane.datasets.service.datasets import DatasetService
from arcane.datasets.views import DatasetRowView
from arcane.kit.actor import Actor

MEDIA_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class Export:
    """A file about to be made."""

    dataset: PinnedDataset
    format: Format
    has_splits: bool
    chunks: AsyncGenerator[bytes, None]

    @property
    def file_name(self) -> str:
        """A name to keep it under."""
        return f"{self.dataset.name} v{self.dataset.version}.{self.format.value}"


@dataclass(frozen=True, slots=True)
class ExportService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    datasets: DatasetService
    processes: FileProcesses

    async def export(
        self, actor: Actor, dataset_id: UUID, format_: Format, version: int | None = None, split: str | None = None
    ) -> Export:
        """Returns the export, recorded and ready to be streamed; raises UnknownDataset."""
        maker = self.datasets.maker
        async with maker.database.transaction(actor.tenant) as session:
            pinned = await self.datasets.pin(session, actor, dataset_id, version)
            has_splits = any(name for name, _ in await RowReader(session).splits(pinned))
            told = {"name": pinned.name, "version": pinned.version, "format": format_.value, "split": split}
            await maker.audit.record(session, actor, "dataset.exported", ("dataset", pinned.id), after=told)
        batches = self.datasets.batches(actor, pinned, split)
        made = {Format.CSV: csv_chunks, Format.JSONL: jsonl_chunks, Format.PARQUET: self._parquet}[format_]
        return Export(pinned, format_, has_splits, made(pinned, batches, has_splits=has_splits))

    async def _parquet(
        self, pinned: PinnedDataset, batches: AsyncIterator[Sequence[DatasetRowView]], *, has_splits: bool
    ) -> AsyncGenerator[bytes, None]:
        """A Parquet file has its index at the end: it is made as a whole, in a process of its own, and then sent."""
        columns = [{"name": column.name, "type": column.type.value} for column in pinned.columns]
        with self.processes.folder() as folder:
            path = folder / "rows.parquet"
            async with self.processes.parquet(path) as lines:
                await lines.send(f"{as_line({'columns': columns, 'has_splits': has_splits})}\n".encode())
                async for chunk in jsonl_chunks(pinned, batches, has_splits=has_splits):
                    await lines.send(chunk)
            async for chunk in chunks_of(path):
                yield chunk


async def csv_chunks(
    pinned: PinnedDataset, batches: AsyncIterator[Sequence[DatasetRowView]], *, has_splits: bool
) -> AsyncGenerator[bytes, None]:
    """Every cell is quoted; a byte order mark tells spreadsheets that it is UTF-8."""
    names = [guarded(column.name) for column in pinned.columns]
    yield b"\xef\xbb\xbf" + _quoted([[*names, *([SPLIT] if has_splits else [])]])
    async for rows in batches:
        yield _quoted([_cells(pinned, row, has_splits=has_splits) for row in rows])


def _cells(pinned: PinnedDataset, row: DatasetRowView, *, has_splits: bool) -> list[str]:
    cells = [
        guarded(text) if column.type is ColumnType.TEXT else text
        for column in pinned.columns
        for text in (written(column.type, row.values.get(column.id)),)
    ]
    return [*cells, guarded(row.split)] if has_splits else cells


def _quoted(lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(lines)
    return out.getvalue().encode()


async def jsonl_chunks(
    pinned: PinnedDataset, batches: AsyncIterator[Sequence[DatasetRowView]], *, has_splits: bool
) -> AsyncGenerator[bytes, None]:
    """One JSON object a row; a cell without a value is null."""
    async for rows in batches:
        yield "".join(f"{as_line(_named(pinned, row, has_splits=has_splits))}\n" for row in rows).encode()


def _named(pinned: PinnedDataset, row: DatasetRowView, *, has_splits: bool) -> dict[str, Any]:
    found = pinned.named(row.values)
    return {**found, SPLIT: row.split} if has_splits else found
