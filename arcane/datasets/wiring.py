"""The parts of the slice, made of what the application has."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.audit.service import AuditLog
from arcane.datasets.service.datasets import DatasetService
from arcane.datasets.service.making import VersionMaker
from arcane.datasets.service.rows import RowService
from arcane.datasets.service.shape import ShapeService
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors
from arcane.settings import DatasetSettings


@dataclass(frozen=True, slots=True)
class DatasetParts:
    """What endpoints and pages call."""

    datasets: DatasetService
    rows: RowService
    shape: ShapeService


def build_datasets(database: Database, audit: AuditLog, cursors: Cursors, limits: DatasetSettings) -> DatasetParts:
    """Returns the services."""
    maker = VersionMaker(database, audit, limits)
    return DatasetParts(DatasetService(maker, cursors), RowService(maker), ShapeService(maker))
