"""The worker: a process of its own that does the long work, and touches neither the database nor a datasource (R2)."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from importlib.metadata import version

import anyio
from msgspec import structs
from pydantic import ValidationError

from arcane.kit.clock import SystemClock
from arcane.kit.lasting import settle
from arcane.kit.logging import configure_logging, get_logger
from arcane.kit.supervised import say_ready, until_parent_ends
from arcane.messaging.connect import DriverMissing
from arcane.messaging.kafka_address import BadAddress
from arcane.messaging.sessions import Grant
from arcane.messaging.workers import WorkerAnnouncement
from worker.api import Door
from worker.backend import Backend
from worker.consume import work
from worker.crew import Crew
from worker.desk import Desk
from worker.executors import Executors, Idle
from worker.generating import Generate
from worker.health import Health
from worker.heartbeat import Heartbeat
from worker.llm.models import Models
from worker.meters import Meters
from worker.scoring.executing import Scoring
from worker.scoring.judging import Judge
from worker.scoring.registry import Registry
from worker.serving import listening, own_address, serve
from worker.settings import Settings, WorkerSettings
from worker.shift import Shift

log = get_logger("worker.main")


async def run(settings: Settings, *, supervised: bool) -> None:
    """Works until the process is told to end (or its parent ends, when `supervised`)."""
    clock, own = SystemClock(), settings.worker
    bound = listening(own.health_host, own.health_port)
    port = bound.getsockname()[1]
    grants = [grant for grant in Grant if grant is not Grant.QUEUE or settings.broker.url is None]
    async with AsyncExitStack() as opened:
        backend = await opened.enter_async_context(Backend.connected(own, clock, grants))
        meters = Meters()
        models = await opened.enter_async_context(Models.opened(settings.llm, settings.egress, meters))
        group = await opened.enter_async_context(anyio.create_task_group())
        registry = Registry.load()
        judge = Judge(registry)
        executors = executors_of(models, judge)
        announcement = _announcement(settings.worker, executors, clock.now(), port)
        heartbeat = Heartbeat(backend, structs.replace(announcement, scorers=registry.announced()))
        door = Door(Health(lambda: heartbeat.heard), models, judge, own, clock, meters)
        group.start_soon(serve, door, bound)
        group.start_soon(heartbeat.run)
        log.info("worker_started", worker=own.name, health_port=port)
        if supervised:
            group.start_soon(_tell_parent, heartbeat)
        ending = anyio.Event()
        group.start_soon(_set_when_told_to_end, ending, supervised)
        settle()
        crew = Crew(own.concurrency, own.per_organisation)
        shift = Shift(Desk(backend, own.claim_timeout_s), executors, crew, own.ahead, meters)
        await work(shift, settings.broker, clock, grace_s=own.grace_s, ending=ending)
        group.cancel_scope.cancel()
    log.info("worker_stopped", worker=own.name)


def executors_of(models: Models, judge: Judge) -> Executors:
    """Returns who does what in this worker, by the tag of the spec."""
    return Executors({"idle": Idle(), "generate": Generate(models), "score": Scoring(judge, models)})


def _announcement(own: WorkerSettings, executors: Executors, now: datetime, port: int) -> WorkerAnnouncement:
    return WorkerAnnouncement(
        name=own.name,
        version=version("arcane"),
        started_at=now,
        runs=executors.tags,
        url=own.url or own_address(own.health_host, port),
    )


async def _set_when_told_to_end(ending: anyio.Event, supervised: bool) -> None:
    await _until_told_to_end(supervised=supervised)
    ending.set()


async def _tell_parent(heartbeat: Heartbeat) -> None:
    await heartbeat.announced.wait()
    say_ready()


async def _until_told_to_end(*, supervised: bool) -> None:
    async with anyio.create_task_group() as group:

        async def parent() -> None:
            await until_parent_ends()
            group.cancel_scope.cancel()

        async def signals() -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
                async for _ in received:
                    group.cancel_scope.cancel()

        group.start_soon(signals)
        if supervised:
            group.start_soon(parent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code; what is wrong with the settings is told in one line."""
    parser = argparse.ArgumentParser(prog="arcane worker", description="Runs the work that the backend hands out.")
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    supervised = parser.parse_args(arguments).supervised
    try:
        settings = Settings()
    except ValidationError as exc:
        return _fail(_first_fault(exc))
    configure_logging(settings.log.level, json_lines=settings.log.json_lines)
    try:
        anyio.run(lambda: run(settings, supervised=supervised), backend_options={"use_uvloop": True})
    except (BadAddress, DriverMissing) as exc:
        return _fail(f"ARCANE_BROKER__URL: {exc}")
    except OSError as exc:
        where = f"{settings.worker.health_host}:{settings.worker.health_port}"
        return _fail(f"cannot listen on {where}: {exc.strerror}; choose another ARCANE_WORKER__HEALTH_PORT")
    return 0


def _first_fault(exc: ValidationError) -> str:
    fault = exc.errors(include_input=False, include_url=False)[0]
    return f"ARCANE_{'__'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"


def _fail(line: str) -> int:
    sys.stderr.write(f"arcane: {line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
