"""Ways in over HTTP. Each group of routes stands in its own file under `routes`."""

from __future__ import annotations

from fastapi import APIRouter

from arcane.access.routes import (
    accounts,
    instance,
    invitations,
    organisations,
    project_access,
    projects,
    roles,
)

router = APIRouter()
for part in (accounts, instance, organisations, invitations, roles, projects, project_access):
    router.include_router(part.router)
