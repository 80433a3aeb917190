"""The parts of the slice, made of what the application has."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from arcane.audit.service import AuditLog
from arcane.datasets.files.processes import FileProcesses
from arcane.datasets.service.capturing import CaptureService, Traces
from arcane.datasets.service.datasets import DatasetService
from arcane.datasets.service.exporting import ExportService
from arcane.datasets.service.importing import ImportService
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
    imports: ImportService
    exports: ExportService
    captures: CaptureService


def build_datasets(
    database: Database, audit: AuditLog, cursors: Cursors, limits: DatasetSettings, traces: Traces
) -> DatasetParts:
    """Returns the services."""
    maker = VersionMaker(database, audit, limits)
    datasets = DatasetService(maker, cursors)
    processes = FileProcesses(limits, anyio.CapacityLimiter(limits.files_at_once))
    return DatasetParts(
        datasets=datasets,
        rows=RowService(maker),
        shape=ShapeService(maker),
        imports=ImportService(maker, datasets, processes),
        exports=ExportService(datasets, processes),
        captures=CaptureService(datasets, traces),
    )
