"""The broker contract over the queues in the backend's own Postgres: from inside, and as a worker sees them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio
import pytest
import uvicorn
from fastapi import FastAPI, Request
from pydantic import SecretStr

from arcane.kit.announce import Announcer
from arcane.kit.clock import SystemClock
from arcane.kit.database import Database
from arcane.kit.http import install_problem_handlers
from arcane.kit.migrate import app_url
from arcane.messaging.broker import Broker, Delivery, RetryPolicy
from arcane.messaging.leased import LeasedQueues
from arcane.messaging.leases import Leased, LeaseRequest, Outcome, Settlement
from arcane.messaging.message import Message
from arcane.messaging.testing import RETRIES, BrokerContract, message, next_of, taken
from arcane.outbox.service import EmbeddedQueues
from arcane.workers.endpoints import internal_router
from arcane.workers.leases import LeaseService
from tests.support.postgres import MigratedDatabase
from tests.support.workers import door_of
from worker.backend import Backend
from worker.leases import BackendLeases
from worker.settings import WorkerSettings

KEY = "a-key-that-only-this-test-uses-0123456789"


@asynccontextmanager
async def queues(stored: MigratedDatabase, *, lease_s: float = 30.0) -> AsyncIterator[EmbeddedQueues]:
    """One backend's view of the queues; every call opens another one."""
    database, announcer = Database.connect(app_url(stored.settings)), Announcer(app_url(stored.settings))
    try:
        async with anyio.create_task_group() as group:
            await group.start(announcer.run)
            yield EmbeddedQueues(database, announcer, SystemClock(), RETRIES, lease_s)
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await database.aclose()


@pytest.mark.postgres
class TestFromInside(BrokerContract):
    @pytest.fixture(autouse=True)
    def _on(self, migrated_database: MigratedDatabase) -> None:
        self.stored = migrated_database

    @pytest.fixture
    async def broker(self) -> AsyncIterator[Broker]:
        async with self.again() as found:
            yield found

    def again(self) -> AbstractAsyncContextManager[Broker]:
        return queues(self.stored)

    async def test_a_message_that_is_published_twice_is_there_once(self, broker: Broker, queue: str) -> None:
        sent = message(queue)
        await broker.publish([sent])
        await broker.publish([sent, message(queue)])
        async with broker.consume(queue, at_once=5) as deliveries:
            assert len(set(await taken(deliveries, 2))) == 2

    async def test_a_lease_that_ended_goes_to_somebody_else(self, queue: str) -> None:
        sent = message(queue)
        async with queues(self.stored, lease_s=1.0) as first, queues(self.stored) as second:
            await first.publish([sent])
            answer = await first.lease(_request(queue))
            async with second.consume(queue, at_once=1) as deliveries:
                taken_over = await next_of(deliveries)
                assert taken_over.message.id == sent.id
                late = [_settled(leased) for leased in answer.leased]
                assert await first.settle(late) == ["lost"]
                await taken_over.ack()

    async def test_a_lease_is_kept_as_long_as_its_holder_works(self, queue: str) -> None:
        async with queues(self.stored, lease_s=1.0) as patient, queues(self.stored) as other:
            await patient.publish([message(queue)])
            async with patient.consume(queue, at_once=1) as deliveries:
                held = await next_of(deliveries)
                await anyio.sleep(2.5)
                assert not (await other.lease(_request(queue))).leased
                await held.ack()

    async def test_what_keeps_killing_its_holder_becomes_a_dead_letter(
        self, broker: EmbeddedQueues, queue: str
    ) -> None:
        await broker.publish([message(queue)])
        for _ in range(20):
            (leased,) = (await broker.lease(_request(queue))).leased
            await broker.settle([_settled(leased, Outcome.RELEASE)])
        assert not (await broker.lease(_request(queue))).leased
        async with broker.consume(queue + ".dead", at_once=1) as letters:
            assert "20 deliveries" in (await next_of(letters)).message.failures[-1].error


def _request(queue: str) -> LeaseRequest:
    return LeaseRequest(queue=queue, at_most=5, wait_s=0.2)


def _settled(leased: Leased, outcome: Outcome = Outcome.ACK) -> Settlement:
    return Settlement(leased.id, leased.lease, outcome)


class NoBrowsers:
    """Public routes ask whether a request comes from somebody else's page; no browser comes here."""

    def check_public(self, _request: Request) -> None:
        return


@asynccontextmanager
async def served(own: EmbeddedQueues) -> AsyncIterator[str]:
    """Yields the address of a backend's internal API."""
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(internal_router)
    app.add_api_route("/health", lambda: {"status": "ok"})
    app.state.authoriser = NoBrowsers()
    app.state.closing = anyio.Event()
    door = app.state.worker_door = door_of(KEY, SystemClock())
    app.state.leases = LeaseService(door, own)
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [bound])
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True


@dataclass
class AsAWorker(Broker):
    """Publishes as the backend does, consumes as a worker does."""

    own: EmbeddedQueues
    borrowed: LeasedQueues
    retries: RetryPolicy = RETRIES

    async def publish(self, messages: Sequence[Message]) -> None:
        await self.own.publish(messages)

    def consume(self, queue: str, *, at_once: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        return self.borrowed.consume(queue, at_once=at_once)

    async def answers(self, *, within_s: float) -> bool:
        return await self.borrowed.answers(within_s=within_s)


@pytest.mark.postgres
class TestAsAWorkerSeesThem(BrokerContract):
    @pytest.fixture(autouse=True)
    def _on(self, migrated_database: MigratedDatabase) -> None:
        self.stored = migrated_database

    @pytest.fixture
    async def broker(self) -> AsyncIterator[Broker]:
        async with self.again() as found:
            yield found

    @asynccontextmanager
    async def again(self) -> AsyncIterator[Broker]:
        async with queues(self.stored) as own, served(own) as address:
            settings = WorkerSettings(key=SecretStr(KEY), backend_url=address)
            async with Backend.connected(settings, SystemClock()) as backend:
                yield AsAWorker(own, LeasedQueues(BackendLeases(backend), SystemClock(), wait_s=1.0))
