"""Where a signed-in person can go: the projects of their organisations, for the switcher in the rail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from arcane.access import permissions as p
from arcane.access.lookups import Address
from arcane.kit.actor import Actor
from arcane.kit.pagination import PageRequest
from web.shell import Place

MOST_ORGANISATIONS: Final = 20
MOST_PROJECTS: Final = 50


class Places:
    """Asks the services who this person is in each organisation, and what they see there (web.shell.Directory)."""

    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        """Returns the projects of the person who is signed in, by organisation and name; a bounded number."""
        session = getattr(request.state, "session", None)
        if session is None:
            return ()
        state = request.app.state
        anywhere = await state.authoriser.actor_of(session, None)
        organisations = await state.organisations.page(anywhere, PageRequest(limit=MOST_ORGANISATIONS))
        found: list[Place] = []
        for organisation in organisations.items:
            there = await state.authoriser.actor_of(session, Address(organisation_id=organisation.id))
            projects = await state.projects.page(replace(there, project_id=None), PageRequest(limit=MOST_PROJECTS))
            reads = there.may(p.DATASOURCES_READ), there.may(p.MODEL_CONFIGURATIONS_READ)
            found.extend(
                Place(organisation.slug, organisation.name, project.slug, project.name, project.id, *reads)
                for project in projects.items
            )
        return sorted(found, key=lambda place: (place.organisation_name.lower(), place.project_name.lower()))

    async def actor_at(self, request: Request, place: Place) -> Actor:
        """Returns who the person that is signed in is in the project of `place`."""
        address = Address(organisation_slug=place.organisation, project_slug=place.project)
        actor: Actor = await request.app.state.authoriser.actor_of(request.state.session, address)
        return actor
