"""A whole Arcane for a benchmark: Postgres, one backend process, a project, a key, and a Tempo that is the stub."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from anyio import to_thread
from pydantic import SecretStr

from arcane.access.permissions import KeyScope
from arcane.access.principals import SYSTEM
from arcane.access.service.projects import NewProject
from arcane.catalog.editing import Draft
from arcane.kit.migrate import migrate
from arcane.kit.secrets import generate_key
from arcane.local.environment import child_environment
from arcane.local.inside import services
from arcane.local.postgres import EmbeddedPostgres
from arcane.model.time import TimeRange
from arcane.settings import Settings
from bench.answers import WINDOW, trace_id_of
from bench.client import Address, Connection, Failed
from bench.process import Watched

_READY_S = 30.0
_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Instance:
    """The running backend and the stub behind it, and how to ask each for the same."""

    backend: Watched
    ready_s: float
    arcane: Address
    stub: Address
    project_id: str
    beside: str = ""
    """The id of the datasource that was made beside the stub's."""

    def search(self, query: str = "{ }", limit: int = 50) -> bytes:
        """Returns the request for a search through Arcane over the hour that the stub has."""
        start, end = (second * _NANOS for second in WINDOW)
        return self.search_in(TimeRange(start, end), {"query": query, "limit": limit})

    def search_in(self, within: TimeRange, body: Mapping[str, object]) -> bytes:
        """Returns the request for a search through Arcane in whole seconds around `within`."""
        return self._post("search", within, body)

    def explain_in(self, within: TimeRange, body: Mapping[str, object]) -> bytes:
        """Returns the request for what Arcane would ask for such a search."""
        return self._post("search/explain", within, body)

    def _post(self, path: str, within: TimeRange, body: Mapping[str, object]) -> bytes:
        start, end = _iso(within.start // _NANOS), _iso(-(-within.end // _NANOS))
        body = {**body, "start": start, "end": end}
        return self.arcane.post(f"/api/v1/projects/{self.project_id}/{path}", json.dumps(body).encode())

    def search_direct(self) -> bytes:
        """Returns the request that Arcane sends for such a search."""
        start, end = WINDOW
        query = "%7B%7D+%7C+select%28name%2C+resource.service.name%2C+status%29+with+%28most_recent%3Dtrue%29"
        return self.stub.get(f"/api/search?q={query}&limit=50&spss=3&start={start}&end={end}")

    def trace(self, spans: int) -> bytes:
        """Returns the request for a trace of `spans` spans through Arcane."""
        return self.arcane.get(f"/api/v1/projects/{self.project_id}/traces/{trace_id_of(spans)}")

    def trace_otlp(self, spans: int) -> bytes:
        """Returns the request for the download of a trace of `spans` spans."""
        return self.arcane.get(f"/api/v1/projects/{self.project_id}/traces/{trace_id_of(spans)}/otlp")

    def trace_direct(self, spans: int) -> bytes:
        """Returns the request that Arcane sends for such a trace."""
        return self.stub.get(f"/api/v2/traces/{trace_id_of(spans)}", "application/protobuf")


@asynccontextmanager
async def instance(delay_ms: float, beside: Draft | None = None) -> AsyncIterator[Instance]:
    """While the block runs, a backend serves traces of a stub that answers after `delay_ms`, and of one beside it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="arcane-bench-")))
        postgres = await to_thread.run_sync(EmbeddedPostgres(folder / "postgres").start)
        stack.callback(postgres.stop)
        stub = Watched.start(["-m", "bench.stub", "--delay-ms", str(delay_ms)], _environment())
        stack.callback(stub.stop)
        stub_address = Address(int(await to_thread.run_sync(stub.line)))
        settings = _settings(postgres.url())
        await migrate(settings)
        project_id, key, other = await _prepare(settings, stub_address, beside)
        port = _free_port()
        arguments = ["-m", "arcane.local.serve", "--port", str(port)]
        backend = Watched.start(arguments, _environment(settings), folder / "backend.log")
        stack.callback(backend.stop)
        address = Address(port, f"Authorization: Bearer {key}\r\n")
        ready_s = await _until_ready(backend, address, folder / "backend.log")
        yield Instance(backend, ready_s, address, stub_address, project_id, other)


def _environment(settings: Settings | None = None) -> dict[str, str]:
    """Returns this process's environment, where compiled modules are kept: start-up is measured as people have it."""
    variables = child_environment(Settings(_env_file=None) if settings is None else settings)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


def _settings(database_url: str) -> Settings:
    settings = Settings(_env_file=None)
    settings.database = settings.database.model_copy(update={"url": SecretStr(database_url)})
    settings.secrets = settings.secrets.model_copy(update={"keys": [SecretStr(generate_key())]})
    settings.egress = settings.egress.model_copy(update={"allow_networks": ["127.0.0.0/8"]})
    settings.log = settings.log.model_copy(update={"level": "warning"})
    return settings


async def _prepare(settings: Settings, stub: Address, beside: Draft | None) -> tuple[str, str, str]:
    """Makes all that is asked with; returns the project's id, the key, and the id of the datasource beside the stub."""
    async with services(settings) as state:
        organisation = await state.organisations.create(SYSTEM, "Bench")
        actor = replace(SYSTEM, organisation_id=organisation.id)
        project = await state.projects.create(actor, NewProject(name="Bench"))
        await state.catalog.create(actor, Draft("tempo", "Stub", {"url": f"http://{stub.host}:{stub.port}"}))
        made = await state.api_keys.create(replace(actor, project_id=project.id), "bench", KeyScope.READ)
        other = str((await state.catalog.create(actor, beside)).id) if beside else ""
        return str(project.id), made.key, other


async def _until_ready(backend: Watched, address: Address, log: Path) -> float:
    """Returns the seconds from the start of the process until it says that it is ready."""
    request = address.get("/health/ready")
    with anyio.fail_after(_READY_S):
        while True:
            if backend.process.poll() is not None:
                raise RuntimeError(f"the backend did not start: {await anyio.Path(log).read_text()}")
            try:
                connection = await Connection.open(address)
                await connection.ask(request)
            except (OSError, Failed):
                await anyio.sleep(0.02)  # nothing tells when another process begins to listen
                continue
            connection.close()
            return time.perf_counter() - backend.began


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _iso(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
