"""Workers announce themselves; the instance's owner sees who is there."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from arcane.access import permissions
from arcane.kit.actor import Actor
from arcane.kit.guard import public, requires
from arcane.messaging.workers import ANNOUNCEMENTS_PATH
from arcane.workers.schemas import Worker, Workers
from arcane.workers.service import WorkerService

router = APIRouter(tags=["workers"])
internal_router = APIRouter(include_in_schema=False)


@internal_router.post(
    ANNOUNCEMENTS_PATH, status_code=204, dependencies=[public("signed with the key that backend and workers share")]
)
async def announce(request: Request) -> Response:
    """A worker says that it is there, and what it can run."""
    workers: WorkerService = request.app.state.workers
    workers.announce(await request.body(), request.headers)
    return Response(status_code=204)


@router.get("/workers")
async def list_workers(request: Request, actor: Actor = requires(permissions.ALL)) -> Workers:
    """Returns the workers that were heard in the last half minute."""
    workers: WorkerService = request.app.state.workers
    return Workers(
        items=[
            Worker(
                name=worker.announcement.name,
                version=worker.announcement.version,
                started_at=worker.announcement.started_at,
                heard_at=worker.heard_at,
                runs=list(worker.announcement.runs),
            )
            for worker in workers.present()
        ],
        next=None,
    )
