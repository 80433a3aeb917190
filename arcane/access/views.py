"""What the slice shows of who belongs where: rows of several tables put together, without anything to change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in an organisation, and the role they have there."""

    member_id: UUID
    user_id: UUID
    name: str
    email: str
    role_id: UUID
    role_name: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class RoleName:
    """A role, to be shown."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ProjectMemberView:
    """Somebody in a project, and their roles there."""

    member_id: UUID
    user_id: UUID
    name: str
    email: str
    roles: tuple[RoleName, ...]
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """An attribute, and from whom it is hidden."""

    id: UUID
    attribute_name: str
    hidden_from: tuple[RoleName, ...]
    updated_at: datetime
    updated_by: str
