"""One corpus, every backend, one answer: the same traces, spans and attributes, whichever storage holds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsQuestion, measure
from arcane.federation.question import Question
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.outcome import SourceStatus
from arcane.model.trace import Trace
from arcane.settings import LimitSettings
from arcane.spi import Adapter
from tests.support.clickhouse import ClickHouse
from tests.support.not_run import told
from tests.support.one_answer import (
    SPANS_PER_TRACE,
    Asked,
    committed,
    corpus,
    difference,
    digest,
    evaluated,
    groups,
    questions,
    whole,
)
from tests.support.one_answer_backends import BACKENDS, Backend, Place
from tests.support.one_answer_metrics import (
    committed_metrics,
    measured_directly,
    metrics_answers,
    metrics_groups,
    metrics_questions,
    series_difference,
    steps_of,
)

pytestmark = pytest.mark.anyio

PATIENCE_S = 200.0
LIMITS = LimitSettings(source_timeout_s=PATIENCE_S)
TOGETHER = ("memory", "memory that is sloppy", "otlp_file", "custom_api, the example", "clickhouse with JSON")
"""Who holds a part each when several are asked at once."""
AT_NIGHT = told("HYPOTHESIS_PROFILE") == "nightly"
SHARE = 6 if AT_NIGHT else 12
"""Every how many-th trace of the corpus they hold: traces in parts are looked up in each of the stores."""
TOGETHER_EVERY = 6
"""Every how many-th query of a group they are asked by day, as they are asked by themselves, too."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """A backend is loaded once, for all of its questions."""
    return "asyncio"


FaultOf = Callable[[Engine, Asked], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Sources that are asked together, the traces that they hold, and what they are known to see differently."""

    sources: Sequence[Source]
    held: Sequence[Trace]
    grain_ns: int = 1
    differs: Mapping[str, str] = field(default_factory=dict)
    split: bool = False
    """Most traces are in several of them: what is said of one that is not told to be whole is not compared."""
    every: int = 1
    """By day, one query of so many is asked, and all that are listed as different; at night all are."""
    first: int = 0
    """Which one of so many, so that backends of a kind are asked different ones."""

    def chosen(self, group: Sequence[Asked]) -> list[Asked]:
        """Returns the queries of the group that are asked on this run."""
        some = group[min(self.first, len(group) - 1) :: self.every]
        return [one for one in group if AT_NIGHT or one in some or one.name in self.differs]

    async def wrong(self, group: str) -> list[str]:
        """Returns a line for each query of the group whose answer is another one than direct evaluation's."""
        return await self._told([one for one in questions() if one.group == group], self._fault)

    async def mismeasured(self, group: str) -> list[str]:
        """Returns a line for each metrics query of the group whose series are other ones."""
        return await self._told([one for one in metrics_questions() if one.group == group], self._mismeasured)

    async def _told(self, group: Sequence[Asked], fault_of: FaultOf) -> list[str]:
        engine = Engine(LIMITS)
        lines = []
        for asked in self.chosen(group):
            fault = await fault_of(engine, asked)
            if asked.name in self.differs and fault is None:
                fault = "is listed as different, and is not"
            elif asked.name in self.differs:
                fault = None
            lines += [f"{asked.name}: {asked.text}\n    {fault}"] if fault else []
        return lines

    async def _mismeasured(self, engine: Engine, asked: Asked) -> str | None:
        steps = steps_of(asked, self.held)
        found = await measure(engine, MetricsQuestion(asked.query, steps), self.sources, Deadline.after(PATIENCE_S))
        for one in found.outcome.sources:
            if one.status is not SourceStatus.OK:
                return f"{one.name} is {one.status}: {one.error or one.warnings}"
        return series_difference(found.series, measured_directly(asked.query, self.held, steps))

    async def _fault(self, engine: Engine, asked: Asked) -> str | None:
        question = Question(asked.query, whole(self.held), limit=200, spans_per_trace=SPANS_PER_TRACE)
        found = await engine.search(question, self.sources, None, Deadline.after(PATIENCE_S))
        for one in found.outcome.sources:
            if one.status is not SourceStatus.OK:
                return f"{one.name} is {one.status}: {one.error or one.warnings}"
        assert len(found.whole) == len(found.hits)
        return difference(
            found.hits, evaluated(asked.query, self.held), self.grain_ns, whole=found.whole if self.split else ()
        )


def marked(backend: Backend) -> Any:
    """A server that may not be here is named at the end of the run where it is not."""
    marks = [pytest.mark.connected(backend.needs)] if backend.needs else []
    return pytest.param(backend, id=backend.name, marks=marks)


def source(number: int, backend: Backend, adapter: Adapter) -> Source:
    return Source(str(number), backend.name, backend.name.partition(" ")[0], adapter)


@pytest.fixture(scope="module")
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Place]:
    def clickhouse() -> ClickHouse:
        found: ClickHouse = request.getfixturevalue("clickhouse")
        return found

    return lambda: Place(tmp_path_factory.mktemp("one_answer"), clickhouse)


@pytest.fixture(scope="module", params=[marked(one) for one in BACKENDS])
async def alone(request: pytest.FixtureRequest, places: Callable[[], Place]) -> AsyncIterator[Loaded]:
    backend: Backend = request.param
    given = backend.given(corpus())
    async with backend.load(given, places()) as adapter:
        sources, first = [source(0, backend, adapter)], BACKENDS.index(backend) % backend.asked_every
        yield Loaded(sources, given, backend.grain_ns, backend.differs, every=backend.asked_every, first=first)


@pytest.mark.parametrize("group", groups())
async def test_a_backend_answers_as_the_spans_say(alone: Loaded, group: str) -> None:
    wrong = await alone.wrong(group)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("group", metrics_groups())
async def test_a_backend_is_measured_as_its_spans_are(alone: Loaded, group: str) -> None:
    wrong = await alone.mismeasured(group)
    assert not wrong, "\n".join(wrong)


def by_trace(traces: Sequence[Trace], count: int) -> list[list[Trace]]:
    """Every trace is in one of the stores."""
    return [list(traces[number::count]) for number in range(count)]


def by_span(traces: Sequence[Trace], count: int) -> list[list[Trace]]:
    """Every span is in one of the stores: most traces are in several of them."""
    stores: list[list[Trace]] = [[] for _ in range(count)]
    for trace in traces:
        for number, store in enumerate(stores):
            spans = [span for index, span in enumerate(trace.spans) if index % count == number]
            store += [Trace(trace.trace_id, spans)] if spans else []
    return stores


@pytest.fixture(scope="module", params=[by_trace, by_span], ids=["by trace", "by span"])
async def together(request: pytest.FixtureRequest, places: Callable[[], Place]) -> AsyncIterator[Loaded]:
    chosen = [backend for backend in BACKENDS if backend.name in TOGETHER]
    held = corpus()[::SHARE]
    async with AsyncExitStack() as stack:
        sources = [
            source(number, backend, await stack.enter_async_context(backend.load(part, places())))
            for number, (backend, part) in enumerate(zip(chosen, request.param(held, len(chosen)), strict=True))
        ]
        yield Loaded(sources, held, split=request.param is by_span, every=TOGETHER_EVERY)


@pytest.mark.parametrize("group", groups())
async def test_backends_that_share_a_corpus_answer_as_one(together: Loaded, group: str) -> None:
    wrong = await together.wrong(group)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("group", metrics_groups())
async def test_backends_that_share_a_corpus_are_measured_as_one(together: Loaded, group: str) -> None:
    wrong = await together.mismeasured(group)
    assert not wrong, "\n".join(wrong)


def test_what_metrics_queries_mean_has_not_changed() -> None:
    """After a change that is meant, `python -m tests.support.one_answer_metrics` writes the answers anew."""
    assert metrics_answers() == committed_metrics()


def test_what_the_queries_mean_has_not_changed() -> None:
    """After a change that is meant, `python -m tests.support.one_answer` writes the answers anew."""
    known = committed()
    changed = [asked.name for asked in questions() if known.get(asked.name) != digest(evaluated(asked.query, corpus()))]
    assert changed == []
    assert list(known) == [asked.name for asked in questions()]


def test_there_are_enough_questions_and_most_find_something() -> None:
    found = [int(summary.split()[0]) for summary in committed().values()]
    assert len(found) >= 400
    assert sum(count > 0 for count in found) > 0.8 * len(found)
    assert len({summary.split()[2] for summary in committed().values()}) > 0.5 * len(found)
