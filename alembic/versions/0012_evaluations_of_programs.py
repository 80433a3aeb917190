"""What a program keeps with an evaluation, and the model that its scores ask where they name none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    extra = sa.Column("extra", postgresql.JSONB(), nullable=False, server_default="{}")
    op.add_column("evaluations", extra)
    op.alter_column("evaluations", "extra", server_default=None)
    op.add_column("evaluations", sa.Column("model_configuration_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("evaluations", "model_configuration_id")
    op.drop_column("evaluations", "extra")
