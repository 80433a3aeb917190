"""What is over is forgotten (sessions, invitations, old audit entries), and one-time links to a new password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from arcane.kit.tables import OF_INSTANCE, wall

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DOOR = "access_forget(timestamptz, timestamptz, integer)"
_FORGET = """
CREATE FUNCTION access_forget(settled_before timestamptz, audited_before timestamptz, most integer)
RETURNS TABLE (ended bigint, settled bigint, audited bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE said text := current_setting('arcane.instance', true);
BEGIN
    PERFORM set_config('arcane.instance', 'on', true);
    DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE s.expires_at < now() LIMIT most);
    GET DIAGNOSTICS ended = ROW_COUNT;
    DELETE FROM invitations WHERE id IN (
        SELECT i.id FROM invitations i
        WHERE i.created_at < settled_before AND (i.status <> 'pending' OR i.expires_at < now()) LIMIT most
    );
    GET DIAGNOSTICS settled = ROW_COUNT;
    -- Whoever has the application's role may not wipe out what just happened.
    DELETE FROM audit_entries WHERE id IN (
        SELECT a.id FROM audit_entries a
        WHERE a.created_at < least(audited_before, now() - interval '30 days') ORDER BY a.created_at LIMIT most
    );
    GET DIAGNOSTICS audited = ROW_COUNT;
    DELETE FROM password_links WHERE expires_at < now();
    PERFORM set_config('arcane.instance', coalesce(said, ''), true);
    RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "password_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_password_links_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_password_links"),
        sa.UniqueConstraint("user_id", name="uq_password_links_user_id"),
        sa.UniqueConstraint("token_hash", name="uq_password_links_token_hash"),
    )
    role = op.get_context().opts["app_role"]
    for statement in wall("password_links", app_role=role, condition=OF_INSTANCE):
        op.execute(statement)
    op.create_index("ix_audit_entries_created_at", "audit_entries", ["created_at"])
    op.execute(f"CREATE POLICY forgotten ON audit_entries FOR DELETE USING ({OF_INSTANCE})")
    op.get_bind().exec_driver_sql(_FORGET)
    op.execute(f"REVOKE ALL ON FUNCTION {_DOOR} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {_DOOR} TO "{role}"')


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_DOOR}")
    op.execute("DROP POLICY forgotten ON audit_entries")
    op.drop_index("ix_audit_entries_created_at", "audit_entries")
    op.drop_table("password_links")
