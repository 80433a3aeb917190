"""Where a signed-in person can go: the projects of their organisations, for the switcher in the rail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.datastructures import State
from starlette.requests import Request

from arcane.access import permissions as p
from arcane.access.lookups import Address
from arcane.access.tables import Organisation
from arcane.kit.actor import Actor
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import Problem
from web.shell import Place

MOST_ORGANISATIONS: Final = 20
MOST_PROJECTS: Final = 50


class Places:
    """Asks the services who this person is in each organisation, and what they see there (web.shell.Directory)."""

    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        """Returns projects of the person who is signed in, by name: a bounded number, and the one they are in."""
        session = getattr(request.state, "session", None)
        if session is None:
            return ()
        state = request.app.state
        anywhere = await state.authoriser.actor_of(session, None)
        organisations = await state.organisations.page(anywhere, PageRequest(limit=MOST_ORGANISATIONS))
        found: list[Place] = []
        for organisation in organisations.items:
            there = await state.authoriser.actor_of(session, Address(organisation_id=organisation.id))
            found += await _places_of(state, replace(there, project_id=None), organisation)
        found += await _addressed(request, found)
        return sorted(found, key=lambda place: (place.organisation_name.lower(), place.project_name.lower()))

    async def actor_at(self, request: Request, place: Place) -> Actor:
        """Returns who the person that is signed in is in the project of `place`."""
        address = Address(organisation_slug=place.organisation, project_slug=place.project)
        actor: Actor = await request.app.state.authoriser.actor_of(request.state.session, address)
        return actor


async def _places_of(state: State, there: Actor, organisation: Organisation) -> list[Place]:
    """Returns the project that `there` names, or as many of the organisation's as are listed."""
    if there.project_id is None:
        projects = list((await state.projects.page(there, PageRequest(limit=MOST_PROJECTS))).items)
    else:
        projects = [await state.projects.get(there)]
    reads = there.may(p.DATASOURCES_READ), there.may(p.MODEL_CONFIGURATIONS_READ)
    return [
        Place(organisation.slug, organisation.name, project.slug, project.name, project.id, *reads)
        for project in projects
    ]


async def _addressed(request: Request, listed: Sequence[Place]) -> list[Place]:
    """Returns what the address names where it is not among those that are listed: somebody may have very many."""
    organisation, project = (request.path_params.get(name) for name in ("organisation", "project"))
    here = [place for place in listed if place.organisation == organisation]
    if not organisation or any(not project or place.project == project for place in here):
        return []
    state = request.app.state
    address = Address(organisation_slug=organisation, project_slug=project)
    try:
        there = await state.authoriser.actor_of(request.state.session, address)
        return await _places_of(state, there, await state.organisations.get(there))
    except Problem:  # there is no such place, or it is not theirs to know; the page says so
        return []
