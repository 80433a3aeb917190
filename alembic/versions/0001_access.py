"""Access and audit: users, sessions, organisations, projects, roles, members, invitations, keys, audit entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WALLS = Path(__file__).resolve().parents[1] / "sql" / "0001_walls.sql"
TABLES = (
    "users",
    "sessions",
    "setup_links",
    "organisations",
    "projects",
    "roles",
    "organisation_members",
    "project_members",
    "project_member_roles",
    "invitations",
    "api_keys",
    "attribute_visibility_rules",
    "attribute_visibility_rule_roles",
    "audit_entries",
)
DOORS = (
    "access_session(bytea)",
    "access_api_key(bytea)",
    "access_grants(uuid)",
    "access_place(uuid, text, uuid, text)",
    "access_credentials(text)",
    "access_invitation(bytea)",
    "access_is_set_up()",
    "access_touch_api_keys(uuid[], timestamptz[])",
    "access_touch_sessions(uuid[], timestamptz[])",
)
WORDS = {
    "{organisation}": "nullif(current_setting('arcane.organisation_id', true), '')::uuid",
    "{project}": "nullif(current_setting('arcane.project_id', true), '')::uuid",
    "{user}": "nullif(current_setting('arcane.user_id', true), '')::uuid",
    "{instance}": "coalesce(current_setting('arcane.instance', true) = 'on', false)",
    "{open}": "#variable_conflict use_column\nDECLARE said text := current_setting('arcane.instance', true);\n"
    "BEGIN PERFORM set_config('arcane.instance', 'on', true);",
    "{close}": "PERFORM set_config('arcane.instance', coalesce(said, ''), true); END",
}


def upgrade() -> None:
    _people()
    _tenants()
    _roles()
    _members()
    _invitations()
    _keys_and_rules()
    _audit()
    _walls(op.get_context().opts["app_role"])


def downgrade() -> None:
    for door in DOORS:
        op.execute(f"DROP FUNCTION {door}")
    for policy, table in (("members", "users"), ("mine", "organisations"), ("readable", "roles")):
        op.execute(f"DROP POLICY {policy} ON {table}")
    for table in reversed(TABLES):
        op.drop_table(table)


def _walls(role: str) -> None:
    """Every table is behind its policies, the application's role may work on it, and the doors are its own."""
    connection = op.get_bind()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO "{role}"')
    for statement in WALLS.read_text().split("\n---")[1:]:
        _, _, sql = statement.partition("\n")
        for word, expression in {**WORDS, "{app_role}": role}.items():
            sql = sql.replace(word, expression)
        connection.exec_driver_sql(sql)
    for door in DOORS:
        op.execute(f"REVOKE ALL ON FUNCTION {door} FROM PUBLIC")
        op.execute(f'GRANT EXECUTE ON FUNCTION {door} TO "{role}"')
    for table in TABLES:  # last: the system roles above belong to nobody
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    key = sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
    op.create_table(name, _id("id"), _time("created_at"), *parts, key)


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(table: str, column: str, other: str, *, cascade: bool = False) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE" if cascade else None)


def _in_project(table: str) -> sa.ForeignKeyConstraint:
    """A row's project is its organisation's: the key has both."""
    return sa.ForeignKeyConstraint(
        ["organisation_id", "project_id"],
        ["projects.organisation_id", "projects.id"],
        name=f"fk_{table}_project_id_projects",
        ondelete="CASCADE",
    )


def _people() -> None:
    """Who signs in."""
    _table(
        "users",
        _text("email"),
        _text("name"),
        _text("password_hash"),
        sa.Column("is_owner", sa.Boolean(), nullable=False),
        _time("password_changed_at"),
        sa.CheckConstraint("email = lower(email)", name="ck_users_email_lower"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    _table(
        "sessions",
        _id("user_id"),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _time("expires_at"),
        _time("last_seen_at"),
        _text("user_agent"),
        _text("address"),
        _reference("sessions", "user_id", "users", cascade=True),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    _table(
        "setup_links",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _time("expires_at"),
        sa.UniqueConstraint("token_hash", name="uq_setup_links_token_hash"),
    )


def _tenants() -> None:
    """What is kept apart."""
    _table(
        "organisations",
        _text("name"),
        _text("slug"),
        _time("updated_at"),
        sa.UniqueConstraint("slug", name="uq_organisations_slug"),
    )
    _table(
        "projects",
        _id("organisation_id"),
        _text("name"),
        _text("slug"),
        _text("description"),
        _text("trace_filter_attribute_name", nullable=True),
        _text("trace_filter_attribute_value", nullable=True),
        _time("updated_at"),
        sa.CheckConstraint(
            "(trace_filter_attribute_name IS NULL) = (trace_filter_attribute_value IS NULL)",
            name="ck_projects_trace_filter_both_or_neither",
        ),
        _reference("projects", "organisation_id", "organisations", cascade=True),
        sa.UniqueConstraint("organisation_id", "id", name="uq_projects_organisation_id_id"),
        sa.UniqueConstraint("organisation_id", "slug", name="uq_projects_organisation_id_slug"),
    )


def _roles() -> None:
    """What may be done."""
    _table(
        "roles",
        _id("organisation_id", nullable=True),
        _id("project_id", nullable=True),
        _text("level"),
        _text("name"),
        _text("description"),
        sa.Column("permissions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        _time("updated_at"),
        sa.CheckConstraint("NOT ('*' = ANY (permissions))", name="ck_roles_no_wildcard"),
        sa.CheckConstraint(
            "is_system OR (level = 'project') = (project_id IS NOT NULL)", name="ck_roles_project_level_has_project"
        ),
        sa.CheckConstraint("is_system OR level <> 'instance'", name="ck_roles_custom_below_instance"),
        sa.CheckConstraint("level IN ('instance', 'organisation', 'project')", name="ck_roles_level"),
        sa.CheckConstraint("is_system = (organisation_id IS NULL)", name="ck_roles_custom_has_organisation"),
        _in_project("roles"),
        _reference("roles", "organisation_id", "organisations", cascade=True),
    )
    op.create_index("ix_roles_project_id", "roles", ["project_id"])
    op.create_index(
        "uq_roles_name",
        "roles",
        ["organisation_id", "project_id", sa.literal_column("lower(name)")],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )


def _members() -> None:
    """Who belongs where."""
    _table(
        "organisation_members",
        _id("organisation_id"),
        _id("user_id"),
        _id("role_id"),
        _reference("organisation_members", "organisation_id", "organisations", cascade=True),
        _reference("organisation_members", "role_id", "roles"),
        _reference("organisation_members", "user_id", "users", cascade=True),
        sa.UniqueConstraint("organisation_id", "user_id", name="uq_organisation_members_organisation_id_user_id"),
    )
    op.create_index("ix_organisation_members_role_id", "organisation_members", ["role_id"])
    op.create_index("ix_organisation_members_user_id", "organisation_members", ["user_id"])
    _table(
        "project_members",
        _id("organisation_id"),
        _id("project_id"),
        _id("user_id"),
        _in_project("project_members"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "user_id"],
            ["organisation_members.organisation_id", "organisation_members.user_id"],
            name="fk_project_members_user_id_organisation_members",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "organisation_id", "project_id", "id", name="uq_project_members_organisation_id_project_id_id"
        ),
        sa.UniqueConstraint("project_id", "user_id", name="uq_project_members_project_id_user_id"),
    )
    op.create_index("ix_project_members_organisation_id_user_id", "project_members", ["organisation_id", "user_id"])
    op.create_index("ix_project_members_user_id", "project_members", ["user_id"])
    _table(
        "project_member_roles",
        _id("organisation_id"),
        _id("project_id"),
        _id("member_id"),
        _id("role_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id", "member_id"],
            ["project_members.organisation_id", "project_members.project_id", "project_members.id"],
            name="fk_project_member_roles_member_id_project_members",
            ondelete="CASCADE",
        ),
        _reference("project_member_roles", "role_id", "roles"),
        sa.UniqueConstraint("member_id", "role_id", name="uq_project_member_roles_member_id_role_id"),
    )
    op.create_index(
        "ix_project_member_roles_organisation_id_project_id_member_id",
        "project_member_roles",
        ["organisation_id", "project_id", "member_id"],
    )
    op.create_index("ix_project_member_roles_role_id", "project_member_roles", ["role_id"])


def _invitations() -> None:
    """Who was asked to join."""
    _table(
        "invitations",
        _id("organisation_id"),
        _id("project_id", nullable=True),
        _text("email"),
        _id("role_id"),
        _id("project_role_id", nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _text("status"),
        _time("expires_at"),
        _text("invited_by"),
        _time("accepted_at", nullable=True),
        sa.CheckConstraint("status IN ('pending', 'accepted', 'revoked')", name="ck_invitations_status"),
        sa.CheckConstraint("email = lower(email)", name="ck_invitations_email_lower"),
        sa.CheckConstraint(
            "project_id IS NOT NULL OR project_role_id IS NULL", name="ck_invitations_project_role_has_project"
        ),
        _in_project("invitations"),
        _reference("invitations", "organisation_id", "organisations", cascade=True),
        _reference("invitations", "project_role_id", "roles", cascade=True),
        _reference("invitations", "role_id", "roles", cascade=True),
        sa.UniqueConstraint("token_hash", name="uq_invitations_token_hash"),
    )
    op.create_index("ix_invitations_organisation_id_project_id", "invitations", ["organisation_id", "project_id"])
    op.create_index("ix_invitations_project_role_id", "invitations", ["project_role_id"])
    op.create_index("ix_invitations_role_id", "invitations", ["role_id"])
    op.create_index(
        "uq_invitations_pending",
        "invitations",
        ["organisation_id", "email"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )


def _keys_and_rules() -> None:
    """How programs come in, and what is hidden."""
    _table(
        "api_keys",
        _id("organisation_id"),
        _id("project_id"),
        _text("name"),
        _text("scope"),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        _text("hint"),
        _time("expires_at", nullable=True),
        _time("last_used_at", nullable=True),
        _time("revoked_at", nullable=True),
        _text("created_by"),
        sa.CheckConstraint("scope IN ('read', 'read-write')", name="ck_api_keys_scope"),
        _in_project("api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_organisation_id_project_id", "api_keys", ["organisation_id", "project_id"])
    _table(
        "attribute_visibility_rules",
        _id("organisation_id"),
        _id("project_id"),
        _text("attribute_name"),
        _time("updated_at"),
        _text("updated_by"),
        _in_project("attribute_visibility_rules"),
        sa.UniqueConstraint(
            "organisation_id", "project_id", "id", name="uq_attribute_visibility_rules_organisation_id_project_id_id"
        ),
        sa.UniqueConstraint(
            "project_id", "attribute_name", name="uq_attribute_visibility_rules_project_id_attribute_name"
        ),
    )
    _table(
        "attribute_visibility_rule_roles",
        _id("organisation_id"),
        _id("project_id"),
        _id("rule_id"),
        _id("role_id"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id", "rule_id"],
            [
                "attribute_visibility_rules.organisation_id",
                "attribute_visibility_rules.project_id",
                "attribute_visibility_rules.id",
            ],
            name="fk_attribute_visibility_rule_roles_rule_id",
            ondelete="CASCADE",
        ),
        _reference("attribute_visibility_rule_roles", "role_id", "roles", cascade=True),
        sa.UniqueConstraint("rule_id", "role_id", name="uq_attribute_visibility_rule_roles_rule_id_role_id"),
    )
    op.create_index("ix_attribute_visibility_rule_roles_role_id", "attribute_visibility_rule_roles", ["role_id"])
    op.create_index(
        "ix_attribute_visibility_rule_roles_rule",
        "attribute_visibility_rule_roles",
        ["organisation_id", "project_id", "rule_id"],
    )


def _audit() -> None:
    """What happened."""
    _table(
        "audit_entries",
        _id("organisation_id", nullable=True),
        _id("project_id", nullable=True),
        _text("actor_kind"),
        _id("actor_id", nullable=True),
        _text("actor_name"),
        _text("action"),
        _text("resource_kind"),
        _text("resource_id", nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'api_key', 'system', 'anonymous')", name="ck_audit_entries_actor_kind"
        ),
        sa.CheckConstraint(
            "project_id IS NULL OR organisation_id IS NOT NULL", name="ck_audit_entries_project_has_organisation"
        ),
    )
    op.create_index("ix_audit_entries_organisation_id_id", "audit_entries", ["organisation_id", "id"])
    op.create_index("ix_audit_entries_project_id_id", "audit_entries", ["project_id", "id"])
