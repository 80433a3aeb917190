"""Whatever is acknowledged in whatever order, RabbitMQ hears of each once, and of nothing that is still held."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import pamqp.frame
import pytest
from aiormq.abc import ChannelFrame
from aiormq.exceptions import ChannelInvalidStateError
from hypothesis import given
from hypothesis import strategies as st
from pamqp.commands import Basic

from arcane.messaging.rabbitmq_source import Unsettled

DELIVERED = 12


@dataclass
class Line:
    """The end of a channel that writes: settles what it is told as RabbitMQ does."""

    room: int = 10
    number: int = 1
    is_closed: bool = False
    open: set[int] = field(default_factory=lambda: set(range(1, DELIVERED + 1)))
    acknowledged: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write_queue: asyncio.Queue[ChannelFrame] = asyncio.Queue(self.room)

    async def basic_nack(self, number: int, requeue: bool) -> None:
        assert requeue
        self.read()  # what was said before arrives before
        self.open.remove(number)
        self.released.append(number)

    def read(self) -> None:
        while not self.write_queue.empty():
            left = self.write_queue.get_nowait().payload
            while left:
                size, _, frame = pamqp.frame.unmarshal(left)
                left = left[size:]
                assert isinstance(frame, Basic.Ack)
                upto = frame.delivery_tag
                assert upto in self.open, "RabbitMQ closes the channel"
                told = [one for one in sorted(self.open) if one <= upto] if frame.multiple else [upto]
                self.open -= set(told)
                self.acknowledged += told


steps = st.lists(
    st.tuples(st.sampled_from(["ack", "release", "breathe"]), st.integers(1, DELIVERED)), max_size=3 * DELIVERED
)


@given(steps, st.integers(1, 2))
def test_each_is_settled_as_it_was_said(said: list[tuple[str, int]], room: int) -> None:
    async def follow() -> None:
        line = Line(room)
        unsettled = Unsettled(cast("Any", line))
        for number in range(1, DELIVERED + 1):
            unsettled.took(number)
        wanted: dict[int, str] = {}
        for what, number in said:
            if what == "breathe":
                await asyncio.sleep(0)
            elif number not in wanted:
                wanted[number] = what
                if what == "ack":
                    unsettled.ack(number)
                else:
                    await unsettled.release(number)
        with anyio.fail_after(5):
            while set(line.acknowledged) != {number for number, what in wanted.items() if what == "ack"}:
                await asyncio.sleep(0.001)
                line.read()
        assert len(line.acknowledged) == len(set(line.acknowledged))
        assert set(line.released) == {number for number, what in wanted.items() if what == "release"}
        assert line.open == set(range(1, DELIVERED + 1)) - wanted.keys()

    anyio.run(follow)


@pytest.mark.anyio
async def test_nothing_is_acknowledged_on_a_channel_that_is_gone() -> None:
    line = Line(is_closed=True)
    unsettled = Unsettled(cast("Any", line))
    unsettled.took(1)
    with pytest.raises(ChannelInvalidStateError):
        unsettled.ack(1)
    assert line.write_queue.empty()
