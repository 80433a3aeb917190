"""Datasets, their versions, and their rows.

A row of `dataset_rows` is a *revision*: what one row of the dataset held from `from_version` up to, but not including,
`until_version`. Version n is made of the revisions with `from_version <= n` that had not ended by then, so a version
never changes, and a new one costs only what it changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from arcane.access.tables import Project
from arcane.kit.tables import Row, now

_OF_DATASET = (
    ["organisation_id", "project_id", "dataset_id"],
    ["datasets.organisation_id", "datasets.project_id", "datasets.id"],
)
_TIME = DateTime(timezone=True)


class Dataset(Row, table=True):
    """A dataset as it is now: `columns` and `row_count` are those of `version`, its newest.

    Ids of columns and ordinals of rows are never given twice: `columns_made` and `last_ordinal` are the highest so far.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            [f"{Project.__tablename__}.organisation_id", f"{Project.__tablename__}.id"],
            name="fk_datasets_project_id_projects",
            ondelete="CASCADE",
        ),
        UniqueConstraint("organisation_id", "project_id", "id"),
        CheckConstraint("version > 0", name="version_positive"),
        Index("uq_datasets_name", "project_id", text("lower(name)"), unique=True),
    )

    organisation_id: UUID
    project_id: UUID
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    version: int = Field(default=1)
    columns: list[dict[str, Any]] = Field(sa_type=JSONB)
    columns_made: int
    last_ordinal: int = Field(default=0, sa_type=BigInteger)
    row_count: int = Field(default=0, sa_type=BigInteger)
    created_by: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class DatasetVersion(Row, table=True):
    """A version: who made it, how it differs from the one before, and its columns. It never changes."""

    __tablename__ = "dataset_versions"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_DATASET, name="fk_dataset_versions_dataset_id_datasets", ondelete="CASCADE"),
        UniqueConstraint("organisation_id", "project_id", "dataset_id", "number", name="uq_dataset_versions_number"),
    )

    organisation_id: UUID
    project_id: UUID
    dataset_id: UUID
    number: int
    created_by: str = Field(sa_type=Text)
    change: str = Field(sa_type=Text)
    note: str = Field(default="", sa_type=Text)
    columns: list[dict[str, Any]] = Field(sa_type=JSONB)
    row_count: int = Field(sa_type=BigInteger)
    added: int = Field(default=0, sa_type=BigInteger)
    changed: int = Field(default=0, sa_type=BigInteger)
    removed: int = Field(default=0, sa_type=BigInteger)


class DatasetRow(SQLModel, table=True):
    """A revision of a row. `values` are by column id; a cell without a value is not there. `split` is "" in none."""

    model_config = {"defer_build": True}
    __tablename__ = "dataset_rows"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_DATASET, name="fk_dataset_rows_dataset_id_datasets", ondelete="CASCADE"),
        UniqueConstraint(
            "organisation_id", "project_id", "dataset_id", "row_id", "from_version", name="uq_dataset_rows_revision"
        ),
        CheckConstraint("until_version IS NULL OR until_version > from_version", name="lifetime"),
        Index(None, "dataset_id", "ordinal"),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    created_at: datetime = Field(sa_type=_TIME, sa_column_kwargs={"server_default": text("now()")})
    organisation_id: UUID
    project_id: UUID
    dataset_id: UUID
    row_id: UUID
    from_version: int
    until_version: int | None = Field(default=None)
    ordinal: int = Field(sa_type=BigInteger)
    values: dict[str, Any] = Field(sa_type=JSONB)
    split: str = Field(default="", sa_type=Text)
    origin: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
