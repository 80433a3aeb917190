"""Model configurations, behind the same wall as every tenant's table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import wall

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_configurations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("secrets", postgresql.JSONB(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(), nullable=False),
        sa.Column("price_input_usd", sa.Double(), nullable=True),
        sa.Column("price_output_usd", sa.Double(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_configurations"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_model_configurations_organisation_id_organisations",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("organisation_id", "id", name="uq_model_configurations_organisation_id_id"),
        sa.CheckConstraint("version > 0", name="ck_model_configurations_version_positive"),
        sa.CheckConstraint(
            "(price_input_usd IS NULL) = (price_output_usd IS NULL)", name="ck_model_configurations_price_whole"
        ),
    )
    op.create_index(
        "uq_model_configurations_name", "model_configurations", ["organisation_id", sa.text("lower(name)")], unique=True
    )
    for statement in wall("model_configurations", app_role=op.get_context().opts["app_role"]):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("model_configurations")
