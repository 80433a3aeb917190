"""Traces read one by one for what is about each: a row to be captured, a score to be given. Nothing of them is kept.

They come through the one pipeline that everybody reads through: project scope, redaction, LLM view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import anyio

from arcane.kit.actor import Actor
from arcane.kit.problems import NotFound, Problem
from arcane.model.deadline import Deadline
from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.traces.problems import TraceUncertain
from arcane.traces.questions import TraceAnswer


class Traces(Protocol):
    """Where traces are read: `TraceService`, with the project's filter and what is hidden left out."""

    async def trace(
        self, actor: Actor, trace_id: str, deadline: Deadline, within: TimeRange | None = None
    ) -> TraceAnswer:
        """Returns the trace as the actor may see it; raises the problems of one that cannot be had."""
        ...


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a trace could not be read, in half a sentence without content; and whether it may be there later."""

    reason: str
    later: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """With whose eyes traces are read, until when, and how many at once."""

    actor: Actor
    deadline: Deadline
    at_once: int


async def read_each(
    traces: Traces, wanted: Mapping[str, TimeRange | None], reading: Reading
) -> dict[str, Trace | Unread]:
    """Returns each trace by its id, or why it cannot be had. A time range says where to look for it first."""
    found: dict[str, Trace | Unread] = {}
    limiter = anyio.CapacityLimiter(reading.at_once)

    async def read(trace_id: str, within: TimeRange | None) -> None:
        async with limiter:
            found[trace_id] = await _one(traces, trace_id, within, reading)

    async with anyio.create_task_group() as group:
        for trace_id, within in sorted(wanted.items(), key=lambda item: item[0]):
            group.start_soon(read, trace_id, within)
    return found


async def _one(traces: Traces, trace_id: str, within: TimeRange | None, reading: Reading) -> Trace | Unread:
    try:
        answer = await traces.trace(reading.actor, trace_id, reading.deadline, within)
    except TraceUncertain:
        return Unread("a datasource that may have the trace did not answer")
    except NotFound:
        return Unread("no datasource of the project has this trace", later=False)
    except Problem as problem:
        return Unread(f"the trace could not be read: {type(problem).title.lower()}")
    return answer.trace
