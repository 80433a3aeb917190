"""What the catalog shows of a datasource. No secret is ever part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from arcane.catalog.breaker import BreakerState
from arcane.catalog.form import FormField
from arcane.catalog.health import HealthRecord
from arcane.catalog.registry import Registry
from arcane.catalog.sealing import masked
from arcane.catalog.tables import Datasource
from arcane.model.outcome import SourceError


@dataclass(frozen=True, slots=True)
class HealthView:
    """How a datasource answered this process: `status` is ok, failing or unknown.

    `p50_ms` and `p95_ms` are over the latest answers; `breaker` is closed, open or half_open, and an open one says
    when it is tried again.
    """

    status: str
    last_ok_at: datetime | None
    last_error_at: datetime | None
    error: SourceError | None
    latency_ms: float | None
    p50_ms: float | None = None
    p95_ms: float | None = None
    answers: int = 0
    faults: int = 0
    repeats: int = 0
    breaker: BreakerState = BreakerState.CLOSED
    retry_at: datetime | None = None

    @classmethod
    def of(cls, record: HealthRecord) -> HealthView:
        """Returns the record as it stands now."""
        kind, message = record.error_kind, record.error_message
        error = SourceError(kind, message or "") if kind is not None else None
        return cls(
            record.status,
            record.last_ok_at,
            record.last_error_at,
            error,
            record.latency_ms,
            record.percentile_ms(0.5),
            record.percentile_ms(0.95),
            record.answers,
            record.faults,
            record.repeats,
            record.breaker.state,
            record.retry_at,
        )


@dataclass(frozen=True, slots=True)
class DatasourceView:
    """A datasource. Set secrets are MASK in `settings`; `secret_set` has every secret field, by its form name."""

    id: UUID
    kind: str
    kind_title: str
    name: str
    description: str
    settings: dict[str, Any]
    secret_set: dict[str, bool]
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    available: bool
    unavailable_reason: str | None
    health: HealthView

    @classmethod
    def of(cls, row: Datasource, registry: Registry, health: HealthRecord) -> DatasourceView:
        """Returns what may be seen of `row`."""
        kind = registry.usable(row.kind)
        return cls(
            id=row.id,
            kind=row.kind,
            kind_title=kind.title if kind else row.kind,
            name=row.name,
            description=row.description,
            settings=masked(row.settings, row.secrets),
            secret_set=_secret_set(row, kind.fields if kind else ()),
            version=row.version,
            created_by=row.created_by,
            created_at=row.created_at,
            updated_at=row.updated_at,
            available=kind is not None,
            unavailable_reason=None if kind else registry.why_not(row.kind),
            health=HealthView.of(health),
        )


@dataclass(frozen=True, slots=True)
class ReadableDatasource:
    """What somebody who reads traces has to know of a datasource."""

    id: UUID
    name: str
    kind: str
    health: HealthView


def audited(row: Datasource) -> dict[str, Any]:
    """Returns what the audit log keeps of a datasource."""
    return {
        "name": row.name,
        "description": row.description,
        "kind": row.kind,
        "settings": masked(row.settings, row.secrets),
        "version": row.version,
    }


def _secret_set(row: Datasource, fields: tuple[FormField, ...]) -> dict[str, bool]:
    """A list or map of secrets is one field, set when any of them is."""
    held = [pointer.removeprefix("/") for pointer in row.secrets]
    declared = {field.name for field in fields if field.secret}
    set_fields = {next((name for name in declared if one == name or one.startswith(f"{name}/")), one) for one in held}
    return {name: name in set_fields for name in sorted(declared | set_fields)}
