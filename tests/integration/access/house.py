"""A running application of access and audit alone, and browsers and programs that call it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import anyio
import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr

from arcane.access.endpoints import router as access
from arcane.access.passwords import Passwords
from arcane.access.permissions import ORGANISATION_MEMBER
from arcane.access.wiring import AccessParts, Foundation, build_access
from arcane.audit.endpoints import router as audit
from arcane.audit.service import AuditLog
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.http import install_problem_handlers
from arcane.kit.pagination import Cursors
from arcane.kit.signing import Signer
from arcane.settings import AccessSettings, SecretSettings, ServerSettings, Settings
from tests.support.postgres import MigratedDatabase

PASSWORD = "correct horse battery"
KEY = hashlib.sha256(b"a key for tests").digest()
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def house_settings(database: MigratedDatabase, **access: Any) -> Settings:
    """Returns settings of a house on `database`."""
    return Settings(
        database=database.settings.database,
        server=ServerSettings(public_url="http://arcane.test"),
        access=AccessSettings(**access),
        secrets=SecretSettings(keys=[SecretStr(base64.b64encode(KEY).decode())]),
    )


@dataclass(slots=True)
class House:
    """One process: its application, its parts, and whoever listens."""

    app: FastAPI
    parts: AccessParts
    database: Database
    announcer: Announcer
    settings: Settings
    stored: MigratedDatabase

    def browser(self, **headers: str) -> Browser:
        """Returns a browser that is not signed in."""
        return Browser(_client(self.app, headers))

    async def owner(self) -> Browser:
        """Returns the browser of the instance owner, claimed with the setup link the first time."""
        link = await self.parts.accounts.issue_setup_link()
        browser = self.browser()
        if link is None:
            await browser.sign_in("owner@arcane.test")
            return browser
        body = {"token": link.partition("token=")[2], "email": "owner@arcane.test", "name": "Olive Owner"}
        browser.remember(await browser.http.post("/api/v1/setup", json={**body, "password": PASSWORD}))
        return browser

    async def organisation(self, by: Browser, name: str = "Acme") -> dict[str, Any]:
        """Returns a new organisation."""
        answer = await by.post("/api/v1/organisations", {"name": name})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def project(self, by: Browser, organisation: dict[str, Any], name: str = "Shop") -> dict[str, Any]:
        """Returns a new project."""
        answer = await by.post(f"/api/v1/organisations/{organisation['id']}/projects", {"name": name})
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def member(
        self,
        by: Browser,
        organisation: dict[str, Any],
        email: str,
        role_id: UUID = ORGANISATION_MEMBER.id,
        project: dict[str, Any] | None = None,
        project_role_id: UUID | None = None,
    ) -> Browser:
        """Returns the browser of somebody who was invited and accepted."""
        body = {
            "email": email,
            "role_id": str(role_id),
            "project_id": project["id"] if project else None,
            "project_role_id": str(project_role_id) if project_role_id else None,
        }
        invited = await by.post(f"/api/v1/organisations/{organisation['id']}/invitations", body)
        assert invited.status_code == 201, invited.text
        browser = self.browser()
        accepted = {"token": invited.json()["link"].partition("token=")[2], "name": email.partition("@")[0]}
        answer = await browser.http.post("/api/v1/invitations/accept", json={**accepted, "password": PASSWORD})
        browser.remember(answer)
        return browser

    async def key(self, by: Browser, project: dict[str, Any], scope: str = "read", **more: Any) -> Program:
        """Returns a program with a new API key of the project."""
        made = await by.post(f"/api/v1/projects/{project['id']}/api-keys", {"name": "ci", "scope": scope, **more})
        assert made.status_code == 201, made.text
        return Program(_client(self.app, {}), made.json()["key"], made.json()["id"])


@dataclass(slots=True)
class Browser:
    """Keeps the cookie and sends the session's CSRF token, as our pages do."""

    http: httpx.AsyncClient  # noqa: TID251 - calls the application in this process
    csrf_token: str = ""
    user_id: str = ""
    session_id: str = ""

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.http.post("/api/v1/sessions", json={"email": email, "password": password})
        if answer.status_code == 201:
            self.remember(answer)
        return answer

    def remember(self, answer: httpx.Response) -> None:
        assert answer.status_code == 201, answer.text
        body = answer.json()
        self.csrf_token, self.user_id, self.session_id = body["csrf_token"], body["user_id"], body["session_id"]

    def belongings(self) -> dict[str, Any]:
        """Returns what another browser needs to be this one."""
        own = {"csrf_token": self.csrf_token, "user_id": self.user_id, "session_id": self.session_id}
        return {**own, "cookies": dict(self.http.cookies)}

    def carry(self, belongings: dict[str, Any]) -> None:
        """From now on this browser is the one with these belongings."""
        self.csrf_token, self.user_id = belongings["csrf_token"], belongings["user_id"]
        self.session_id = belongings["session_id"]
        self.http.cookies.update(belongings["cookies"])

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.call("POST", path, body)

    async def put(self, path: str, body: Any = None) -> httpx.Response:
        return await self.call("PUT", path, body)

    async def patch(self, path: str, body: Any = None) -> httpx.Response:
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf_token} if self.csrf_token else {}
        return await self.http.request(method, path, json=body, headers=headers)


@dataclass(slots=True)
class Program:
    """Calls with an API key."""

    http: httpx.AsyncClient  # noqa: TID251 - calls the application in this process
    key: str
    key_id: str

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return await self.http.request(method, path, json=body, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)


@asynccontextmanager
async def running_house(stored: MigratedDatabase, *, listens: bool = True, **access: Any) -> AsyncIterator[House]:
    """A house that hears announcements while the block runs, unless it shall not."""
    settings = house_settings(stored, **access)
    database = Database.connect(stored.app_url, pool_size=5)
    announcer = Announcer(stored.app_url)
    cursors = Cursors(Signer.of([KEY], "cursor"))
    log = AuditLog(database, cursors)
    parts = build_access(Foundation(settings, database, log, announcer, cursors), passwords=CHEAP)
    house = House(assembled(parts, log, settings), parts, database, announcer, settings, stored)
    try:
        async with anyio.create_task_group() as group:
            if listens:
                await group.start(announcer.run)
            yield house
            group.cancel_scope.cancel()
    finally:
        await database.aclose()


def assembled(parts: AccessParts, log: AuditLog, settings: Settings) -> FastAPI:
    """Returns the application of these parts."""
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(access, prefix="/api/v1")
    app.include_router(audit, prefix="/api/v1")
    app.state.settings, app.state.audit = settings, log
    for part in fields(parts):
        setattr(app.state, part.name, getattr(parts, part.name))
    return app


def _client(app: FastAPI, headers: dict[str, str]) -> httpx.AsyncClient:  # noqa: TID251
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 50_000))
    return httpx.AsyncClient(  # noqa: TID251
        transport=transport, base_url="http://arcane.test", headers=headers, trust_env=False
    )
