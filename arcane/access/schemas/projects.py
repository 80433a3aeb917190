"""Projects, their members, API keys and attribute visibility."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from arcane.access.names import Description, Slug, Title
from arcane.access.permissions import KeyScope
from arcane.access.schemas.base import (
    Answer,
    AttributeName,
    AttributeValue,
    Body,
    RoleIds,
    RoleNameOut,
)
from arcane.kit.seen import Seen


class TraceFilterIn(Body):
    """Only traces with this attribute value belong to the project."""

    attribute_name: AttributeName
    attribute_value: AttributeValue


class ProjectCreate(Body):
    """A new project."""

    name: Title
    slug: Slug | None = None
    description: Description = ""
    trace_filter: TraceFilterIn | None = None


class ProjectUpdate(Body):
    """What shall change; `trace_filter: null` takes the filter away."""

    name: Title | None = None
    slug: Slug | None = None
    description: Description | None = None
    trace_filter: TraceFilterIn | None = None
    seen: Seen = None


class ProjectOut(Answer):
    """A project. The filter's two members are both there or both null."""

    id: UUID
    organisation_id: UUID
    name: str
    slug: str
    description: str
    trace_filter_attribute_name: str | None
    trace_filter_attribute_value: str | None
    created_at: datetime
    updated_at: datetime


class Projects(Answer):
    """A page of projects."""

    items: list[ProjectOut]
    next: str | None


class ProjectMemberAdd(Body):
    """A member of the organisation joins the project."""

    user_id: UUID
    role_ids: RoleIds = Field(default_factory=list)


class ProjectMemberOut(Answer):
    """Somebody in a project."""

    user_id: UUID
    name: str
    email: str
    roles: list[RoleNameOut]
    joined_at: datetime


class ProjectMembers(Answer):
    """A page of project members."""

    items: list[ProjectMemberOut]
    next: str | None


class ApiKeyCreate(Body):
    """A new key. Without `expires_at` it works until it is revoked."""

    name: Title
    scope: KeyScope = KeyScope.READ
    expires_at: AwareDatetime | None = None


class ApiKeyOut(Answer):
    """A key; `hint` is its last characters."""

    id: UUID
    name: str
    scope: KeyScope
    hint: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class CurrentApiKey(Answer):
    """The key that a request came with."""

    name: str
    scope: KeyScope
    expires_at: datetime | None
    organisation_id: UUID
    project_id: UUID


class ApiKeyMade(ApiKeyOut):
    """A new key. `key` is shown this once."""

    key: str


class ApiKeys(Answer):
    """A page of keys, newest first."""

    items: list[ApiKeyOut]
    next: str | None


class RuleCreate(Body):
    """An attribute, and the roles that shall not see it."""

    attribute_name: AttributeName
    hidden_role_ids: RoleIds


class RuleUpdate(Body):
    """The roles that shall not see the attribute."""

    hidden_role_ids: RoleIds
    seen: Seen = None


class RuleOut(Answer):
    """An attribute, and from whom it is hidden."""

    id: UUID
    attribute_name: str
    hidden_from: list[RoleNameOut]
    updated_at: datetime
    updated_by: str


class Rules(Answer):
    """A page of rules, oldest first."""

    items: list[RuleOut]
    next: str | None
