"""The conformance suite says what a datasource does not keep, and nothing of one that keeps everything."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from arcane.spi import (
    Adapter,
    Capabilities,
    Deadline,
    LiteralType,
    Op,
    Order,
    PushRule,
    ScanPage,
    ScanRequest,
    Scope,
    SpansetFilter,
    TimeRange,
    Trace,
    TraceId,
    Unreachable,
)
from arcane.spi.conformance import Requirement, conformance
from arcane.spi.testing import corpus
from datasources.memory.adapter import Faults, MemoryAdapter
from datasources.memory.plugin import EVERYTHING

pytestmark = pytest.mark.anyio

TRACES = corpus()
NOW = TRACES[-1].end + 3_600_000_000_000


async def tried(adapter: Adapter) -> list[Requirement]:
    return [one async for one in conformance(adapter, NOW, Deadline.after(120))]


def faults(requirements: Sequence[Requirement]) -> list[str]:
    return [f"{one.sentence} {one.advice}" for one in requirements if one.passed is False]


class Liar(MemoryAdapter):
    """Does something else than it is asked."""

    def __init__(
        self, traces: Sequence[Trace] = TRACES, capabilities: Capabilities = EVERYTHING, lie: str = ""
    ) -> None:
        super().__init__(traces, capabilities)
        self.lie = lie

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        if self.lie == "filters by nothing":
            request = replace(request, filter=SpansetFilter())
        if self.lie == "ignores the range":
            request = replace(request, within=TimeRange(0, 2**62))
        pages = [page async for page in super().scan(request, deadline)]
        found = [one for page in pages for one in page.candidates]
        complete = pages[-1].complete
        if self.lie == "oldest first":
            found.reverse()
        if self.lie == "says it is complete":
            complete = True
        if self.lie == "loses one" and request.filter.condition is not None:
            found = found[1:]
        yield ScanPage(tuple(found), complete)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        if self.lie == "cuts traces":
            whole = await super().get_trace(trace_id, within, deadline)
            return whole and Trace(trace_id, whole.spans[:1])
        if self.lie == "forgets traces":
            return None
        if self.lie == "invents traces" and await super().get_trace(trace_id, within, deadline) is None:
            return TRACES[0]
        return await super().get_trace(trace_id, within, deadline)


@pytest.mark.parametrize(
    "capabilities",
    [
        EVERYTHING,
        Capabilities(time_resolution_ns=1_000_000_000),
        replace(EVERYTHING, push_not=False, push=tuple(replace(one, exact=False) for one in EVERYTHING.push)),
        replace(EVERYTHING, max_range_ns=600_000_000_000, max_limit=60),
    ],
)
async def test_what_keeps_everything_is_told_so(capabilities: Capabilities) -> None:
    found = await tried(MemoryAdapter(TRACES, capabilities))
    assert faults(found) == []
    assert sum(one.passed is True for one in found) >= 7


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ("oldest first", "Sort by start"),
        ("says it is complete", "as if it were all"),
        ("loses one", "does not find trace"),
        ("filters by nothing", "which does not match: leave it out, or say exact: false"),
        ("ignores the range", "1970"),
        ("cuts traces", "give other spans"),
        ("forgets traces", "cannot be read"),
        ("invents traces", "is invented"),
    ],
)
async def test_a_lie_is_found_and_what_to_change_is_said(lie: str, words: str) -> None:
    assert words in "\n".join(faults(await tried(Liar(lie=lie))))


async def test_a_rule_for_which_there_is_no_value_is_not_called_kept() -> None:
    rule = PushRule(
        frozenset({Scope.SPAN}), frozenset({Op.EQ}), frozenset({LiteralType.STRING}), frozenset({"no.such.name"})
    )
    found = await tried(MemoryAdapter(TRACES, replace(EVERYTHING, push=(rule,), push_or=False, push_not=False)))
    assert [one.passed for one in found if one.sentence.startswith("Rule 1")] == [None]


async def test_what_cannot_be_reached_ends_it() -> None:
    away = MemoryAdapter(TRACES, EVERYTHING, faults=Faults(check=Unreachable(), scan=Unreachable()))
    assert [one.passed for one in await tried(away)] == [False, False]


async def test_a_datasource_without_traces_is_told_to_get_some() -> None:
    (_, found) = await tried(MemoryAdapter((), EVERYTHING))
    assert found.passed is False
    assert "load some" in found.advice


async def test_a_datasource_that_is_never_complete_is_found_out() -> None:
    class Never(MemoryAdapter):
        async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
            async for page in super().scan(request, deadline):
                yield replace(page, complete=False)

    found = await tried(Never(TRACES, replace(EVERYTHING, order=Order.FIRST_FOUND)))
    assert "never complete" in found[1].advice
