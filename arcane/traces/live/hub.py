"""Work that is done once, however many want it: it begins with the first of them and ends with the last."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import anyio

from arcane.kit.logging import get_logger
from arcane.kit.owner import Owner
from arcane.kit.problems import Unavailable

log = get_logger("arcane.live")


class Shared(Protocol):
    """Something that runs while anybody holds it."""

    async def run(self) -> None:
        """Works until it is cancelled, or has nothing left to do."""
        ...

    def broke(self) -> None:
        """Whoever holds it is told that nothing more comes."""
        ...


K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Shared)


@dataclass(slots=True)
class _Held(Generic[S]):
    work: S
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    holders: int = 0


class Hub(Owner, Generic[K, S]):
    """Shared work by key. One a process and kind of work."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[K, _Held[S]] = {}

    def __len__(self) -> int:
        return len(self._held)

    @contextmanager
    def held(self, key: K, make: Callable[[], S]) -> Iterator[S]:
        """The work for `key` runs while the block does; the first to come makes it. Raises Unavailable."""
        held = self._held.get(key) or self._started(key, make())
        held.holders += 1
        try:
            yield held.work
        finally:
            held.holders -= 1
            if not held.holders:
                held.scope.cancel()
                self._forget(key, held)

    def _started(self, key: K, work: S) -> _Held[S]:
        if self._group is None:
            raise Unavailable("this process is starting or ending; try again in a moment")
        held = self._held[key] = _Held(work)
        self._group.start_soon(self._run, key, held)
        return held

    async def _run(self, key: K, held: _Held[S]) -> None:
        with held.scope:
            try:
                await held.work.run()
            except Exception as exc:  # noqa: BLE001 - a stranger's adapter: its bug ends this work, not the process
                log.error("live_work_broke", error=type(exc).__name__)
                self._forget(key, held)
                held.work.broke()

    def _forget(self, key: K, held: _Held[S]) -> None:
        if self._held.get(key) is held:
            del self._held[key]


class Bell:
    """Wakes one listener, also when it rang before anybody listened."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        """Whoever waits goes on."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns when it rings, or after `seconds`."""
        with anyio.move_on_after(seconds):
            await self._event.wait()
        self._event = anyio.Event()
