"""Datasources, behind the same wall as every tenant's table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import wall

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "datasources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("secrets", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasources"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_datasources_organisation_id_organisations",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("organisation_id", "id", name="uq_datasources_organisation_id_id"),
        sa.CheckConstraint("version > 0", name="ck_datasources_version_positive"),
    )
    op.create_index("uq_datasources_name", "datasources", ["organisation_id", sa.text("lower(name)")], unique=True)
    for statement in wall("datasources", app_role=op.get_context().opts["app_role"]):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("datasources")
