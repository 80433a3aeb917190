"""The database: one pool, one kind of transaction.

The application connects as a role that owns no table, and every transaction begins by telling
Postgres which tenant it works for (`SET LOCAL`); row-level security does the rest. A forgotten
`WHERE` returns no rows instead of another tenant's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import sqlalchemy.exc
import sqlalchemy.ext.asyncio
import sqlalchemy.orm
from anyio import move_on_after
from asyncpg import PostgresError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.actor import Tenant
from arcane.kit.problems import Unavailable

_OPEN_TRANSACTIONS: ContextVar[int] = ContextVar("open_transactions", default=0)

_SET_TENANT = text(
    "SELECT set_config('arcane.organisation_id', :organisation_id, true), "
    "set_config('arcane.project_id', :project_id, true), "
    "set_config('arcane.user_id', :user_id, true), "
    "set_config('arcane.instance', :instance, true)"
)


class _SyncSession(Session):
    execute = sqlalchemy.orm.Session.execute


class _Session(AsyncSession):
    """SQLModel marks `execute` as deprecated in favour of `exec`, which has no bulk and no text statements."""

    sync_session_class = _SyncSession
    execute = sqlalchemy.ext.asyncio.AsyncSession.execute


_NOT_ANSWERING = (OSError, PostgresError, sqlalchemy.exc.TimeoutError)
"""What connecting raises while Postgres is away, starts, or has no connection left for us."""
DATABASE_FAILURES: Final = (Unavailable, OSError, SQLAlchemyError)
"""What a transaction raises when Postgres is away, ends a deadlock, or refuses: work in the background tries again."""


def _away() -> Unavailable:
    return Unavailable("this instance's database does not answer; try again in a moment", headers={"Retry-After": "1"})


def transaction_is_open() -> bool:
    """Returns True in a task that is inside `Database.transaction`, or was started inside one.

    Egress asks: a request to the network while a transaction is open holds a connection of the pool
    for as long as somebody else's server likes.
    """
    return _OPEN_TRANSACTIONS.get() > 0


@dataclass(frozen=True, slots=True)
class Database:
    """The pool of connections of one process."""

    engine: AsyncEngine

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 10, statement_timeout_s: float = 120.0) -> Database:
        """Returns a database whose connections open on first use; `url` is `postgresql+asyncpg://...`.

        The clock of a statement is ours: a server that is frozen, or behind a network that swallows, keeps none.
        """
        patience = {"command_timeout": statement_timeout_s}
        engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=0, pool_timeout=10, hide_parameters=True, connect_args=patience
        )
        return cls(engine)

    @asynccontextmanager
    async def transaction(self, tenant: Tenant) -> AsyncIterator[AsyncSession]:
        """Opens one transaction that sees `tenant`; commits when the block ends, rolls back when it raises.

        Nobody else calls commit. No network call belongs inside. Raises Unavailable while Postgres does not answer.
        """
        try:
            async with AsyncExitStack() as stack:
                session = await self._begun(stack, tenant)
                _OPEN_TRANSACTIONS.set(_OPEN_TRANSACTIONS.get() + 1)
                try:
                    yield session
                finally:
                    _OPEN_TRANSACTIONS.set(_OPEN_TRANSACTIONS.get() - 1)
        except TimeoutError as exc:  # a statement's: nothing else that waits belongs inside
            raise _away() from exc
        except DBAPIError as exc:
            if not exc.connection_invalidated:
                raise
            raise _away() from exc

    async def _begun(self, stack: AsyncExitStack, tenant: Tenant) -> AsyncSession:
        """Returns a session in a transaction for `tenant`; a connection that died in the pool is replaced, once."""
        try:
            try:
                return await self._begun_once(stack, tenant)
            except DBAPIError as exc:
                if not exc.connection_invalidated:
                    raise
                return await self._begun_once(stack, tenant)
        except _NOT_ANSWERING as exc:
            raise _away() from exc

    async def _begun_once(self, stack: AsyncExitStack, tenant: Tenant) -> AsyncSession:
        async with AsyncExitStack() as attempt:
            session = await attempt.enter_async_context(_Session(self.engine, expire_on_commit=False))
            await attempt.enter_async_context(session.begin())
            await session.execute(
                _SET_TENANT,
                {
                    "organisation_id": str(tenant.organisation_id or ""),
                    "project_id": str(tenant.project_id or ""),
                    "user_id": str(tenant.user_id or ""),
                    "instance": "on" if tenant.instance else "",
                },
            )
            stack.push_async_exit(attempt.pop_all())
        return session

    async def aclose(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()

    async def answers(self, *, within_s: float) -> bool:
        """Returns True when Postgres answers a query in time."""
        with move_on_after(within_s):
            try:
                async with self.engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
            except (OSError, SQLAlchemyError, TimeoutError):
                return False
            return True
        return False
