"""Workers announce themselves; the instance's owner sees who is there."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from arcane.access import permissions
from arcane.kit.actor import Actor
from arcane.kit.guard import public, requires
from arcane.kit.hangup import while_open
from arcane.messaging.leases import EXTENSIONS_PATH, LEASES_PATH, SETTLEMENTS_PATH
from arcane.messaging.sessions import SESSIONS_PATH
from arcane.messaging.workers import ANNOUNCEMENTS_PATH
from arcane.workers.leases import LeaseService
from arcane.workers.schemas import Worker, Workers
from arcane.workers.service import WorkerService
from arcane.workers.sessions import WorkerDoor

router = APIRouter(tags=["workers"])
internal_router = APIRouter(include_in_schema=False)

_SIGNED = "signed with the key of a worker's session"


@internal_router.post(SESSIONS_PATH, dependencies=[public("signed with the key that backend and workers share")])
async def open_session(request: Request) -> Response:
    """A worker trades the key that all share for one of its own, for a while."""
    door: WorkerDoor = request.app.state.worker_door
    return _json(door.open(await request.body(), request.headers))


@internal_router.post(ANNOUNCEMENTS_PATH, status_code=204, dependencies=[public(_SIGNED)])
async def announce(request: Request) -> Response:
    """A worker says that it is there, and what it can run."""
    workers: WorkerService = request.app.state.workers
    workers.announce(await request.body(), request.headers)
    return Response(status_code=204)


@internal_router.post(LEASES_PATH, dependencies=[public(_SIGNED)])
async def lease(request: Request) -> Response:
    """A worker borrows jobs; the answer waits for the first one."""
    leases: LeaseService = request.app.state.leases
    body = await request.body()

    async def lend() -> Response:
        return _json(await leases.lease(body, request.headers))

    return await while_open(request, lend)


@internal_router.post(SETTLEMENTS_PATH, dependencies=[public(_SIGNED)])
async def settle(request: Request) -> Response:
    """A worker gives jobs up: done, failed, or not begun."""
    leases: LeaseService = request.app.state.leases
    return _json(await leases.settle(await request.body(), request.headers))


@internal_router.post(EXTENSIONS_PATH, dependencies=[public(_SIGNED)])
async def extend(request: Request) -> Response:
    """A worker still works on what it borrowed."""
    leases: LeaseService = request.app.state.leases
    return _json(await leases.extend(await request.body(), request.headers))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


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
