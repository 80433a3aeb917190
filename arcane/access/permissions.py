"""Every permission, the level it is exercised at, and the six system roles. The one list that all checks read.

The strings are the original product's 86 (`*` and 85 others) and five of our own (`*:audit:read`, `prompts:run`,
`jobs:*`).
docs/reference/permissions.md shows the same as tables, with the differences to the original; a test
keeps it equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

ALL: Final = "*"

ORGANISATIONS_READ: Final = "organisations:read"
ORGANISATIONS_UPDATE: Final = "organisations:update"
ORGANISATIONS_DELETE: Final = "organisations:delete"
ORGANISATIONS_MEMBERS_READ: Final = "organisations:members:read"
ORGANISATIONS_MEMBERS_CREATE: Final = "organisations:members:create"
ORGANISATIONS_MEMBERS_UPDATE: Final = "organisations:members:update"
ORGANISATIONS_MEMBERS_DELETE: Final = "organisations:members:delete"
ORGANISATIONS_ROLES_READ: Final = "organisations:roles:read"
ORGANISATIONS_ROLES_CREATE: Final = "organisations:roles:create"
ORGANISATIONS_ROLES_UPDATE: Final = "organisations:roles:update"
ORGANISATIONS_ROLES_DELETE: Final = "organisations:roles:delete"
ORGANISATIONS_CONFIGURATIONS_READ: Final = "organisations:configurations:read"
ORGANISATIONS_AUDIT_READ: Final = "organisations:audit:read"

PROJECTS_CREATE: Final = "projects:create"
PROJECTS_READ: Final = "projects:read"
PROJECTS_UPDATE: Final = "projects:update"
PROJECTS_DELETE: Final = "projects:delete"
PROJECTS_MEMBERS_READ: Final = "projects:members:read"
PROJECTS_MEMBERS_CREATE: Final = "projects:members:create"
PROJECTS_MEMBERS_DELETE: Final = "projects:members:delete"
PROJECTS_ROLES_READ: Final = "projects:roles:read"
PROJECTS_ROLES_CREATE: Final = "projects:roles:create"
PROJECTS_ROLES_UPDATE: Final = "projects:roles:update"
PROJECTS_ROLES_DELETE: Final = "projects:roles:delete"
PROJECTS_ROLES_ASSIGN: Final = "projects:roles:assign"
PROJECTS_ROLES_REMOVE: Final = "projects:roles:remove"
PROJECTS_ATTRIBUTE_VISIBILITY_READ: Final = "projects:attribute-visibility:read"
PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE: Final = "projects:attribute-visibility:manage"
PROJECTS_API_KEYS_READ: Final = "projects:api-keys:read"
PROJECTS_API_KEYS_MANAGE: Final = "projects:api-keys:manage"
PROJECTS_AUDIT_READ: Final = "projects:audit:read"

DATASOURCES_READ: Final = "datasources:read"
DATASOURCES_CREATE: Final = "datasources:create"
DATASOURCES_UPDATE: Final = "datasources:update"
DATASOURCES_DELETE: Final = "datasources:delete"

DATASETS_READ: Final = "datasets:read"
DATASETS_CREATE: Final = "datasets:create"
DATASETS_UPDATE: Final = "datasets:update"
DATASETS_DELETE: Final = "datasets:delete"
DATASETS_IMPORT: Final = "datasets:import"
DATASETS_EXPORT: Final = "datasets:export"
DATASETS_ROWS_CREATE: Final = "datasets:rows:create"

TRACES_READ: Final = "traces:read"
CONVERSATIONS_READ: Final = "conversations:read"

PROMPTS_READ: Final = "prompts:read"
PROMPTS_CREATE: Final = "prompts:create"
PROMPTS_UPDATE: Final = "prompts:update"
PROMPTS_DELETE: Final = "prompts:delete"
PROMPTS_RUN: Final = "prompts:run"

EXPERIMENTS_READ: Final = "experiments:read"
EXPERIMENTS_CREATE: Final = "experiments:create"
EXPERIMENTS_UPDATE: Final = "experiments:update"
EXPERIMENTS_DELETE: Final = "experiments:delete"
EXPERIMENTS_RERUN: Final = "experiments:rerun"

EVALUATIONS_READ: Final = "evaluations:read"
EVALUATIONS_CREATE: Final = "evaluations:create"
EVALUATIONS_UPDATE: Final = "evaluations:update"
EVALUATIONS_DELETE: Final = "evaluations:delete"
EVALUATIONS_RERUN: Final = "evaluations:rerun"
EVALUATIONS_RESULTS_READ: Final = "evaluations:results:read"

JOBS_READ: Final = "jobs:read"
JOBS_MANAGE: Final = "jobs:manage"

SCORES_READ: Final = "scores:read"
SCORES_CREATE: Final = "scores:create"
SCORES_UPDATE: Final = "scores:update"
SCORES_DELETE: Final = "scores:delete"

ANNOTATION_QUEUES_READ: Final = "annotation-queues:read"
ANNOTATION_QUEUES_CREATE: Final = "annotation-queues:create"
ANNOTATION_QUEUES_UPDATE: Final = "annotation-queues:update"
ANNOTATION_QUEUES_DELETE: Final = "annotation-queues:delete"
ANNOTATION_QUEUES_TRACES_CREATE: Final = "annotation-queues:traces:create"
ANNOTATION_QUEUES_TRACES_DELETE: Final = "annotation-queues:traces:delete"
ANNOTATION_QUEUES_CONVERSATIONS_CREATE: Final = "annotation-queues:conversations:create"
ANNOTATION_QUEUES_CONVERSATIONS_DELETE: Final = "annotation-queues:conversations:delete"

ANNOTATIONS_READ: Final = "annotations:read"
ANNOTATIONS_CREATE: Final = "annotations:create"
ANNOTATIONS_UPDATE: Final = "annotations:update"
ANNOTATIONS_DELETE: Final = "annotations:delete"

MODEL_CONFIGURATIONS_READ: Final = "model-configurations:read"
MODEL_CONFIGURATIONS_CREATE: Final = "model-configurations:create"
MODEL_CONFIGURATIONS_UPDATE: Final = "model-configurations:update"
MODEL_CONFIGURATIONS_DELETE: Final = "model-configurations:delete"

CONVERSATION_CONFIGURATIONS_READ: Final = "conversation-configurations:read"
CONVERSATION_CONFIGURATIONS_CREATE: Final = "conversation-configurations:create"
CONVERSATION_CONFIGURATIONS_UPDATE: Final = "conversation-configurations:update"
CONVERSATION_CONFIGURATIONS_DELETE: Final = "conversation-configurations:delete"

ENTITIES_READ: Final = "entities:read"
ENTITIES_CREATE: Final = "entities:create"
ENTITIES_UPDATE: Final = "entities:update"
ENTITIES_DELETE: Final = "entities:delete"

_NAMED: Final = tuple(v for name, v in tuple(globals().items()) if name.isupper() and isinstance(v, str))


class Level(StrEnum):
    """How far a role or a permission reaches. A role holds permissions of its own level and of those below."""

    INSTANCE = "instance"
    ORGANISATION = "organisation"
    PROJECT = "project"


_CONFIGURATION = ("datasources:", "model-configurations:", "conversation-configurations:", "entities:")
"""What belongs to the organisation and is read in its projects: a project role reads it, never changes it."""


def _level(permission: str) -> Level:
    if permission == ALL:
        return Level.INSTANCE
    if permission.startswith("organisations:") or permission == PROJECTS_CREATE:
        return Level.ORGANISATION
    if permission.startswith(_CONFIGURATION) and not permission.endswith(":read"):
        return Level.ORGANISATION
    return Level.PROJECT


LEVELS: Final[dict[str, Level]] = {permission: _level(permission) for permission in _NAMED}
"""Every permission and its level, in the order above."""

_REACH: Final = {
    Level.INSTANCE: frozenset(LEVELS),
    Level.ORGANISATION: frozenset(p for p, level in LEVELS.items() if level is not Level.INSTANCE),
    Level.PROJECT: frozenset(p for p, level in LEVELS.items() if level is Level.PROJECT),
}


def within(level: Level) -> frozenset[str]:
    """Returns the permissions that a role of `level` may hold; `*` is for the instance's only."""
    return _REACH[level]


def covers(held: Iterable[str], wanted: Iterable[str]) -> bool:
    """True when whoever holds `held` may hand out `wanted`: nobody gives what they do not have."""
    mine = frozenset(held)
    return ALL in mine or frozenset(wanted) <= mine


@dataclass(frozen=True, slots=True)
class SystemRole:
    """A role that every instance has. Its row is laid by the first migration; what it may do stands here."""

    id: UUID
    name: str
    level: Level
    description: str
    permissions: frozenset[str]


_CONFIGURATION_READ = frozenset({ENTITIES_READ, CONVERSATION_CONFIGURATIONS_READ, MODEL_CONFIGURATIONS_READ})
_WORK = frozenset(p for p in _REACH[Level.PROJECT] if not p.startswith("projects:"))
_VIEW = frozenset(p for p in _WORK if p.endswith(":read")) | {PROJECTS_READ}

OWNER: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000001"),
    "Owner",
    Level.INSTANCE,
    "Everything, in every organisation of this instance.",
    frozenset({ALL}),
)
ORGANISATION_ADMIN: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000002"),
    "Organisation Admin",
    Level.ORGANISATION,
    "Everything in the organisation and in all of its projects.",
    _REACH[Level.ORGANISATION],
)
ORGANISATION_MEMBER: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000003"),
    "Organisation Member",
    Level.ORGANISATION,
    "Belongs to the organisation; projects are joined one by one.",
    _CONFIGURATION_READ | {ORGANISATIONS_READ},
)
PROJECT_ADMIN: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000004"),
    "Project Admin",
    Level.PROJECT,
    "Everything in the project: its work, members, roles, API keys and attribute visibility.",
    _REACH[Level.PROJECT],
)
MEMBER: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000005"),
    "Member",
    Level.PROJECT,
    "Works in the project: reads traces, changes datasets, prompts, experiments, evaluations and annotations.",
    _WORK | {PROJECTS_READ},
)
VIEWER: Final = SystemRole(
    UUID("00000000-0000-7000-8000-000000000006"),
    "Viewer",
    Level.PROJECT,
    "Reads what is in the project.",
    _VIEW,
)

SYSTEM_ROLES: Final[dict[UUID, SystemRole]] = {
    role.id: role for role in (OWNER, ORGANISATION_ADMIN, ORGANISATION_MEMBER, PROJECT_ADMIN, MEMBER, VIEWER)
}


class KeyScope(StrEnum):
    """What an API key may do in its project. It counts as a system role, for attribute visibility as well."""

    READ = "read"
    READ_WRITE = "read-write"

    @property
    def role(self) -> SystemRole:
        """The role a key of this scope stands for: a key works in a project, it never administers one."""
        return VIEWER if self is KeyScope.READ else MEMBER
