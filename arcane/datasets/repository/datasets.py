"""Selects datasets and their versions inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.datasets.tables import Dataset, DatasetVersion
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_NAME = Keyset("datasets", (col(Dataset.name), col(Dataset.id)), tuple[str, UUID])
_NEWEST_FIRST = Keyset("dataset_versions", (col(DatasetVersion.number),), tuple[int], descending=True)
_PATIENCE = text("SELECT set_config('lock_timeout', :patience, true)")


@dataclass(frozen=True, slots=True)
class DatasetRepository:
    """Reads within what one actor may see; writing is `session.add`."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the datasets of the actor's project."""
        return select(Dataset).where(
            col(Dataset.organisation_id) == actor.organisation_id, col(Dataset.project_id) == actor.project_id
        )

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Dataset]:
        """Returns a page, by name."""
        rows = (await self.session.scalars(_BY_NAME.select_after(self.visible_to(actor), request, cursors))).all()
        return _BY_NAME.page(rows, request, cursors, lambda row: (row.name, row.id))

    async def find(self, actor: Actor, dataset_id: UUID) -> Dataset | None:
        """Returns the dataset."""
        found: Dataset | None = (
            await self.session.scalars(self.visible_to(actor).where(col(Dataset.id) == dataset_id))
        ).one_or_none()
        return found

    async def locked(self, actor: Actor, dataset_id: UUID, patience_s: float) -> Dataset | None:
        """Returns the dataset, nobody else's to change until the transaction ends; fails when that takes too long."""
        await self.session.execute(_PATIENCE, {"patience": f"{int(patience_s * 1_000)}ms"})
        statement = self.visible_to(actor).where(col(Dataset.id) == dataset_id).with_for_update()
        found: Dataset | None = (
            await self.session.scalars(statement.execution_options(populate_existing=True))
        ).one_or_none()
        return found

    async def named(self, actor: Actor, name: str) -> Dataset | None:
        """Returns the dataset of that name, in whatever case."""
        statement = self.visible_to(actor).where(func.lower(col(Dataset.name)) == func.lower(name))
        found: Dataset | None = (await self.session.scalars(statement)).one_or_none()
        return found

    async def count(self, actor: Actor) -> int:
        """Returns how many datasets the actor's project has."""
        return (await self.session.scalars(select(func.count()).select_from(self.visible_to(actor).subquery()))).one()

    def versions_of(self, dataset: Dataset) -> Select[Any]:
        """Selects the versions of a dataset that was found."""
        return select(DatasetVersion).where(
            col(DatasetVersion.organisation_id) == dataset.organisation_id,
            col(DatasetVersion.project_id) == dataset.project_id,
            col(DatasetVersion.dataset_id) == dataset.id,
        )

    async def version(self, dataset: Dataset, number: int) -> DatasetVersion | None:
        """Returns one version."""
        found: DatasetVersion | None = (
            await self.session.scalars(self.versions_of(dataset).where(col(DatasetVersion.number) == number))
        ).one_or_none()
        return found

    async def versions(self, dataset: Dataset, request: PageRequest, cursors: Cursors) -> Page[DatasetVersion]:
        """Returns a page of versions, newest first."""
        statement = _NEWEST_FIRST.select_after(self.versions_of(dataset), request, cursors)
        rows: Sequence[DatasetVersion] = (await self.session.scalars(statement)).all()
        return _NEWEST_FIRST.page(rows, request, cursors, lambda row: (row.number,))
