"""The suite is worth something: adapters with one fault each are told so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

import pytest

from arcane.model.time import NANOS_PER_SECOND, TimeRange
from arcane.model.trace import Trace
from arcane.spi import Adapter, Deadline, Health, ScanPage, ScanRequest, TraceId, Unreachable
from arcane.spi.testing import AdapterContract, corpus
from datasources.memory.adapter import MemoryAdapter
from datasources.memory.plugin import EVERYTHING

pytestmark = pytest.mark.anyio

TRACES = corpus()
WHOLE = TimeRange(TRACES[0].start - NANOS_PER_SECOND, TRACES[-1].end + NANOS_PER_SECOND)
SUITE = AdapterContract()


class Faulty(MemoryAdapter):
    """The reference adapter with its pages changed."""

    def __init__(self, change: Callable[[ScanPage], ScanPage]) -> None:
        super().__init__(TRACES, EVERYTHING)
        self._change = change

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        async for page in super().scan(request, deadline):
            yield self._change(page)


class Cutting(MemoryAdapter):
    """Gives a part of a trace for the whole."""

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        found = await super().get_trace(trace_id, within, deadline)
        return Trace(trace_id, found.spans[:-1]) if found else None


class Inventing(MemoryAdapter):
    """Has every trace there is."""

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return TRACES[0]


class Silent(MemoryAdapter):
    """Says the wrong thing when time is up, and nothing when it is well."""

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        raise Unreachable

    async def check(self, deadline: Deadline) -> Health:
        return Health(None, 1, None, ("",))


def lying(**changes: object) -> Adapter:
    return Faulty(lambda page: replace(page, **changes))  # type: ignore[arg-type]


def without_first() -> Adapter:
    return Faulty(lambda page: replace(page, candidates=page.candidates[1:]))


def twice() -> Adapter:
    return Faulty(lambda page: replace(page, candidates=page.candidates * 2))


def backwards() -> Adapter:
    return Faulty(lambda page: replace(page, candidates=page.candidates[::-1]))


Test = Callable[..., Awaitable[None]]


@pytest.mark.parametrize(
    ("adapter", "test", "more"),
    [
        (lying(complete=True), SUITE.test_a_limit_is_kept_and_told, {"limit": 7}),
        (lying(complete=False), SUITE.test_every_trace_of_the_window_is_found, {}),
        (lying(warnings=("x",)), SUITE.test_every_trace_of_the_window_is_found, {}),
        (without_first(), SUITE.test_every_trace_of_the_window_is_found, {}),
        (without_first(), SUITE.test_a_pushed_filter_finds_what_arcane_finds, {"text": "{ status = error }"}),
        (twice(), SUITE.test_every_trace_of_the_window_is_found, {}),
        (backwards(), SUITE.test_newest_first_means_the_newest_and_in_order, {}),
    ],
)
async def test_a_page_that_is_wrong_is_found_out(adapter: Adapter, test: Test, more: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        await test(adapter=adapter, traces=TRACES, whole=WHOLE, **more)


async def test_a_window_that_leaves_something_out_is_found_out() -> None:
    with pytest.raises(AssertionError):
        await SUITE.test_a_window_has_what_overlaps_it(without_first(), TRACES, first=5, last=9)


async def test_a_trace_that_is_cut_or_invented_is_found_out() -> None:
    with pytest.raises(AssertionError):
        await SUITE.test_a_trace_is_read_whole(Cutting(TRACES, EVERYTHING), TRACES)
    with pytest.raises(AssertionError):
        await SUITE.test_an_unknown_trace_is_none(Inventing(TRACES, EVERYTHING))


async def test_rules_that_claim_to_be_exact_are_found_out() -> None:
    sloppy = replace(EVERYTHING, push=tuple(replace(rule, exact=False) for rule in EVERYTHING.push), push_not=False)
    adapter = MemoryAdapter(TRACES, sloppy)
    adapter.capabilities = sloppy
    claiming = _Claiming(adapter)
    with pytest.raises(AssertionError, match="the rules say exact"):
        await SUITE.test_a_pushed_filter_finds_what_arcane_finds(claiming, TRACES, WHOLE, "{ kind = server }")


class _Claiming(Adapter):
    """Passes on what it is asked, and says it is exact."""

    capabilities = EVERYTHING

    def __init__(self, inner: Adapter) -> None:
        self._inner = inner

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        async for page in self._inner.scan(request, deadline):
            yield page

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return await self._inner.get_trace(trace_id, within, deadline)

    async def check(self, deadline: Deadline) -> Health:
        return await self._inner.check(deadline)


async def test_a_wrong_error_and_an_empty_finding_are_found_out() -> None:
    silent = Silent(TRACES, EVERYTHING)
    with pytest.raises(pytest.fail.Exception):
        await SUITE.test_a_deadline_that_has_passed_is_not_waited_for(_NeverTimedOut(silent), WHOLE)
    with pytest.raises(AssertionError):
        await SUITE.test_a_check_says_what_is_there(silent)


class _NeverTimedOut(_Claiming):
    """Answers scans although time is up."""

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        yield ScanPage((), complete=True)
