"""`arcane up`: one machine's whole instance, from an empty folder to pages that answer, and down again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from arcane.kit.migrate import migrate, require_scripts
from arcane.kit.serving import PortTaken, listen
from arcane.local.children import Child, run_child
from arcane.local.demo import load_demo, refresh_demo
from arcane.local.environment import child_environment, local_settings, own_address
from arcane.local.errors import LocalError, PostgresError
from arcane.local.faults import reaching_database
from arcane.local.folder import LocalFolder
from arcane.local.inside import services
from arcane.local.postgres import EmbeddedPostgres, RunningPostgres
from arcane.settings import Settings


@dataclass(frozen=True, slots=True)
class Up:
    """Brings everything up, says where it is, and keeps it running until told to stop."""

    given: Settings
    folder: LocalFolder
    say: Callable[[str], None]

    async def run(self) -> None:
        """Everything ran and has been stopped again. Raises LocalError, or what `migrate` raises."""
        require_scripts()
        with self.folder.locked():
            self._check_port()
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_on_signal, group.cancel_scope)
                with self._postgres() as running:
                    await self._until_told_to_stop(running)
        self.say(f"stopped; your data stays in {self.folder.path}")

    def _check_port(self) -> None:
        server = self.given.server
        try:
            listen(server.host, server.port).close()
        except PortTaken as exc:
            raise LocalError(f"{exc}: ARCANE_SERVER__PORT=8090 make up") from exc

    @contextmanager
    def _postgres(self) -> Iterator[RunningPostgres | None]:
        """While the block runs, the embedded server does too; None when another Postgres was named."""
        if self.given.database.url is not None:
            yield None
            return
        embedded = EmbeddedPostgres(self.folder.postgres)
        embedded.stop_left_over()
        running = embedded.start()
        try:
            yield running
        finally:
            running.stop()

    async def _until_told_to_stop(self, running: RunningPostgres | None) -> None:
        keys = self.folder.keys()
        settings = local_settings(self.given, self.folder, keys, running.url() if running else None)
        async with anyio.create_task_group() as group:
            if running is not None:
                group.start_soon(_watch, running)
            with reaching_database():
                await migrate(settings)
                told = await self._prepare(settings)
            await group.start(run_child, _backend(settings))
            await group.start(run_child, _worker(settings))
            for line in told:
                self.say(line)

    async def _prepare(self, settings: Settings) -> list[str]:
        """The demo is loaded and there is a way in; returns what to tell once the backend answers."""
        told = [f"Arcane is at {settings.server.public_url}"]
        folders = await anyio.to_thread.run_sync(refresh_demo, self.folder.demo)
        async with services(settings) as state:
            await state.accounts.ensure_owner_from_settings()
            if link := await state.accounts.issue_setup_link():
                told.append(f"become its owner with this link, which works once: {link}")
            elif settings.access.owner_email:
                told.append(f"sign in as {settings.access.owner_email}")
            if await load_demo(folders, state.organisations, state.projects, state.catalog):
                told.append("the organisation Demo holds a day of traces in three datasources")
        allowed = ", ".join(["public addresses", *settings.egress.allow_networks])
        return [*told, f"datasources may be at: {allowed} (ARCANE_EGRESS__ALLOW_NETWORKS)", "Ctrl-C stops everything"]


def _backend(settings: Settings) -> Child:
    return Child("backend", [sys.executable, "-m", "arcane.local.serve", "--supervised"], child_environment(settings))


def _worker(settings: Settings) -> Child:
    # By name, not by import: nothing of Arcane's core imports the worker.
    here = {"ARCANE_WORKER__BACKEND_URL": own_address(settings), "ARCANE_WORKER__HEALTH_PORT": "0"}
    return Child("worker", [sys.executable, "-m", "worker.main", "--supervised"], here | child_environment(settings))


async def _cancel_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received:
        async for _ in received:
            scope.cancel()


async def _watch(running: RunningPostgres) -> None:
    """Raises PostgresError when the server ends by itself."""
    await anyio.to_thread.run_sync(running.process.wait, abandon_on_cancel=True)
    raise PostgresError("Postgres stopped by itself, so everything else was stopped; its log is beside its data")
