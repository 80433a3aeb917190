"""When sessions and keys were last used: noted in memory per request, written down together now and then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import anyio
from sqlalchemy import text

from arcane.access.principals import KeyPrincipal, Principal
from arcane.kit.actor import Tenant
from arcane.kit.database import DATABASE_FAILURES, Database
from arcane.kit.logging import get_logger

log = get_logger("arcane.access.usage")

_TOUCH_KEYS = text("SELECT access_touch_api_keys(:ids, :times)")
_TOUCH_SESSIONS = text("SELECT access_touch_sessions(:ids, :times)")
_LAST_WRITE_S = 5.0


@dataclass(slots=True)
class Usage:
    """Collects; `run` writes every `interval_s` while there is something to write, and once at the end."""

    database: Database
    interval_s: float
    _keys: dict[UUID, datetime] = field(default_factory=dict)
    _sessions: dict[UUID, datetime] = field(default_factory=dict)
    _noted: anyio.Event = field(default_factory=anyio.Event)

    def note(self, principal: Principal) -> None:
        """This session or key was used just now."""
        if isinstance(principal, KeyPrincipal):
            self._keys[principal.key_id] = datetime.now(UTC)
        else:
            self._sessions[principal.session.session_id] = datetime.now(UTC)
        self._noted.set()

    async def run(self) -> None:
        """Writes what is noted until it is cancelled."""
        try:
            while True:
                await self._noted.wait()
                await anyio.sleep(self.interval_s)
                await self._flush_or_log()
        finally:
            with anyio.move_on_after(_LAST_WRITE_S, shield=True):
                await self._flush_or_log()

    async def flush(self) -> None:
        """What was noted is in the database."""
        keys, self._keys = self._keys, {}
        sessions, self._sessions = self._sessions, {}
        self._noted = anyio.Event()
        if not keys and not sessions:
            return
        async with self.database.transaction(Tenant()) as session:
            for statement, seen in ((_TOUCH_KEYS, keys), (_TOUCH_SESSIONS, sessions)):
                if seen:
                    await session.execute(statement, {"ids": list(seen), "times": list(seen.values())})

    async def _flush_or_log(self) -> None:
        try:
            await self.flush()
        except DATABASE_FAILURES as exc:
            log.warning("last_used_not_written", reason=type(exc).__name__)
