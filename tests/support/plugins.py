"""Datasource plugins of tests: one that works over HTTP, one that is broken where a test wants it, and no plugins."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

import anyio
from pydantic import BaseModel, Field, SecretStr, field_validator

from arcane.spi import (
    Adapter,
    AdapterContext,
    Capabilities,
    DatasourcePlugin,
    Deadline,
    Health,
    HttpRequest,
    Order,
    ScanPage,
    ScanRequest,
    TimeRange,
    Trace,
    TraceId,
    Unauthorized,
)


class Auth(BaseModel):
    """Nested, as a plugin may have it."""

    user: str = ""
    password: SecretStr = SecretStr("")


class ProbeSettings(BaseModel):
    """One of everything."""

    url: str = Field(title="URL", description="Where it answers.", json_schema_extra={"format": "uri"})
    tenant: str = Field(default="", title="Tenant", max_length=20)
    mode: Literal["fast", "slow"] = Field(default="fast", json_schema_extra={"labels": {"fast": "Fast"}})
    limit: int = Field(default=10, ge=1, le=99)
    verbose: bool = False
    tags: list[str] = Field(default_factory=list)
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    token: SecretStr = Field(default=SecretStr(""), title="Token")
    note: str | None = Field(default=None, json_schema_extra={"multiline": True})
    auth: Auth = Field(default_factory=Auth, title="Authentication")

    @field_validator("tenant")
    @classmethod
    def _tenant(cls, tenant: str) -> str:
        if "!" in tenant:
            raise ValueError(f"no exclamation marks: {tenant}")
        return tenant


class ProbeAdapter(Adapter):
    """Asks `/check` and nothing else; counts how often it was closed."""

    capabilities = Capabilities(order=Order.NEWEST_FIRST, concurrency=4)

    def __init__(self, context: AdapterContext, settings: ProbeSettings) -> None:
        self.http = context.http
        self.settings = settings
        self.closed = 0
        self.gate: anyio.Event | None = None

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        if self.gate is not None:
            await self.gate.wait()
        yield ScanPage((), complete=True)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return None

    async def check(self, deadline: Deadline) -> Health:
        answer = await self.http.send(HttpRequest("/check"), deadline)
        if answer.status == 401:
            raise Unauthorized("the backend refused the credentials")
        return Health(
            version=answer.body.decode(), latency_ms=1.5, newest_trace=1_700_000_000_000_000_000, findings=("hello",)
        )

    async def aclose(self) -> None:
        self.closed += 1


class ProbePlugin(DatasourcePlugin[ProbeSettings]):
    """The kind `probe`."""

    kind = "probe"
    title = "Probe"
    summary = "For tests."
    settings = ProbeSettings

    def __init__(self) -> None:
        self.made: list[ProbeAdapter] = []

    def base_url(self, settings: ProbeSettings) -> str | None:
        return settings.url

    def headers(self, settings: ProbeSettings) -> dict[str, str]:
        token = settings.token.get_secret_value()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def connect(self, settings: ProbeSettings, context: AdapterContext) -> Adapter:
        if settings.tenant == "bug":
            raise KeyError("canary-in-a-bug")
        self.made.append(ProbeAdapter(context, settings))
        return self.made[-1]


class FileishSettings(BaseModel):
    """No address, and still a secret."""

    folder: str
    passphrase: SecretStr = SecretStr("")


class FileishPlugin(ProbePlugin):
    """The kind `fileish`: connects without a base URL."""

    kind = "fileish"
    settings = FileishSettings  # type: ignore[assignment]

    def base_url(self, settings: BaseModel) -> str | None:
        return None

    def headers(self, settings: BaseModel) -> dict[str, str]:
        return {}

    def connect(self, settings: BaseModel, context: AdapterContext) -> Adapter:
        self.made.append(ProbeAdapter(context, ProbeSettings(url="http://unused.example")))
        return self.made[-1]


class NamelessPlugin(ProbePlugin):
    """Has forgotten its settings."""

    kind = "nameless"
    settings = "ProbeSettings"  # type: ignore[assignment]


PROBE = ProbePlugin()
NAMELESS = NamelessPlugin()
NOT_A_PLUGIN = object()
