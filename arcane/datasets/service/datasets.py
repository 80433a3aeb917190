"""Datasets of a project: what there is, its versions, and reading the rows of any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.checking import checked_columns, checked_name, checked_split
from arcane.datasets.columns import columns_of
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.problems import DatasetLimit, DatasetNameTaken, InvalidDataset, UnknownDataset, UnknownRow
from arcane.datasets.repository.datasets import DatasetRepository
from arcane.datasets.repository.reading import RowReader
from arcane.datasets.service.making import UNKNOWN, VersionMaker, pinned_of, problems_of_waiting, version_of
from arcane.datasets.tables import Dataset
from arcane.datasets.views import (
    Change,
    DatasetRowView,
    DatasetView,
    DifferencesPage,
    NewColumn,
    NumberedPage,
    RowsPage,
    RowsRequest,
    VersionView,
)
from arcane.kit.actor import Actor
from arcane.kit.ids import new_id
from arcane.kit.pagination import BadCursor, Cursors, Page, PageRequest
from arcane.kit.problems import NotFound

_BATCH = 500
_ROWS = "dataset_rows"
_DIFFERENCES = "dataset_differences"


@dataclass(frozen=True, slots=True)
class DatasetService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    maker: VersionMaker
    cursors: Cursors

    async def page(self, actor: Actor, request: PageRequest) -> Page[DatasetView]:
        """Returns a page of the project's datasets, by name."""
        async with self.maker.database.transaction(actor.tenant) as session:
            page = await DatasetRepository(session).page(actor, request, self.cursors)
        return Page(tuple(DatasetView.of(row) for row in page.items), page.next)

    async def get(self, actor: Actor, dataset_id: UUID) -> DatasetView:
        """Returns one dataset; raises UnknownDataset."""
        async with self.maker.database.transaction(actor.tenant) as session:
            return DatasetView.of(await self._found(session, actor, dataset_id))

    async def named(self, actor: Actor, name: str) -> DatasetView | None:
        """Returns the dataset of that name, in whatever case."""
        async with self.maker.database.transaction(actor.tenant) as session:
            row = await DatasetRepository(session).named(actor, name)
        return None if row is None else DatasetView.of(row)

    async def create(self, actor: Actor, name: str, description: str, columns: Sequence[NewColumn]) -> DatasetView:
        """Returns the new dataset, empty at version 1; raises InvalidDataset, DatasetNameTaken or DatasetLimit."""
        async with self.maker.database.transaction(actor.tenant) as session:
            return DatasetView.of(await self.created(session, actor, name, description, columns))

    async def created(
        self, session: AsyncSession, actor: Actor, name: str, description: str, columns: Sequence[NewColumn]
    ) -> Dataset:
        """Returns the new dataset as part of `session`'s transaction, where nobody else sees it yet."""
        limits = self.maker.limits
        organisation_id, project_id = _place(actor)
        made, count = checked_columns(columns, (), 0, limits)
        dataset = Dataset(
            id=new_id(),
            organisation_id=organisation_id,
            project_id=project_id,
            name=checked_name(name),
            description=_description(description),
            columns=[column.stored() for column in made],
            columns_made=count,
            created_by=actor.name,
        )
        if await DatasetRepository(session).count(actor) >= limits.per_project:
            raise DatasetLimit(f"a project has at most {limits.per_project} datasets on this instance")
        await self._store(session, actor, dataset)
        session.add(version_of(dataset, actor, Change.CREATED, ""))
        await self.maker.audit.record(
            session, actor, "dataset.created", ("dataset", dataset.id), after=_audited(dataset)
        )
        return dataset

    async def update(
        self, actor: Actor, dataset_id: UUID, name: str | None = None, description: str | None = None
    ) -> DatasetView:
        """Returns the dataset under its new name; what is None stays. Raises UnknownDataset, DatasetNameTaken."""
        with problems_of_waiting():
            async with self.maker.database.transaction(actor.tenant) as session:
                dataset = await DatasetRepository(session).locked(actor, dataset_id, self.maker.limits.patience_s)
                if dataset is None:
                    raise UnknownDataset(UNKNOWN)
                before = _audited(dataset)
                dataset.name = dataset.name if name is None else checked_name(name)
                dataset.description = dataset.description if description is None else _description(description)
                await self._store(session, actor, dataset)
                await self.maker.audit.record(
                    session, actor, "dataset.updated", ("dataset", dataset.id), before=before, after=_audited(dataset)
                )
        return DatasetView.of(dataset)

    async def delete(self, actor: Actor, dataset_id: UUID) -> None:
        """The dataset and all its versions are gone; raises UnknownDataset, DatasetBusy."""
        with problems_of_waiting():
            async with self.maker.database.transaction(actor.tenant) as session:
                dataset = await DatasetRepository(session).locked(actor, dataset_id, self.maker.limits.patience_s)
                if dataset is None:
                    raise UnknownDataset(UNKNOWN)
                await session.delete(dataset)
                await self.maker.audit.record(
                    session, actor, "dataset.deleted", ("dataset", dataset.id), before=_audited(dataset)
                )

    async def versions(self, actor: Actor, dataset_id: UUID, request: PageRequest) -> Page[VersionView]:
        """Returns a page of versions, newest first; raises UnknownDataset."""
        async with self.maker.database.transaction(actor.tenant) as session:
            dataset = await self._found(session, actor, dataset_id)
            page = await DatasetRepository(session).versions(dataset, request, self.cursors)
        return Page(tuple(VersionView.of(row) for row in page.items), page.next)

    async def version(self, actor: Actor, dataset_id: UUID, number: int) -> VersionView:
        """Returns one version; raises UnknownDataset."""
        async with self.maker.database.transaction(actor.tenant) as session:
            dataset = await self._found(session, actor, dataset_id)
            row = await DatasetRepository(session).version(dataset, number)
        if row is None:
            raise UnknownDataset("the dataset has no such version")
        return VersionView.of(row)

    async def pin(
        self, session: AsyncSession, actor: Actor, dataset_id: UUID, version: int | None = None
    ) -> PinnedDataset:
        """Returns a version, the newest where none is named; raises UnknownDataset."""
        dataset = await self._found(session, actor, dataset_id)
        if version is None or version == dataset.version:
            return pinned_of(dataset, dataset.version, columns_of(dataset.columns), dataset.row_count)
        row = await DatasetRepository(session).version(dataset, version)
        if row is None:
            raise UnknownDataset("the dataset has no such version")
        return pinned_of(dataset, row.number, columns_of(row.columns), row.row_count)

    async def rows(self, actor: Actor, dataset_id: UUID, request: RowsRequest) -> RowsPage:
        """Returns a page of rows; the pages of one walk are of one version, whatever happens meanwhile.

        Raises UnknownDataset, InvalidDataset for a column to sort by that is not there, SlowSearch.
        """
        version, last = request.version, None
        if request.cursor is not None:
            position = self.cursors.decode(_ROWS, request.cursor, tuple[str, int, str, bool, UUID])
            of, began, sort, descending, last = position
            asked = (str(dataset_id), version or began, request.sort, request.descending)
            if (of, began, sort, descending) != asked:
                raise BadCursor("the cursor belongs to another list")
            version = began
        with problems_of_waiting():
            async with self.maker.database.transaction(actor.tenant) as session:
                pinned = await self._sortable(session, actor, dataset_id, version, request)
                found = await RowReader(session).after(pinned, request, last)
        rows = found[: request.limit]
        following = None
        if len(found) > request.limit:
            place = (str(dataset_id), pinned.version, request.sort, request.descending, rows[-1].row_id)
            following = self.cursors.encode(_ROWS, place)
        return RowsPage(pinned, rows, following)

    async def numbered(self, actor: Actor, dataset_id: UUID, request: RowsRequest, page: int) -> NumberedPage:
        """Returns rows by the number of their page, with how many there are; raises what `rows` does."""
        with problems_of_waiting():
            async with self.maker.database.transaction(actor.tenant) as session:
                pinned = await self._sortable(session, actor, dataset_id, request.version, request)
                reader = RowReader(session)
                total = await reader.count(pinned, request)
                rows = await reader.numbered(pinned, request, max(1, page))
        return NumberedPage(pinned, rows, max(1, page), request.limit, total)

    async def row(self, actor: Actor, dataset_id: UUID, row_id: UUID, version: int | None = None) -> RowsPage:
        """Returns one row, with the version it is of; raises UnknownDataset, UnknownRow."""
        async with self.maker.database.transaction(actor.tenant) as session:
            pinned = await self.pin(session, actor, dataset_id, version)
            found = await RowReader(session).found(pinned, [row_id])
        if not found:
            raise UnknownRow("the dataset has no such row")
        return RowsPage(pinned, found, None)

    async def splits(self, actor: Actor, dataset_id: UUID, version: int | None = None) -> Sequence[tuple[str, int]]:
        """Returns the splits of a version and how many rows are in each, "" for those in none."""
        async with self.maker.database.transaction(actor.tenant) as session:
            return await RowReader(session).splits(await self.pin(session, actor, dataset_id, version))

    async def batches(
        self, actor: Actor, pinned: PinnedDataset, split: str | None = None
    ) -> AsyncIterator[Sequence[DatasetRowView]]:
        """Yields all rows of a version in their order; no transaction is open between two batches."""
        after = -1
        while True:
            async with self.maker.database.transaction(actor.tenant) as session:
                rows = await RowReader(session).batch(pinned, split, after, _BATCH)
            if not rows:
                return
            yield rows
            after = rows[-1].ordinal

    async def differences(
        self, actor: Actor, dataset_id: UUID, versions: tuple[int, int], request: PageRequest
    ) -> DifferencesPage:
        """Returns rows in which the second version differs from the first; raises UnknownDataset, SlowSearch."""
        after = None
        if request.cursor is not None:
            of, older_number, newer_number, after = self.cursors.decode(
                _DIFFERENCES, request.cursor, tuple[str, int, int, tuple[int, UUID]]
            )
            if (of, older_number, newer_number) != (str(dataset_id), *versions):
                raise BadCursor("the cursor belongs to another list")
        with problems_of_waiting():
            async with self.maker.database.transaction(actor.tenant) as session:
                older = await self.pin(session, actor, dataset_id, versions[0])
                newer = await self.pin(session, actor, dataset_id, versions[1])
                reader = RowReader(session)
                await reader.bounded(self.maker.limits.search_s)
                found = await reader.differences(older, newer, after, request.limit + 1)
        rows = found[: request.limit]
        following = None
        if len(found) > request.limit:
            side = rows[-1].before or rows[-1].after
            place = (side.ordinal if side else 0, rows[-1].row_id)
            following = self.cursors.encode(_DIFFERENCES, (str(dataset_id), *versions, place))
        return DifferencesPage(older, newer, rows, following)

    async def _sortable(
        self, session: AsyncSession, actor: Actor, dataset_id: UUID, version: int | None, request: RowsRequest
    ) -> PinnedDataset:
        pinned = await self.pin(session, actor, dataset_id, version)
        if request.sort and pinned.column(request.sort) is None:
            raise InvalidDataset("the dataset has no column of that name", column=request.sort)
        if request.split is not None:
            checked_split(request.split)
        await RowReader(session).bounded(self.maker.limits.search_s)
        return pinned

    async def _found(self, session: AsyncSession, actor: Actor, dataset_id: UUID) -> Dataset:
        row = await DatasetRepository(session).find(actor, dataset_id)
        if row is None:
            raise UnknownDataset(UNKNOWN)
        return row

    async def _store(self, session: AsyncSession, actor: Actor, dataset: Dataset) -> None:
        """The dataset is written; of two writers with the same name the second one is told."""
        taken = DatasetNameTaken(f"there is another dataset named {dataset.name}")
        with session.no_autoflush:
            other = await DatasetRepository(session).named(actor, dataset.name)
        if other is not None and other.id != dataset.id:
            raise taken
        session.add(dataset)
        try:
            await session.flush()
        except IntegrityError as exc:
            if "uq_datasets_name" in str(exc.orig):
                raise taken from None
            raise


def _place(actor: Actor) -> tuple[UUID, UUID]:
    if actor.organisation_id is None or actor.project_id is None:
        raise NotFound("datasets belong to a project")
    return actor.organisation_id, actor.project_id


def _description(text: str) -> str:
    if len(text) > 2_000 or "\x00" in text:
        raise InvalidDataset("a description has up to 2,000 characters")
    return text


def _audited(dataset: Dataset) -> dict[str, object]:
    return {"name": dataset.name, "description": dataset.description, "version": dataset.version}
