"""What is over is forgotten: sessions that have ended, settled invitations, old audit entries.

The application may delete no audit entry; a door in the database (`access_forget`) does, and never one of the
last thirty days. Every backend sweeps; two at once find less to do, and nothing wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import anyio
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from arcane.kit.actor import Tenant
from arcane.kit.database import Database
from arcane.kit.logging import get_logger
from arcane.kit.problems import Unavailable
from arcane.kit.tables import now
from arcane.settings import AccessSettings

log = get_logger("arcane.access.retention")

_FORGET = text("SELECT ended, settled, audited FROM access_forget(:settled_before, :audited_before, :most)")
_MOST_AT_ONCE = 5_000
"""Rows of a table in one transaction: a sweep after a long time is many small ones."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows are gone."""

    sessions: int = 0
    invitations: int = 0
    audit_entries: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(
            self.sessions + other.sessions,
            self.invitations + other.invitations,
            self.audit_entries + other.audit_entries,
        )


@dataclass(frozen=True, slots=True)
class Retention:
    """Sweeps when it starts and then every `retention_hours`."""

    database: Database
    settings: AccessSettings

    async def run(self) -> None:
        """Sweeps until it is cancelled; a database that is away is asked the next time."""
        while True:
            try:
                gone = await self.sweep()
                if gone != Forgotten():
                    log.info(
                        "forgotten",
                        sessions=gone.sessions,
                        invitations=gone.invitations,
                        audit_entries=gone.audit_entries,
                    )
            except (Unavailable, OSError, SQLAlchemyError) as exc:
                log.warning("nothing_forgotten", reason=type(exc).__name__)
            await anyio.sleep(self.settings.retention_hours * 3_600)

    async def sweep(self) -> Forgotten:
        """Returns what was forgotten: everything that was due."""
        total = Forgotten()
        while True:
            gone = await self._some()
            total += gone
            if max(gone.sessions, gone.invitations, gone.audit_entries) < _MOST_AT_ONCE:
                return total

    async def _some(self) -> Forgotten:
        moment = now()
        due = {
            "settled_before": moment - timedelta(days=self.settings.invitation_kept_days),
            "audited_before": moment - timedelta(days=self.settings.audit_days),
            "most": _MOST_AT_ONCE,
        }
        async with self.database.transaction(Tenant()) as session:
            ended, settled, audited = (await session.execute(_FORGET, due)).one()
        return Forgotten(ended, settled, audited)
