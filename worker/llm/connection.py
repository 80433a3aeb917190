"""What is behind one configuration: a model to ask, a model for vectors, or one of both."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio.from_thread
from anyio.lowlevel import EventLoopToken

from arcane.messaging.generation import ModelSpec
from worker.llm.asking import Secrets
from worker.llm.errors import Cause, ModelError
from worker.llm.http import Client

if TYPE_CHECKING:
    from pydantic_ai.embeddings import EmbeddingModel
    from pydantic_ai.models import Model

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Road:
    """The way out, for SDKs that call from the loop (`http`) and for those that call from threads (`run`)."""

    http: Client
    token: EventLoopToken

    def run(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Returns what `call` does on the loop; called from a thread."""
        return anyio.from_thread.run(call, token=self.token)


@dataclass(frozen=True, slots=True)
class Connection:
    """Makes the models of a configuration. `structured` is the form in which this provider keeps to a schema."""

    chat: Callable[[], Model[Any]]
    vectors: Callable[[], EmbeddingModel] | None
    structured: str | None = None

    def kept(self) -> Connection:
        """Returns the same connection, which makes each of its models once: they know nothing of a call."""
        return Connection(cache(self.chat), None if self.vectors is None else cache(self.vectors), self.structured)


class Connect(Protocol):
    """What each module of `worker.llm.providers` has."""

    def connect(self, spec: ModelSpec, secrets: Secrets, road: Road) -> Connection:
        """Returns the connection; nothing is sent yet. Raises ModelError when something is missing."""
        ...


def needed(values: Mapping[str, Any], name: str, what: str) -> str:
    """Returns the text called `name`; raises ModelError when it is not there.

    Nothing is taken from the process's environment in its place: that would be the operator's own key.
    """
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise ModelError(Cause.SETTINGS, f"The model configuration has no {what}.")
    return value


def optional(values: Mapping[str, Any], name: str) -> str | None:
    """Returns the text called `name`, None when it is empty or not there."""
    value = values.get(name)
    return value if isinstance(value, str) and value else None
