"""Models and callers for tests that ask the stub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from arcane.messaging.generation import ChatMessage, ModelSpec, Price, Provider, Role
from arcane.model.deadline import Deadline
from tests.support.model_stub import ModelStub
from worker.llm.asking import Ask, Caller
from worker.llm.models import Models
from worker.settings import EgressSettings, LlmSettings

KEY = "sk-test-0123456789"
ORGANISATION = UUID(int=7)
LOOPBACK = ["127.0.0.0/8"]


@asynccontextmanager
async def models(*, networks: list[str] | None = None, **settings: Any) -> AsyncIterator[Models]:
    """Yields models that may call loopback and wait little between tries."""
    told = LlmSettings(**{"backoff_s": 0.01, "backoff_max_s": 0.05, **settings})
    async with Models.opened(told, EgressSettings(allow_networks=LOOPBACK if networks is None else networks)) as opened:
        yield opened


def spec_of(stub: ModelStub, **more: Any) -> ModelSpec:
    """Returns the spec of the stub as a server of one's own."""
    made: dict[str, Any] = {
        "configuration": UUID(int=1),
        "provider": Provider.COMPATIBLE,
        "model": "stub-small",
        "settings": {"base_url": stub.url},
        **more,
    }
    return ModelSpec(**made)


def caller(seconds: float = 60.0, organisation: UUID = ORGANISATION, **secrets: str) -> Caller:
    """Returns somebody with a key who waits so long."""

    async def known(_: ModelSpec) -> Mapping[str, str]:
        return secrets or {"api_key": KEY}

    return Caller(organisation, known, Deadline.after(seconds))


def ask(text: str = "Hello?", **more: Any) -> Ask:
    """Returns a question of one message."""
    return Ask(messages=(ChatMessage(role=Role.USER, text=text),), **more)


PRICE = Price(input_usd=2.0, output_usd=10.0)
