"""A backend as it runs in production: a process of its own, on a port, over a database of its own."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
from pydantic import SecretStr

from arcane.local.environment import LOOPBACK, child_environment
from arcane.local.inside import services
from arcane.settings import Settings
from tests.support.forked import Forked
from tests.support.postgres import OWNER, MigratedDatabase, Server, database_settings
from tests.support.running import free_port

PASSWORD = "correct horse battery"
SECRET_KEY = base64.b64encode(hashlib.sha256(b"a key for tests").digest()).decode()
START_TIMEOUT_S = 150.0
STOP_TIMEOUT_S = 20.0
Json = dict[str, Any]


@contextmanager
def cloned_database(server: Server, template: str) -> Iterator[MigratedDatabase]:
    """While the block runs, there is a clone of the template: for fixtures that serve more than one test."""
    name = f"t_{uuid4().hex}"
    anyio.run(server.execute, f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {OWNER}')
    try:
        yield MigratedDatabase(name, Settings(_env_file=None, database=database_settings(server, name)), server)
    finally:
        anyio.run(server.execute, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def served_settings(stored: MigratedDatabase, files: Path, **groups: Mapping[str, Any]) -> Settings:
    """Returns settings of a backend on `stored` whose otlp_file datasources read below `files`."""
    port = free_port()
    told: dict[str, dict[str, Any]] = {
        "server": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
        "access": {"sign_in_attempts": 1_000_000},
        "secrets": {"keys": [SecretStr(SECRET_KEY)]},
        "egress": {"allow_networks": list(LOOPBACK)},
        "files": {"allow_roots": [files]},
        "live": {"life_s": 0.2},
        "log": {"level": "debug"},
    }
    for group, values in groups.items():
        told[group] = {**told.get(group, {}), **values}
    given: Any = {"_env_file": None, "database": stored.settings.database, **told}
    return Settings(**given)


@dataclass(slots=True)
class Served:
    """A running backend; `log` is what it wrote to standard error so far."""

    stored: MigratedDatabase
    settings: Settings
    process: Forked
    log_file: Path
    visitors: list[Visitor] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.settings.server.public_url

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def visitor(self, **headers: str) -> Visitor:
        """Returns somebody who is not signed in."""
        client = httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=60)
        self.visitors.append(Visitor(client))
        return self.visitors[-1]

    def owner(self, email: str = "owner@arcane.test") -> Visitor:
        """Returns the instance owner, made the first time and signed in from then on."""
        owner = self.visitor()
        link = anyio.run(_setup_link, self.settings)
        if link is None:
            owner.sign_in(email)
            return owner
        body = {"token": link.partition("token=")[2], "email": email, "name": "Olive Owner", "password": PASSWORD}
        owner.remember(owner.http.post("/api/v1/setup", json=body))
        return owner


async def _setup_link(settings: Settings) -> str | None:
    async with services(settings) as state:
        link: str | None = await state.accounts.issue_setup_link()
        return link


@dataclass(slots=True)
class Visitor:
    """Keeps the cookie and sends the session's CSRF token, as our pages do."""

    http: httpx.Client
    csrf_token: str = ""
    user_id: str = ""
    session_id: str = ""

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.remember(self.http.post("/api/v1/sessions", json={"email": email, "password": password}))

    def remember(self, answer: httpx.Response) -> None:
        assert answer.status_code == 201, answer.text
        body = answer.json()
        self.csrf_token, self.user_id, self.session_id = body["csrf_token"], body["user_id"], body["session_id"]

    @property
    def headers(self) -> dict[str, str]:
        return {"X-CSRF-Token": self.csrf_token} if self.csrf_token else {}

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.http.request(method, path, json=body, headers=self.headers, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.call("GET", path, **more)

    def made(self, path: str, body: Json) -> Json:
        """Returns what a POST made."""
        answer = self.call("POST", path, body)
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    def invited(self, organisation_id: str, email: str, by: Visitor, **more: Any) -> Visitor:
        """Returns this visitor, who has accepted an invitation of `by`."""
        invited = by.made(f"/api/v1/organisations/{organisation_id}/invitations", {"email": email, **more})
        accepted = {"token": invited["link"].partition("token=")[2], "name": email.partition("@")[0]}
        self.remember(self.http.post("/api/v1/invitations/accept", json={**accepted, "password": PASSWORD}))
        return self


@contextmanager
def serving(stored: MigratedDatabase, settings: Settings, log_file: Path) -> Iterator[Served]:
    """While the block runs, `arcane serve` does with `settings` on `stored`; its log goes to `log_file`."""
    process = Forked(("arcane.local.serve",), child_environment(settings), out=log_file, err=log_file)
    served = Served(stored, settings, process, log_file)
    try:
        _until_ready(served)
        yield served
    finally:
        for visitor in served.visitors:
            visitor.http.close()
        process.end(STOP_TIMEOUT_S)


def _until_ready(served: Served) -> None:
    give_up = time.monotonic() + START_TIMEOUT_S
    while True:
        with suppress(httpx.TransportError):
            httpx.get(f"{served.address}/health", timeout=START_TIMEOUT_S, trust_env=False)
            return
        assert served.process.poll() is None, served.log
        assert time.monotonic() < give_up, served.log
        time.sleep(0.05)
