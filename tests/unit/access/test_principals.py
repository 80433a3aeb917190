"""From grants to what somebody may do at a place: the rules of arcane/access/principals.py as laws."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.access.permissions import LEVELS, ORGANISATION_MEMBER, SYSTEM_ROLES, KeyScope, Level, within
from arcane.access.principals import Grant, KeyPrincipal, Place, SignedIn, UserPrincipal
from arcane.kit.actor import Actor
from arcane.kit.problems import NotFound

ORGANISATIONS = [UUID(int=1), UUID(int=2)]
PROJECTS = {UUID(int=11): ORGANISATIONS[0], UUID(int=12): ORGANISATIONS[0], UUID(int=21): ORGANISATIONS[1]}
PLACES = [Place(o, str(o)) for o in ORGANISATIONS] + [Place(o, str(o), p, str(p)) for p, o in PROJECTS.items()]


def _user(*grants: Grant, owner: bool = False) -> UserPrincipal:
    session = SignedIn(UUID(int=99), "Ada", "ada@a.test", owner, UUID(int=98), "csrf", datetime.now(UTC))
    return UserPrincipal(session, grants)


def _actor(principal: UserPrincipal | KeyPrincipal, place: Place | None) -> Actor | None:
    try:
        return principal.actor_at(place)
    except NotFound:
        return None


roles = st.one_of(
    st.sampled_from([role.id for role in SYSTEM_ROLES.values()]), st.integers(1000, 1010).map(lambda n: UUID(int=n))
)
stored = st.sets(st.sampled_from(list(LEVELS)), max_size=8)
at = st.one_of(
    st.sampled_from([(o, None) for o in ORGANISATIONS]), st.sampled_from([(o, p) for p, o in PROJECTS.items()])
)
grants = st.lists(st.builds(Grant.of, at, st.one_of(st.none(), roles), stored), max_size=6)


@given(grants)
def test_nobody_but_the_owner_holds_the_wildcard_whatever_is_stored(held: list[Grant]) -> None:
    for place in PLACES:
        actor = _actor(_user(*held), place)
        assert actor is None or "*" not in actor.permissions


@given(grants)
def test_project_roles_change_nothing_in_the_organisation(held: list[Grant]) -> None:
    general = [grant for grant in held if grant.project_id is None]
    for place in PLACES[:2]:
        assert _actor(_user(*held), place) == _actor(_user(*general), place)


@given(grants)
def test_grants_elsewhere_change_nothing_here(held: list[Grant]) -> None:
    for place in PLACES:
        here = [
            grant
            for grant in held
            if grant.organisation_id == place.organisation_id and grant.project_id in (None, place.project_id)
        ]
        assert _actor(_user(*held), place) == _actor(_user(*here), place)


@given(grants)
def test_without_a_role_in_the_organisation_everything_is_strange(held: list[Grant]) -> None:
    special = [grant for grant in held if grant.project_id is not None]
    assert [_actor(_user(*special), place) for place in PLACES] == [None] * len(PLACES)


@given(grants)
def test_organisation_permissions_in_a_project_come_from_the_organisation(held: list[Grant]) -> None:
    for place in PLACES[2:]:
        inside, outside = _actor(_user(*held), place), _actor(_user(*held), Place(place.organisation_id, ""))
        if inside is not None:
            assert outside is not None
            assert inside.permissions - within(Level.PROJECT) == outside.permissions - within(Level.PROJECT)


def test_the_owner_is_at_home_everywhere() -> None:
    for place in (None, *PLACES):
        actor = _user(owner=True).actor_at(place)
        assert actor.permissions == {"*"}
        assert actor.tenant.instance is (place is None)


def test_a_signed_in_user_may_nothing_at_the_instance() -> None:
    member = Grant.of((ORGANISATIONS[0], None), ORGANISATION_MEMBER.id, None)
    assert _user(member).actor_at(None).permissions == frozenset()


@pytest.mark.parametrize("scope", list(KeyScope))
def test_a_key_is_known_in_its_organisation_and_works_in_its_project(scope: KeyScope) -> None:
    project = UUID(int=11)
    key = KeyPrincipal(UUID(int=7), "ci", scope, None, PROJECTS[project], project)
    known = {place.project_id or place.organisation_id: _actor(key, place) for place in PLACES}
    assert {where for where, actor in known.items() if actor is not None} == {PROJECTS[project], project}
    assert known[PROJECTS[project]].permissions == frozenset()  # type: ignore[union-attr]
    assert known[project].permissions == scope.role.permissions  # type: ignore[union-attr]
    assert key.actor_at(None).permissions == frozenset()
