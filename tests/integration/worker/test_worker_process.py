"""A real worker process against a WorkerService behind HTTP: it announces itself, reports its health, stops."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
import uvicorn
from anyio.abc import Process
from fastapi import FastAPI, Request

from arcane.kit.clock import SystemClock
from arcane.kit.http import install_problem_handlers
from arcane.workers.endpoints import internal_router
from arcane.workers.leases import LeaseService
from arcane.workers.service import WorkerService
from tests.support.workers import door_of

pytestmark = pytest.mark.anyio

KEY = "a-key-that-only-this-test-uses-0123456789"


class NoBrowsers:
    """Public routes ask whether a request comes from somebody else's page; no browser comes here."""

    def check_public(self, _request: Request) -> None:
        return


@asynccontextmanager
async def backend(bound: socket.socket) -> AsyncIterator[WorkerService]:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(internal_router)
    app.state.authoriser = NoBrowsers()
    door = app.state.worker_door = door_of(KEY, SystemClock())
    app.state.leases = LeaseService(door, None)
    app.state.workers = service = WorkerService(door, SystemClock())
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [bound])
        yield service
        server.should_exit = True


def free_port() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@asynccontextmanager
async def worker(backend_port: int, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    given = {"KEY": KEY, "BACKEND_URL": f"http://127.0.0.1:{backend_port}", "HEALTH_PORT": "0", "NAME": "w1"} | settings
    environment = {"PATH": os.defpath} | {f"ARCANE_WORKER__{name}": value for name, value in given.items()}
    async with await anyio.open_process([sys.executable, "-m", "worker.main", *arguments], env=environment) as process:
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()


async def lines_until(process: Process, word: str) -> str:
    """Everything the worker logged until `word` came."""
    assert process.stderr is not None
    seen = ""
    with anyio.fail_after(20):
        while word not in seen:
            seen += (await process.stderr.receive()).decode()
    return seen


async def test_announces_itself_tells_its_parent_and_ends_with_it() -> None:
    with free_port() as bound:
        port = bound.getsockname()[1]
        async with backend(bound) as service, worker(port, "--supervised") as process:
            assert process.stdout is not None
            assert process.stdin is not None
            with anyio.fail_after(20):
                assert await process.stdout.receive() == b"ready\n"
            assert [there.announcement.name for there in service.present()] == ["w1"]
            await process.stdin.aclose()
            with anyio.fail_after(10):
                assert await process.wait() == 0


async def test_is_alive_without_its_backend_and_ready_once_it_is_there() -> None:
    with free_port() as bound, free_port() as health:
        port, health_port = bound.getsockname()[1], health.getsockname()[1]
        health.close()
        async with worker(port, HEALTH_PORT=str(health_port)) as process, httpx.AsyncClient() as client:  # noqa: TID251
            await lines_until(process, "backend_unreachable")
            address = f"http://127.0.0.1:{health_port}/health"
            assert (await client.get(address)).json() == {"status": "ok"}
            waiting = await client.get(f"{address}/ready")
            assert (waiting.status_code, waiting.json()) == (503, {"status": "waiting"})
            async with backend(bound):
                await lines_until(process, "backend_reached")
                assert (await client.get(f"{address}/ready")).status_code == 200
            assert (await client.get(f"{address}/elsewhere")).status_code == 404
            assert (await client.post(address)).status_code == 405
            process.send_signal(signal.SIGTERM)
            with anyio.fail_after(10):
                assert await process.wait() == 0


async def test_says_why_the_backend_refuses_it() -> None:
    with free_port() as bound:
        async with backend(bound), worker(bound.getsockname()[1], KEY="another-key-0123456789-0123456789") as process:
            assert "the signature does not fit" in await lines_until(process, "backend_refused")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"KEY": "short"}, "arcane: ARCANE_WORKER__KEY: "),
        ({"HEALTH_PORT": "many"}, "arcane: ARCANE_WORKER__HEALTH_PORT: "),
        ({"HEALTH_HOST": "203.0.113.1"}, "choose another ARCANE_WORKER__HEALTH_PORT"),
    ],
)
async def test_tells_a_wrong_setting_in_one_line(settings: dict[str, str], said: str) -> None:
    async with worker(1, **settings) as process:
        told = await lines_until(process, "\n")
        assert said in told
        assert "Traceback" not in told
        assert await process.wait() == 1
