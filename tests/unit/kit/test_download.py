"""A file is sent to the end, or visibly not: who may not have the rest of it does not take the part for the whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import uuid4

import anyio
import pytest
from starlette.types import Message

from arcane.kit.actor import Actor, ActorKind
from arcane.kit.download import Download
from arcane.kit.problems import NotFound, NotSignedIn, Problem

pytestmark = pytest.mark.anyio

_CHUNK = b"x" * 20_000
_ACTOR = Actor(ActorKind.USER, uuid4(), "Ada", frozenset())


class Receiver:
    """Whoever receives a file: allowed to until `allowed` times were asked."""

    def __init__(self, allowed: int = 1_000) -> None:
        self.allowed = allowed
        self.asked = 0
        self.messages: list[Message] = []

    async def again(self) -> Actor:
        self.asked += 1
        if self.asked > self.allowed:
            raise NotSignedIn("the key was revoked")
        return _ACTOR

    async def receive(self) -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    async def get(self, chunks: AsyncGenerator[bytes, None]) -> None:
        await Download(chunks, self.again, "text/csv")({"type": "http"}, self.receive, self.send)

    @property
    def received(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.messages)

    @property
    def has_ended(self) -> bool:
        return self.messages[-1].get("more_body") is False


async def _file(chunks: int, then: Problem | None = None) -> AsyncGenerator[bytes, None]:
    for _ in range(chunks):
        yield _CHUNK
    if then is not None:
        raise then


async def test_a_file_is_sent_to_the_end() -> None:
    receiver = Receiver()
    await receiver.get(_file(50))
    assert (receiver.received, receiver.has_ended) == (50 * len(_CHUNK), True)
    assert 10 < receiver.asked < 50, "asked now and then, not for every piece"


@pytest.mark.parametrize("allowed", [0, 1, 3])
async def test_who_may_not_any_more_gets_little_more_and_no_end(allowed: int) -> None:
    receiver = Receiver(allowed)
    await receiver.get(_file(1_000))
    assert receiver.received <= allowed * (64 * 1024 + len(_CHUNK))
    assert not receiver.has_ended


async def test_a_file_whose_subject_is_deleted_does_not_end_as_a_whole_one() -> None:
    receiver = Receiver()
    await receiver.get(_file(2, NotFound("there is no such experiment")))
    assert receiver.received == 2 * len(_CHUNK)
    assert not receiver.has_ended
