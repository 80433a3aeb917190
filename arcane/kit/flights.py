"""Single flight: who asks for what is under way already waits for that answer, and causes no second one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from arcane.kit.owner import Owner
from arcane.kit.problems import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Flight(Generic[V]):
    """Work under way. `answer` is a list of one, because an answer may be None."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    landed: anyio.Event = field(default_factory=anyio.Event)
    riders: int = 0
    answer: list[V] = field(default_factory=list)
    fault: Exception | None = None


class Flights(Owner, Generic[K, V]):
    """Work by key, each once at a time. It belongs to nobody who asked: one who leaves does not end it for the rest.

    The last one who leaves does. What `key` says must decide the answer, to the last bit.
    """

    def __init__(self) -> None:
        super().__init__()
        self._under_way: dict[K, _Flight[V]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def share(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """Returns what `work` returns, or what it does for somebody who asked first; raises what it raises.

        While nobody owns the work (`run`), everybody does their own.
        """
        if self._group is None:
            return await work()
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = _Flight()
            self._group.start_soon(self._fly, key, flight, work)
        flight.riders += 1
        try:
            await flight.landed.wait()
        finally:
            flight.riders -= 1
            if not flight.riders and not flight.landed.is_set():
                self._ended(key, flight)
                flight.scope.cancel()
        if flight.fault is not None:
            raise flight.fault
        return flight.answer[0]

    async def _fly(self, key: K, flight: _Flight[V], work: Callable[[], Awaitable[V]]) -> None:
        flight.fault = Unavailable("this process is ending; try again in a moment")
        try:
            with flight.scope:
                flight.answer.append(await work())
                flight.fault = None
        except Exception as exc:  # noqa: BLE001 - it is raised for each who waits, at their own edge
            flight.fault = exc
        finally:
            self._ended(key, flight)
            flight.landed.set()

    def _ended(self, key: K, flight: _Flight[V]) -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]
