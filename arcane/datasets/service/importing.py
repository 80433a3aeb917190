"""Imports: a file is received whole, looked at, and then becomes one version of a dataset, or nothing of it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TextIO
from uuid import UUID

import anyio.to_thread
import msgspec

from arcane.datasets.columns import Column, ColumnType
from arcane.datasets.files.processes import FileProcesses
from arcane.datasets.files.request import Format, ReadAnswer, ReadRequest, UnreadableFile
from arcane.datasets.problems import BadFile, DatasetChanged
from arcane.datasets.service.datasets import DatasetService
from arcane.datasets.service.making import Draft, VersionMaker
from arcane.datasets.views import Change, DatasetView, NewColumn
from arcane.kit.actor import Actor
from arcane.kit.ids import new_id

_BATCH_ROWS = 1_000
_BATCH_CHARACTERS = 4 * 1024 * 1024


class Mode(StrEnum):
    """What becomes of the rows that are there."""

    APPEND = "append"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file that was received, and what is said about it. Types are by column name; the others are found out."""

    path: Path
    format: Format
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class ImportService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    maker: VersionMaker
    datasets: DatasetService
    processes: FileProcesses

    async def preview(
        self, actor: Actor, file: GivenFile, *, into: UUID | None = None, mode: Mode = Mode.APPEND, rows: int = 20
    ) -> ReadAnswer:
        """Returns what an import would make of the file: columns, first rows, bad rows. Raises BadFile."""
        known = await self.datasets.get(actor, into) if into is not None else None
        answer = await self._read(self._request(file, known, mode, sample=rows))
        if known is not None and mode is Mode.APPEND:
            _check_known(answer, known)
        return answer

    async def create(self, actor: Actor, file: GivenFile, name: str, description: str = "") -> DatasetView:
        """Returns the new dataset with the file's rows; raises BadFile with every bad row counted, and what
        creating a dataset does. Then nothing is there."""
        with self.processes.folder() as folder:
            out = folder / "rows"
            answer = await self._clean(self._request(file, None, Mode.APPEND, out=str(out)))
            columns = [NewColumn(column.name, ColumnType(column.type)) for column in answer.columns]
            async with self.maker.database.transaction(actor.tenant) as session:
                dataset = await self.datasets.created(session, actor, name, description, columns)
                draft = self.maker.draft(session, dataset, Change.IMPORTED, file.format.value)
                await self._fill(draft, out, answer.rows)
                if not draft.changes_nothing:
                    await self.maker.finish(actor, draft)
            return DatasetView.of(dataset)

    async def into(self, actor: Actor, dataset_id: UUID, file: GivenFile, mode: Mode) -> DatasetView:
        """Returns the dataset with the file's rows after its own, or instead of them; raises what `create` does."""
        known = await self.datasets.get(actor, dataset_id)
        change = Change.IMPORTED if mode is Mode.APPEND else Change.REPLACED
        with self.processes.folder() as folder:
            out = folder / "rows"
            answer = await self._clean(self._request(file, known, mode, out=str(out)))
            if mode is Mode.APPEND:
                _check_known(answer, known)
            async with self.maker.making(actor, dataset_id, change, file.format.value) as draft:
                if (draft.columns, draft.dataset.columns_made) != (known.columns, known.columns_made):
                    raise DatasetChanged("somebody else changed the columns meanwhile; look at them again")
                if mode is Mode.REPLACE:
                    draft.removed = await draft.rows.close_all()
                    draft.columns = tuple(Column(one.id, one.name, ColumnType(one.type)) for one in answer.columns)
                    fresh = {column.id for column in draft.columns} - {column.id for column in known.columns}
                    draft.dataset.columns_made += len(fresh)
                await self._fill(draft, out, answer.rows)
            return DatasetView.of(draft.dataset)

    def _request(
        self, file: GivenFile, known: DatasetView | None, mode: Mode, *, out: str = "", sample: int = 0
    ) -> ReadRequest:
        """Columns that are there keep their ids; those that rows are added to keep their types as well."""
        columns = known.columns if known is not None else ()
        kept = {column.name: column.type.value for column in columns} if mode is Mode.APPEND else {}
        limits = self.maker.limits
        return ReadRequest(
            path=str(file.path),
            format=file.format,
            out=out,
            delimiter=file.delimiter,
            types={**{name: kind.value for name, kind in file.types.items()}, **kept},
            ids={column.name: column.id for column in columns},
            ids_made=known.columns_made if known is not None else 0,
            rows_max=limits.rows_max,
            columns_max=limits.columns_max,
            cell_bytes_max=limits.cell_bytes_max,
            problems_max=limits.file_problems_max,
            sample=sample,
        )

    async def _read(self, request: ReadRequest) -> ReadAnswer:
        try:
            return await self.processes.read(request)
        except UnreadableFile as exc:
            raise BadFile(str(exc)) from None

    async def _clean(self, request: ReadRequest) -> ReadAnswer:
        answer = await self._read(request)
        if answer.bad:
            raise bad_rows(answer)
        return answer

    async def _fill(self, draft: Draft, rows: Path, count: int) -> None:
        """The rows of the file are part of the version; a batch of them is in memory at a time."""
        ordinals = draft.ordinals(count)
        first = ordinals.start
        file = await anyio.to_thread.run_sync(lambda: rows.open(encoding="utf-8", newline="\n"))
        try:
            while batch := await anyio.to_thread.run_sync(_batch, file):
                await draft.rows.add_lines([new_id() for _ in batch], first, batch)
                first += len(batch)
        finally:
            file.close()
        draft.added += first - ordinals.start


def bad_rows(answer: ReadAnswer) -> BadFile:
    """Returns the problem of a file with bad rows."""
    errors = [msgspec.to_builtins(one) for one in answer.problems]
    first = answer.problems[0]
    where = f"line {first.line}" + (f", {first.column}" if first.column else "")
    return BadFile(
        f"{answer.bad} of {answer.rows} rows cannot be imported, so none was; the first is {where}: {first.message}",
        bad=answer.bad,
        rows=answer.rows,
        errors=errors,
    )


def _check_known(answer: ReadAnswer, known: DatasetView) -> None:
    names = {column.name for column in known.columns}
    strange = [column.name for column in answer.columns if column.name not in names]
    if strange:
        raise BadFile(f"the dataset has no column {strange[0]}", columns=strange)


def _batch(file: TextIO) -> list[tuple[str, str]]:
    """The next rows: so many, or so much text."""
    return list(islice(_lines(file), _BATCH_ROWS))


def _lines(file: TextIO) -> Iterator[tuple[str, str]]:
    size = 0
    while size < _BATCH_CHARACTERS and (line := file.readline()):
        size += len(line)
        split, _, values = line.rstrip("\n").partition("\t")
        yield msgspec.json.decode(split), values
