"""The internal API of the ledger: workers claim jobs, send results, hear what was stopped, and ask for keys."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from arcane.jobs.service.desk import JobDesk
from arcane.kit.guard import public
from arcane.kit.hangup import while_open
from arcane.messaging.jobs import CLAIMS_PATH, CONTROL_PATH, KEYS_PATH, RESULTS_PATH

internal_router = APIRouter(include_in_schema=False)

_SIGNED = "signed with the key of a worker's session"


def _desk(request: Request) -> JobDesk:
    desk: JobDesk = request.app.state.job_desk
    return desk


@internal_router.post(CLAIMS_PATH, dependencies=[public(_SIGNED)])
async def claim_jobs(request: Request) -> Response:
    """A worker holds messages, and asks what there is to do."""
    return _json(await _desk(request).claim(await request.body(), request.headers))


@internal_router.post(RESULTS_PATH, dependencies=[public(_SIGNED)])
async def take_results(request: Request) -> Response:
    """A worker says what became of jobs."""
    return _json(await _desk(request).take(await request.body(), request.headers))


@internal_router.post(CONTROL_PATH, dependencies=[public(_SIGNED)])
async def control_runs(request: Request) -> Response:
    """A worker asks which of its runs are not to go on; the answer waits for a change."""
    body = await request.body()

    async def told() -> Response:
        return _json(await _desk(request).control(body, request.headers))

    return await while_open(request, told)


@internal_router.post(KEYS_PATH, dependencies=[public(_SIGNED)])
async def hand_out_key(request: Request) -> Response:
    """A worker needs the provider's key for a job that it runs."""
    return _json(await _desk(request).key(await request.body(), request.headers))


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json", headers={"cache-control": "no-store"})
