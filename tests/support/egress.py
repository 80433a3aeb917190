"""An egress session to loopback, and a resolver that says what a test wants."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

from arcane.kit.egress import Egress, EgressSession
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.http import HttpRequest

LOOPBACK = ["127.0.0.1/32"]
ASK = HttpRequest("/api")


@asynccontextmanager
async def session(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    resolver: AbstractResolver | None = None,
    requests: int = 64,
    **settings: object,
) -> AsyncIterator[EgressSession]:
    values: dict[str, object] = {"allow_networks": LOOPBACK, **settings}
    limits = LimitSettings(concurrent_requests=requests)
    made = Egress(EgressSettings(**values), limits, resolver).session(url, headers or {})
    try:
        yield made
    finally:
        await made.aclose()


class Names(AbstractResolver):
    """A resolver whose answers a test decides: one list of addresses a look-up, the last one repeats."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass
