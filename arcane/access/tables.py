"""Who may come in, and where to. Every table here stands behind row-level security (alembic/versions/0001)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from arcane.kit.tables import Row, now

_TIME = DateTime(timezone=True)
_TEXTS = ARRAY(Text())


class User(Row, table=True):
    """A person who can sign in. `email` is kept in lower case: that is how it is compared."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    email: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    is_owner: bool = Field(default=False)
    password_changed_at: datetime = Field(default_factory=now, sa_type=_TIME)


class UserSession(Row, table=True):
    """A browser that is signed in. Only the hash of its token is here."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    user_id: UUID
    token_hash: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=_TIME)
    last_seen_at: datetime = Field(default_factory=now, sa_type=_TIME)
    user_agent: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)


class SetupLink(Row, table=True):
    """The one-time link that makes whoever holds it the instance owner; gone once used."""

    __tablename__ = "setup_links"
    __table_args__ = (UniqueConstraint("token_hash"),)

    token_hash: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=_TIME)


class PasswordLink(Row, table=True):
    """The one-time link by which an account gets a new password; one an account, gone once used."""

    __tablename__ = "password_links"
    __table_args__ = (
        UniqueConstraint("user_id"),
        UniqueConstraint("token_hash"),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
    )

    user_id: UUID
    token_hash: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = Field(sa_type=_TIME)


class Organisation(Row, table=True):
    """A tenant."""

    __tablename__ = "organisations"
    __table_args__ = (UniqueConstraint("slug"),)

    name: str = Field(sa_type=Text)
    slug: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class Project(Row, table=True):
    """A part of an organisation with members of its own, and optionally a part of its traces."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("organisation_id", "slug"),
        UniqueConstraint("organisation_id", "id"),
        ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        CheckConstraint(
            "(trace_filter_attribute_name IS NULL) = (trace_filter_attribute_value IS NULL)",
            name="trace_filter_both_or_neither",
        ),
    )

    organisation_id: UUID
    name: str = Field(sa_type=Text)
    slug: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    trace_filter_attribute_name: str | None = Field(default=None, sa_type=Text)
    trace_filter_attribute_value: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class Role(Row, table=True):
    """A named set of permissions: one of the six of every instance, or an organisation's or a project's own.

    The permissions of system roles stand in `permissions.py`; their rows carry none.
    """

    __tablename__ = "roles"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_roles_project_id_projects",
            ondelete="CASCADE",
        ),
        CheckConstraint("level IN ('instance', 'organisation', 'project')", name="level"),
        CheckConstraint("is_system = (organisation_id IS NULL)", name="custom_has_organisation"),
        CheckConstraint("is_system OR level <> 'instance'", name="custom_below_instance"),
        CheckConstraint(
            "is_system OR (level = 'project') = (project_id IS NOT NULL)", name="project_level_has_project"
        ),
        CheckConstraint("NOT ('*' = ANY (permissions))", name="no_wildcard"),
        Index(
            "uq_roles_name",
            "organisation_id",
            "project_id",
            text("lower(name)"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "project_id"),
    )

    organisation_id: UUID | None = Field(default=None)
    project_id: UUID | None = Field(default=None)
    level: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    description: str = Field(default="", sa_type=Text)
    permissions: list[str] = Field(default_factory=list, sa_type=_TEXTS)
    is_system: bool = Field(default=False)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)


class OrganisationMember(Row, table=True):
    """A user belongs to an organisation, with exactly one role at that level."""

    __tablename__ = "organisation_members"
    __table_args__ = (
        UniqueConstraint("organisation_id", "user_id"),
        ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["role_id"], ["roles.id"]),
        Index(None, "user_id"),
        Index(None, "role_id"),
    )

    organisation_id: UUID
    user_id: UUID
    role_id: UUID


class ProjectMember(Row, table=True):
    """A user belongs to a project; leaving the organisation ends it."""

    __tablename__ = "project_members"
    __table_args__ = (
        UniqueConstraint("project_id", "user_id"),
        UniqueConstraint("organisation_id", "project_id", "id"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_project_members_project_id_projects",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["organisation_id", "user_id"],
            ["organisation_members.organisation_id", "organisation_members.user_id"],
            name="fk_project_members_user_id_organisation_members",
            ondelete="CASCADE",
        ),
        Index(None, "organisation_id", "user_id"),
        Index(None, "user_id"),
    )

    organisation_id: UUID
    project_id: UUID
    user_id: UUID


class ProjectMemberRole(Row, table=True):
    """A project member holds a role."""

    __tablename__ = "project_member_roles"
    __table_args__ = (
        UniqueConstraint("member_id", "role_id"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id", "member_id"],
            ["project_members.organisation_id", "project_members.project_id", "project_members.id"],
            name="fk_project_member_roles_member_id_project_members",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["role_id"], ["roles.id"]),
        Index(None, "organisation_id", "project_id", "member_id"),
        Index(None, "role_id"),
    )

    organisation_id: UUID
    project_id: UUID
    member_id: UUID
    role_id: UUID


class Invitation(Row, table=True):
    """Somebody was asked to join an organisation, and maybe one of its projects. "expired" is a matter of time."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        ForeignKeyConstraint(["organisation_id"], ["organisations.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_invitations_project_id_projects",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["role_id"], ["roles.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["project_role_id"], ["roles.id"], ondelete="CASCADE"),
        CheckConstraint("status IN ('pending', 'accepted', 'revoked')", name="status"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("project_id IS NOT NULL OR project_role_id IS NULL", name="project_role_has_project"),
        Index(
            "uq_invitations_pending",
            "organisation_id",
            "email",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(None, "organisation_id", "project_id"),
        Index(None, "role_id"),
        Index(None, "project_role_id"),
    )

    organisation_id: UUID
    project_id: UUID | None = Field(default=None)
    email: str = Field(sa_type=Text)
    role_id: UUID
    project_role_id: UUID | None = Field(default=None)
    token_hash: bytes = Field(sa_type=LargeBinary)
    status: str = Field(default="pending", sa_type=Text)
    expires_at: datetime = Field(sa_type=_TIME)
    invited_by: str = Field(sa_type=Text)
    accepted_at: datetime | None = Field(default=None, sa_type=_TIME)


class ApiKey(Row, table=True):
    """A way into one project for a program. Only the hash of the key is here; `hint` is its last characters."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_api_keys_project_id_projects",
            ondelete="CASCADE",
        ),
        CheckConstraint("scope IN ('read', 'read-write')", name="scope"),
        Index(None, "organisation_id", "project_id"),
    )

    organisation_id: UUID
    project_id: UUID
    name: str = Field(sa_type=Text)
    scope: str = Field(sa_type=Text)
    key_hash: bytes = Field(sa_type=LargeBinary)
    hint: str = Field(sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=_TIME)
    last_used_at: datetime | None = Field(default=None, sa_type=_TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=_TIME)
    created_by: str = Field(sa_type=Text)


class AttributeVisibilityRule(Row, table=True):
    """Whoever holds one of the roles does not see the attribute in this project's traces."""

    __tablename__ = "attribute_visibility_rules"
    __table_args__ = (
        UniqueConstraint("project_id", "attribute_name"),
        UniqueConstraint("organisation_id", "project_id", "id"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_attribute_visibility_rules_project_id_projects",
            ondelete="CASCADE",
        ),
    )

    organisation_id: UUID
    project_id: UUID
    attribute_name: str = Field(sa_type=Text)
    updated_at: datetime = Field(default_factory=now, sa_type=_TIME)
    updated_by: str = Field(sa_type=Text)


class AttributeVisibilityRuleRole(Row, table=True):
    """A role that a rule hides from; deleting the role takes it out of the rule."""

    __tablename__ = "attribute_visibility_rule_roles"
    __table_args__ = (
        UniqueConstraint("rule_id", "role_id"),
        ForeignKeyConstraint(
            ["organisation_id", "project_id", "rule_id"],
            [
                "attribute_visibility_rules.organisation_id",
                "attribute_visibility_rules.project_id",
                "attribute_visibility_rules.id",
            ],
            name="fk_attribute_visibility_rule_roles_rule_id",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["role_id"], ["roles.id"], ondelete="CASCADE"),
        Index("ix_attribute_visibility_rule_roles_rule", "organisation_id", "project_id", "rule_id"),
        Index(None, "role_id"),
    )

    organisation_id: UUID
    project_id: UUID
    rule_id: UUID
    role_id: UUID
