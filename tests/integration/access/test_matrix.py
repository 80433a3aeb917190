"""Every route of the whole application, as everybody: the guard decides what the permissions say, nothing else.

The routes are those of the application itself, so a route of any slice is covered the day it exists.
Each guard is followed by a stop, so that a call that is let in changes nothing: what a route does
once somebody is in is its own slice's test.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from arcane.access.permissions import (
    LEVELS,
    MEMBER,
    ORGANISATION_ADMIN,
    ORGANISATION_MEMBER,
    OWNER,
    PROJECT_ADMIN,
    VIEWER,
    SystemRole,
    within,
)
from arcane.kit.guard import Guard
from arcane.kit.problems import Problem
from arcane.main import create_app
from arcane.settings import Settings
from tests.integration.access.conftest import Acme, Furnished, acme_again
from tests.integration.access.house import CHEAP, Browser, House, Program, house_settings
from tests.support.postgres import MigratedDatabase, Server, cloned
from tests.support.routes import DeclaredRoute, guards_of, routes_of

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

LET_IN = 299


class LetIn(Problem):
    """The guard let the caller in."""

    status = LET_IN
    slug = "let-in"
    title = "Let in"


@dataclass(frozen=True, slots=True)
class Town:
    """The application, an organisation with everybody in it, and a stranger."""

    app: FastAPI
    acme: Acme
    stranger: Browser
    routes: tuple[DeclaredRoute, ...]

    def path(self, route: DeclaredRoute) -> str:
        """The route's path, with the organisation's and the project's own names in it."""
        names = {
            "organisation_id": self.acme.organisation["id"],
            "project_id": self.acme.project["id"],
            "organisation": self.acme.organisation["slug"],
            "project": self.acme.project["slug"],
        }
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: names.get(found[1], "0" * 32), route.path)


@asynccontextmanager
async def _backend(stored: MigratedDatabase) -> AsyncIterator[House]:
    app = create_app(house_settings(stored))
    async with app.router.lifespan_context(app):
        state: Any = app.state
        state.accounts = replace(state.accounts, passwords=CHEAP)
        state.invitations = replace(state.invitations, accounts=state.accounts)
        yield House(app, state, state.database, state.announcer, state.settings, stored)


@pytest.fixture
async def town(postgres_server: Server, furnished: Furnished) -> AsyncIterator[Town]:
    async with cloned(postgres_server, furnished["template"]) as stored, _backend(stored) as house:
        acme = acme_again(house, furnished)
        elsewhere = await house.organisation(acme.owner, "Umbrella")
        stranger = await house.member(acme.owner, elsewhere, "stranger@umbrella.test", ORGANISATION_ADMIN.id)
        for guard in guards_of(house.app):
            house.app.dependency_overrides[guard] = _stopping(guard)
        yield Town(house.app, acme, stranger, tuple(routes_of(house.app)))


def _stopping(guard: Guard) -> Any:
    async def stop(request: Request) -> None:
        await guard(request)
        raise LetIn("let in")

    return stop


def _scope(route: DeclaredRoute) -> str:
    if "{project_id}" in route.path or "{project}" in route.path:
        return "project"
    return "organisation" if "{organisation_id}" in route.path or "{organisation}" in route.path else "instance"


def _expected(route: DeclaredRoute, organisation_role: SystemRole | None, project_role: SystemRole | None) -> int:
    """What the rules of arcane/access/principals.py say, worked out from the tables of roles alone."""
    permission, scope = route.access.permission, _scope(route)
    if route.access.by_key:
        return 401
    if organisation_role is OWNER:
        return LET_IN
    if scope == "instance":
        return LET_IN if permission is None else 403
    if organisation_role is None:
        return 404
    held = organisation_role.permissions
    if scope == "project":
        if project_role is None and "projects:read" not in held:
            return 404
        held |= project_role.permissions if project_role else frozenset()
    return LET_IN if permission is None or permission in held else 403


def _guarded(town: Town) -> list[DeclaredRoute]:
    return [route for route in town.routes if route.access.public_reason is None]


async def _differences(town: Town, caller: Browser | Program, wanted: dict[DeclaredRoute, int]) -> list[str]:
    found = []
    for route, status in wanted.items():
        answer: httpx.Response = await caller.call(route.method, town.path(route))
        if answer.status_code != status:
            found.append(f"{route}: {answer.status_code} instead of {status}")
    return found


def test_every_route_declares_exactly_one_access() -> None:
    routes = routes_of(create_app(Settings()))
    assert len(routes) > 50
    assert [str(route) for route in routes if len(route.accesses) != 1] == []


def test_every_permission_that_a_route_asks_for_exists() -> None:
    routes = routes_of(create_app(Settings()))
    asked = {route.access.permission for route in routes} - {None}
    assert asked <= set(LEVELS)


def test_a_permission_is_asked_for_where_it_can_be_held() -> None:
    """`organisations:update` on a project's route could never be held by whoever works in the project."""
    above = [
        str(route)
        for route in routes_of(create_app(Settings()))
        if _scope(route) == "project" and route.access.permission not in {None, *within(LEVELS["projects:read"])}
    ]
    assert above == []


async def test_nobody_gets_in_without_credentials(town: Town) -> None:
    browser = town.acme.house.browser()
    for route in _guarded(town):
        answer = await browser.call(route.method, town.path(route))
        if route.path.startswith("/api/"):
            assert answer.status_code == 401, route
        else:
            sent_to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            assert answer.status_code == 401 or sent_to_sign_in, route


async def test_a_stranger_learns_nothing(town: Town) -> None:
    wanted = {route: _expected(route, None, None) for route in _guarded(town)}
    assert {404, 403, 401, LET_IN} == set(wanted.values())
    assert await _differences(town, town.stranger, wanted) == []


async def test_every_system_role_gets_what_it_holds_and_no_more(town: Town) -> None:
    acme = town.acme
    people: list[tuple[Browser, SystemRole, SystemRole | None]] = [
        (acme.owner, OWNER, None),
        (acme.admin, ORGANISATION_ADMIN, None),
        (acme.member, ORGANISATION_MEMBER, None),
        (acme.project_admin, ORGANISATION_MEMBER, PROJECT_ADMIN),
        (acme.project_member, ORGANISATION_MEMBER, MEMBER),
        (acme.viewer, ORGANISATION_MEMBER, VIEWER),
    ]
    for caller, organisation_role, project_role in people:
        wanted = {route: _expected(route, organisation_role, project_role) for route in _guarded(town)}
        name = (project_role or organisation_role).name
        assert await _differences(town, caller, wanted) == [], name


async def test_no_route_takes_a_change_without_the_token_of_the_session(town: Town) -> None:
    forged = replace(town.acme.owner, csrf_token="")
    changes = [route for route in _guarded(town) if route.method != "GET" and not route.access.by_key]
    assert len(changes) > 100
    wanted = dict.fromkeys(changes, 403)
    assert await _differences(town, forged, wanted) == []
    answer = await forged.call(changes[0].method, town.path(changes[0]))
    assert answer.json()["type"] == "/problems/cross-site-request"


@pytest.mark.parametrize(("scope", "role"), [("read", VIEWER), ("read-write", MEMBER)])
async def test_a_key_works_in_its_project_and_nowhere_else(town: Town, scope: str, role: SystemRole) -> None:
    town.app.dependency_overrides.clear()
    program = await town.acme.house.key(town.acme.owner, town.acme.project, scope)
    for guard in guards_of(town.app):
        town.app.dependency_overrides[guard] = _stopping(guard)
    wanted = {}
    for route in _guarded(town):
        permission = route.access.permission
        inside = route.access.by_key or _scope(route) == "project"
        allowed = permission is None or (inside and permission in role.permissions)
        wanted[route] = LET_IN if allowed else 403
    assert await _differences(town, program, wanted) == []


async def test_a_key_is_a_stranger_in_other_projects(town: Town) -> None:
    town.app.dependency_overrides.clear()
    acme = town.acme
    other = await acme.house.project(acme.owner, acme.organisation, "Other")
    program = await acme.house.key(acme.owner, other, "read-write")
    assert (await program.get(acme.in_project)).status_code == 404


async def test_a_place_that_is_not_there_looks_like_one_that_is_not_yours(town: Town) -> None:
    town.app.dependency_overrides.clear()
    theirs = await town.stranger.get(town.acme.in_project)
    nowhere = await town.stranger.get(f"/api/v1/projects/{'0' * 8}-0000-7000-8000-{'0' * 12}")
    nonsense = await town.stranger.get("/api/v1/projects/not-an-id")
    answers = [{**answer.json(), "instance": ""} for answer in (theirs, nowhere, nonsense)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["status"] == 404
