"""Datasets: their versions, and their rows as revisions that a version range belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_PROJECT, wall

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _datasets()
    _versions()
    _rows()
    for table in ("datasets", "dataset_versions", "dataset_rows"):
        for statement in wall(table, app_role=op.get_context().opts["app_role"], condition=OF_PROJECT):
            op.execute(statement)


def downgrade() -> None:
    for table in ("dataset_rows", "dataset_versions", "datasets"):
        op.drop_table(table)


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("columns_made", sa.Integer(), nullable=False),
        sa.Column("last_ordinal", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_datasets_project_id_projects",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("organisation_id", "project_id", "id", name="uq_datasets_organisation_id_project_id_id"),
        sa.CheckConstraint("version > 0", name="ck_datasets_version_positive"),
    )
    op.create_index("uq_datasets_name", "datasets", ["project_id", sa.text("lower(name)")], unique=True)


def _versions() -> None:
    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_versions"),
        sa.UniqueConstraint("organisation_id", "project_id", "dataset_id", "number", name="uq_dataset_versions_number"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id", "dataset_id"],
            ["datasets.organisation_id", "datasets.project_id", "datasets.id"],
            name="fk_dataset_versions_dataset_id_datasets",
            ondelete="CASCADE",
        ),
    )


def _rows() -> None:
    op.create_table(
        "dataset_rows",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("until_version", sa.Integer(), nullable=True),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("origin", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_rows"),
        sa.UniqueConstraint(
            "organisation_id", "project_id", "dataset_id", "row_id", "from_version", name="uq_dataset_rows_revision"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id", "dataset_id"],
            ["datasets.organisation_id", "datasets.project_id", "datasets.id"],
            name="fk_dataset_rows_dataset_id_datasets",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("until_version IS NULL OR until_version > from_version", name="ck_dataset_rows_lifetime"),
    )
    op.create_index("ix_dataset_rows_dataset_id_ordinal", "dataset_rows", ["dataset_id", "ordinal"])
