"""The database: one pool, one kind of transaction.

The application connects as a role that owns no table, and every transaction begins by telling
Postgres which tenant it works for (`SET LOCAL`); row-level security does the rest. A forgotten
`WHERE` returns no rows instead of another tenant's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Tenant

_SET_TENANT = text(
    "SELECT set_config('arcane.organisation_id', :organisation_id, true), "
    "set_config('arcane.project_id', :project_id, true), "
    "set_config('arcane.user_id', :user_id, true), "
    "set_config('arcane.instance', :instance, true)"
)


@dataclass(frozen=True, slots=True)
class Database:
    """The pool of connections of one process."""

    engine: AsyncEngine

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 10) -> Database:
        """Returns a database whose connections open on first use; `url` is `postgresql+asyncpg://...`."""
        engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=10)
        return cls(engine)

    @asynccontextmanager
    async def transaction(self, tenant: Tenant) -> AsyncIterator[AsyncSession]:
        """Opens one transaction that sees `tenant`; commits when the block ends, rolls back when it raises.

        Nobody else calls commit. No network call belongs inside.
        """
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            await session.execute(
                _SET_TENANT,
                {
                    "organisation_id": str(tenant.organisation_id or ""),
                    "project_id": str(tenant.project_id or ""),
                    "user_id": str(tenant.user_id or ""),
                    "instance": "on" if tenant.instance else "",
                },
            )
            yield session

    async def aclose(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()
