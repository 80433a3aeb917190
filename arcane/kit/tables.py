"""What every table shares: named constraints, time-ordered keys, times with a zone, and the wall between tenants."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field, SQLModel

from arcane.kit.ids import new_id

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def now() -> datetime:
    """Returns the current time in UTC."""
    return datetime.now(UTC)


class Row(SQLModel):
    """Base of all tables: `id` (version 7) and `created_at`."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), nullable=False)


def wall(table: str, *, app_role: str = "arcane_app", condition: str | None = None) -> list[str]:
    """Returns the SQL that puts row-level security on `table` and lets the application role work on it.

    `condition` defaults to: the row's organisation is the transaction's, or the transaction is the
    instance's. FORCE binds the owner as well.
    """
    rule = condition or (
        "organisation_id = nullif(current_setting('arcane.organisation_id', true), '')::uuid "
        "OR current_setting('arcane.instance', true) = 'on'"
    )
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY tenant ON "{table}" USING ({rule}) WITH CHECK ({rule})',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO "{app_role}"',
    ]
