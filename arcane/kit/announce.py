"""Changes are announced to every process of the instance, so that what is kept in memory never lies for long.

`announce` speaks inside the transaction that makes the change: Postgres delivers it on commit, to
everyone who listens (LISTEN/NOTIFY), and this process hears it before the caller gets its answer.
A cache trusts its memory only while `listening` is true, and clears itself when it hears the empty
key, which is spoken after every (re)connection: something may have been missed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import asyncpg
from anyio.abc import TaskStatus
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.logging import get_logger

log = get_logger("arcane.announce")

CHANNEL = "arcane"
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")
_PROBE_EVERY_S = 5.0
_PROBE_TIMEOUT_S = 5.0
_CONNECT_TIMEOUT_S = 10.0
_LONGEST_PAUSE_S = 5.0
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

Listener = Callable[[str], None]
"""Called with the key that changed, or with "" when anything may have."""


@dataclass(slots=True)
class Announcer:
    """Speaks and hears changes; one a process. `url` is the application's database."""

    url: str
    _listeners: dict[str, list[Listener]] = field(default_factory=lambda: defaultdict(list))
    _listening: bool = False

    @property
    def listening(self) -> bool:
        """True while every change that commits anywhere is heard here."""
        return self._listening

    def subscribe(self, topic: str, listener: Listener) -> None:
        """From now on `listener` hears every key that is announced under `topic`. It must be quick."""
        self._listeners[topic].append(listener)

    async def announce(self, session: AsyncSession, topic: str, key: str) -> None:
        """When `session` commits, every process has been told that `key` changed; a rollback tells nobody."""
        await session.execute(_NOTIFY, {"channel": CHANNEL, "payload": f"{topic} {key}"})

        def hear(committed: Session) -> None:
            if not committed.in_nested_transaction():  # a savepoint says that it "commits", too
                self._hear(topic, key)

        event.listen(session.sync_session, "after_commit", hear)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listens until it is cancelled, and comes back after every lost connection."""
        started, pause = False, 0.1
        while True:
            try:
                connection = await self._connect()
                try:
                    await connection.add_listener(CHANNEL, self._on_notify)
                    self._hear_everything()
                    self._listening = True
                    if not started:
                        task_status.started()
                    started, pause = True, 0.1
                    await self._until_lost(connection)
                finally:
                    self._listening = False
                    connection.terminate()
            except _FAILURES as exc:
                log.warning("announcements_lost", reason=type(exc).__name__, retry_s=pause)
            await anyio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        url = make_url(self.url)
        where = url.translate_connect_args(username="user", database="database")
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            **where, **url.query, timeout=_CONNECT_TIMEOUT_S
        )
        return connection

    async def _until_lost(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """A closed connection says so at once; a silent one is found out by asking it now and then."""
        lost = anyio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        while not lost.is_set():
            with anyio.move_on_after(_PROBE_EVERY_S):
                await lost.wait()
                return
            await connection.execute("SELECT 1", timeout=_PROBE_TIMEOUT_S)

    def _on_notify(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        topic, _, key = str(payload).partition(" ")
        self._hear(topic, key)

    def _hear(self, topic: str, key: str) -> None:
        for listener in self._listeners.get(topic, ()):
            listener(key)

    def _hear_everything(self) -> None:
        for topic in tuple(self._listeners):
            self._hear(topic, "")
