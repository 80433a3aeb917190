"""The list of permissions and the system roles are the original's, with the holes closed."""

from __future__ import annotations

import pytest

from arcane.access.permissions import (
    ALL,
    LEVELS,
    MEMBER,
    ORGANISATION_ADMIN,
    ORGANISATION_MEMBER,
    OWNER,
    PROJECT_ADMIN,
    SYSTEM_ROLES,
    VIEWER,
    KeyScope,
    Level,
    covers,
    within,
)
from tests.unit.access.permission_tables import PAGE, rewritten

ORIGINAL = """
organisations: read update delete members:read members:create members:update members:delete roles:read roles:create
    roles:update roles:delete configurations:read
projects: create read update delete members:read members:create members:delete roles:read roles:create roles:update
    roles:delete roles:assign roles:remove attribute-visibility:read attribute-visibility:manage api-keys:read
    api-keys:manage
datasources: read create update delete
datasets: read create update delete import export rows:create
traces: read
conversations: read
prompts: read create update delete
experiments: read create update delete rerun
evaluations: read create update delete rerun results:read
scores: read create update delete
annotation-queues: read create update delete traces:create traces:delete conversations:create conversations:delete
annotations: read create update delete
model-configurations: read create update delete
conversation-configurations: read create update delete
entities: read create update delete
"""
OUR_OWN = {"organisations:audit:read", "projects:audit:read", "prompts:run", "jobs:read", "jobs:manage"}


def _original() -> set[str]:
    found, resource = {ALL}, ""
    for word in ORIGINAL.split():
        if word.endswith(":"):
            resource = word
        else:
            found.add(resource + word)
    return found


def test_all_permissions_of_the_original_are_there_and_five_of_our_own() -> None:
    assert len(_original()) == 86
    assert set(LEVELS) == _original() | OUR_OWN


def test_only_the_owner_holds_everything() -> None:
    assert OWNER.permissions == {ALL}
    assert all(ALL not in role.permissions for role in SYSTEM_ROLES.values() if role is not OWNER)


def test_a_role_holds_nothing_above_its_level() -> None:
    for role in SYSTEM_ROLES.values():
        assert role.permissions <= within(role.level), role.name


def test_a_projects_role_changes_nothing_of_the_organisation() -> None:
    for role in (PROJECT_ADMIN, MEMBER, VIEWER):
        held = {p for p in role.permissions if p.startswith("organisations:") or p == "projects:create"}
        shared = ("datasources:", "model-configurations:", "conversation-configurations:", "entities:")
        changes = {p for p in role.permissions if p.startswith(shared) and not p.endswith(":read")}
        assert held == changes == set(), role.name


def test_roles_grow_from_viewer_to_admin() -> None:
    assert VIEWER.permissions < MEMBER.permissions < PROJECT_ADMIN.permissions < ORGANISATION_ADMIN.permissions
    assert all(permission.endswith(":read") for permission in VIEWER.permissions)
    assert ORGANISATION_MEMBER.permissions == {
        "organisations:read",
        "entities:read",
        "conversation-configurations:read",
        "model-configurations:read",
    }


def test_the_pages_of_keys_visibility_and_roles_are_for_admins() -> None:
    administration = {p for p in LEVELS if p.startswith(("projects:api-keys", "projects:attribute", "projects:roles"))}
    assert len(administration) == 10
    assert administration <= PROJECT_ADMIN.permissions & ORGANISATION_ADMIN.permissions
    assert not administration & MEMBER.permissions


@pytest.mark.parametrize("scope", list(KeyScope))
def test_a_key_never_administers(scope: KeyScope) -> None:
    assert {p for p in scope.role.permissions if p.startswith(("projects:", "organisations:"))} == {"projects:read"}
    if scope is KeyScope.READ:
        assert all(permission.endswith(":read") for permission in scope.role.permissions)


def test_nobody_gives_what_they_do_not_hold() -> None:
    assert covers({ALL}, {ALL, "traces:read"})
    assert covers({"traces:read"}, {"traces:read"})
    assert not covers({"traces:read"}, {"traces:read", "datasets:read"})
    assert not covers(within(Level.ORGANISATION), {ALL})


def test_the_page_says_what_the_code_does() -> None:
    page = PAGE.read_text()
    assert page == rewritten(page), "run `python -m tests.unit.access.permission_tables`"
