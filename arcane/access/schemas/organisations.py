"""Organisations, their members, roles and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from arcane.access.names import Description, Email, Slug, Title
from arcane.access.schemas.base import (
    Answer,
    Body,
    Password,
    Token,
)
from arcane.kit.seen import Seen

Permissions = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(min_length=1, max_length=200)]


class OrganisationCreate(Body):
    """A new organisation; the short name is made of the name unless it is given."""

    name: Title
    slug: Slug | None = None


class OrganisationUpdate(Body):
    """What shall change."""

    name: Title | None = None
    slug: Slug | None = None


class OrganisationOut(Answer):
    """An organisation."""

    id: UUID
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime


class Organisations(Answer):
    """A page of organisations."""

    items: list[OrganisationOut]
    next: str | None


class MemberOut(Answer):
    """Somebody in an organisation."""

    user_id: UUID
    name: str
    email: str
    role_id: UUID
    role_name: str
    joined_at: datetime


class Members(Answer):
    """A page of members."""

    items: list[MemberOut]
    next: str | None


class MemberRoleIn(Body):
    """The role a member shall have."""

    role_id: UUID


class RoleCreate(Body):
    """A role of one's own."""

    name: Title
    description: Description = ""
    permissions: Permissions


class RoleUpdate(Body):
    """What shall change."""

    name: Title | None = None
    description: Description | None = None
    permissions: Permissions | None = None
    seen: Seen = None


class RoleOut(Answer):
    """A role and what it holds."""

    id: UUID
    name: str
    description: str
    level: Literal["instance", "organisation", "project"]
    is_system: bool
    permissions: list[str]
    updated_at: datetime


class Roles(Answer):
    """A page of roles; the system's come first."""

    items: list[RoleOut]
    next: str | None


class InvitationCreate(Body):
    """Who is asked to join, as what, and maybe right into one project."""

    email: Email
    role_id: UUID
    project_id: UUID | None = None
    project_role_id: UUID | None = None


class InvitationOut(Answer):
    """Somebody was asked to join."""

    id: UUID
    email: str
    status: Literal["pending", "accepted", "expired", "revoked"]
    role_id: UUID
    project_id: UUID | None
    project_role_id: UUID | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


class InvitationMade(InvitationOut):
    """A new invitation. `link` is shown this once: hand it over."""

    link: str


class Invitations(Answer):
    """A page of invitations, newest first."""

    items: list[InvitationOut]
    next: str | None


class InvitationToken(Body):
    """What the link carries."""

    token: Token


class InvitationChecked(Answer):
    """What the holder of a link is told; everything but `status` is null unless it is pending."""

    status: Literal["pending", "accepted", "expired", "revoked", "not_found"]
    organisation_name: str | None
    email: str | None
    invited_by: str | None
    has_account: bool


class InvitationAccept(Body):
    """The invited address gets an account."""

    token: Token
    name: Title
    password: Password


class Joined(Answer):
    """The organisation that was joined."""

    organisation_id: UUID
