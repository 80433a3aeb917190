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
    """Base of all tables: `id` (version 7) and `created_at`. Rows come from the database: nothing validates them."""

    model_config = {"defer_build": True}

    id: UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True), nullable=False)


# Subqueries that name no row: Postgres answers them once a statement, where a call would be made for every row.
_ORGANISATION = "organisation_id = (SELECT nullif(current_setting('arcane.organisation_id', true), '')::uuid)"
_PROJECT = "coalesce(project_id = (SELECT nullif(current_setting('arcane.project_id', true), '')::uuid), true)"
OF_INSTANCE = "coalesce((SELECT current_setting('arcane.instance', true)) = 'on', false)"
"""The wall of what belongs to the instance: nothing but its own transactions see it."""
OF_ORGANISATION = f"{_ORGANISATION} OR {OF_INSTANCE}"
"""The row's organisation is the transaction's, or the transaction is the instance's."""
OF_PROJECT = f"({_ORGANISATION} AND {_PROJECT}) OR {OF_INSTANCE}"
"""The row's organisation is the transaction's, and so is its project where the transaction has one."""


def wall(table: str, *, app_role: str = "arcane_app", condition: str = OF_ORGANISATION) -> list[str]:
    """Returns the SQL that puts row-level security on `table` and lets the application role work on it.

    FORCE binds the owner as well.
    """
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY tenant ON "{table}" USING ({condition}) WITH CHECK ({condition})',
        f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO "{app_role}"',
    ]
