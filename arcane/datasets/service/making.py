"""How a version is made: the dataset is locked, rows are written, the version is recorded, all in one transaction.

Whoever changes the same dataset meanwhile waits for its turn, and then builds on what is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.datasets.columns import Column, columns_of
from arcane.datasets.pinned import PinnedDataset
from arcane.datasets.problems import DatasetBusy, DatasetLimit, SlowSearch, UnknownDataset
from arcane.datasets.repository.datasets import DatasetRepository
from arcane.datasets.repository.writing import RowWriter
from arcane.datasets.tables import Dataset, DatasetVersion
from arcane.datasets.views import Change
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.tables import now
from arcane.settings import DatasetSettings

_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"
UNKNOWN = "there is no such dataset"


@dataclass(slots=True)
class Draft:
    """A version in the making, on top of what the dataset is. Count what it adds, changes and removes."""

    session: AsyncSession
    dataset: Dataset
    rows: RowWriter
    columns: tuple[Column, ...]
    change: Change
    note: str = ""
    added: int = 0
    changed: int = 0
    removed: int = 0
    is_new: bool = field(default=False)

    @property
    def base(self) -> PinnedDataset:
        """The version that it is made from."""
        return pinned_of(self.dataset, self.dataset.version, columns_of(self.dataset.columns), self.dataset.row_count)

    def ordinals(self, count: int) -> range:
        """Returns ordinals that no row has had."""
        first = self.dataset.last_ordinal + 1
        self.dataset.last_ordinal += count
        return range(first, first + count)

    @property
    def changes_nothing(self) -> bool:
        """True when the version would be the one before."""
        return not (self.added or self.changed or self.removed or self.is_new)


@dataclass(frozen=True, slots=True)
class VersionMaker:
    """Makes versions, and records who did."""

    database: Database
    audit: AuditLog
    limits: DatasetSettings

    @asynccontextmanager
    async def making(self, actor: Actor, dataset_id: UUID, change: Change, note: str = "") -> AsyncIterator[Draft]:
        """The block writes the next version; when it ends without an error, that is the newest one.

        A block that changes nothing makes none. Raises UnknownDataset, DatasetBusy, DatasetLimit.
        """
        with problems_of_waiting():
            async with self.database.transaction(actor.tenant) as session:
                repository = DatasetRepository(session)
                dataset = await repository.locked(actor, dataset_id, self.limits.patience_s)
                if dataset is None:
                    raise UnknownDataset(UNKNOWN)
                draft = self.draft(session, dataset, change, note)
                yield draft
                if not draft.changes_nothing:
                    await self.finish(actor, draft)

    def draft(self, session: AsyncSession, dataset: Dataset, change: Change, note: str = "") -> Draft:
        """Returns the next version of a dataset that is locked."""
        writer = RowWriter(session, dataset, dataset.version + 1)
        return Draft(session, dataset, writer, columns_of(dataset.columns), change, note)

    async def finish(self, actor: Actor, draft: Draft) -> None:
        """The draft is the dataset's newest version; raises DatasetLimit."""
        dataset = draft.dataset
        count = dataset.row_count + draft.added - draft.removed
        if count > self.limits.rows_max:
            raise DatasetLimit(f"a dataset has at most {self.limits.rows_max} rows")
        dataset.version = draft.rows.version
        dataset.row_count = count
        dataset.columns = [column.stored() for column in draft.columns]
        dataset.updated_at = now()
        version = version_of(dataset, actor, draft.change, draft.note)
        version.added, version.changed, version.removed = draft.added, draft.changed, draft.removed
        draft.session.add(dataset)
        draft.session.add(version)
        await draft.session.flush()
        after = {
            "name": dataset.name,
            "version": version.number,
            "change": version.change,
            "rows": {"added": version.added, "changed": version.changed, "removed": version.removed},
        }
        resource = ("dataset", dataset.id)
        await self.audit.record(draft.session, actor, f"dataset.{version.change}", resource, after=after)


def version_of(dataset: Dataset, actor: Actor, change: Change, note: str) -> DatasetVersion:
    """Returns the record of the version that `dataset` is now."""
    return DatasetVersion(
        organisation_id=dataset.organisation_id,
        project_id=dataset.project_id,
        dataset_id=dataset.id,
        number=dataset.version,
        created_by=actor.name,
        change=change.value,
        note=note,
        columns=dataset.columns,
        row_count=dataset.row_count,
    )


def pinned_of(dataset: Dataset, version: int, columns: tuple[Column, ...], row_count: int) -> PinnedDataset:
    """Returns a version of a dataset that was found."""
    return PinnedDataset(
        dataset.organisation_id, dataset.project_id, dataset.id, dataset.name, version, columns, row_count
    )


@contextmanager
def problems_of_waiting() -> Iterator[None]:
    """Waiting too long, for another change or for a search, is a problem that says so."""
    try:
        yield
    except DBAPIError as exc:
        match getattr(exc.orig, "sqlstate", None):
            case code if code == _LOCK_NOT_AVAILABLE:
                raise DatasetBusy("the dataset is being changed by somebody else; try again in a moment") from None
            case code if code == _QUERY_CANCELED:
                raise SlowSearch("searching this many rows takes too long; narrow it to a split") from None
        raise
