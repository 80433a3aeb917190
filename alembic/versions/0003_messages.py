"""Messages that Postgres keeps: the outbox, and the queues of the embedded broker. They belong to the instance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_INSTANCE, wall

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("visible_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copies", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_messages"),
    )
    op.create_index("ix_outbox_messages_visible_at_id", "outbox_messages", ["visible_at", "id"])
    op.create_table(
        "queued_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("visible_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_queued_messages"),
        sa.UniqueConstraint("queue", "message_id", name="uq_queued_messages_queue_message_id"),
        sa.CheckConstraint("deliveries >= 0", name="ck_queued_messages_deliveries_counted"),
    )
    op.create_index("ix_queued_messages_queue_visible_at_id", "queued_messages", ["queue", "visible_at", "id"])
    for table in ("outbox_messages", "queued_messages"):
        for statement in wall(table, app_role=op.get_context().opts["app_role"], condition=OF_INSTANCE):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("queued_messages")
    op.drop_table("outbox_messages")
