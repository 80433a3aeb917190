"""A question under way: the datasources it is put to, what each does for it, and the answer so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import anyio

from arcane.federation.asking import Asking
from arcane.federation.complete import complete
from arcane.federation.merge import Page, Position, Stream, merge
from arcane.federation.question import SEEN_MAX, Found, Question, Resume, mark_of
from arcane.federation.run import SourceRun
from arcane.federation.source import Source
from arcane.model.hit import TraceHit
from arcane.model.ids import TraceId
from arcane.model.outcome import QueryOutcome, SourceOutcome, SourceStatus

_NOTHING_LEFT = Stream((), (0, ""), None)


@dataclass(slots=True)
class Running:
    """`runs` has None for a datasource that gave everything on earlier pages."""

    question: Question
    askings: Sequence[Asking]
    runs: Sequence[SourceRun | None]
    resume: Resume | None
    lookups_max: int
    _named: dict[frozenset[int], tuple[str, ...]] = field(default_factory=dict)

    async def each_run(self, collect: Callable[[int, SourceRun], Awaitable[None]]) -> None:
        """Returns when `collect` is through with every run; the first fault ends all where the question says so."""
        under_way = [(index, run) for index, run in enumerate(self.runs) if run is not None]
        if len(under_way) == 1:
            await collect(*under_way[0])
            return
        async with anyio.create_task_group() as group:

            async def guarded(index: int, run: SourceRun) -> None:
                await collect(index, run)
                if self.question.abort and run.error is not None:
                    group.cancel_scope.cancel()

            for index, run in under_way:
                group.start_soon(guarded, index, run)

    async def page(self) -> Page:
        """Returns the page that the rows of all runs make, with what the other datasources have of its traces."""
        streams = [run.stream if run else _NOTHING_LEFT for run in self.runs]
        page = merge(streams, self.question.limit, self.question.spans_per_trace)
        await self.complete(page)
        return page

    async def complete(self, page: Page) -> None:
        """Adds to hits without a root what other datasources have of them; of whole traces nothing is missing."""
        if len(self.askings) > 1 and not any(run.plan.whole_traces for run in self.runs if run):
            await complete(page, self.question, self.askings, self.lookups_max)

    def is_whole(self, origins: Collection[int], *, looked_up: bool = False) -> bool:
        """True when extent and counts of a hit are known to be those of the whole trace, in all that were asked.

        Else they are those of its origins: to know more, each trace of each page would have to be asked for everywhere.
        """
        if len(self.askings) == 1 or looked_up or len(origins) == len(self.askings):
            return True
        together = any(run.plan.whole_traces for run in self.runs if run)
        return together and all(asking.lookup_error is None for asking in self.askings)

    def _is_nowhere_else(self, hit: TraceHit, origins: Collection[int]) -> bool:
        """True when the others have given all they hold from the trace's beginning to the end of the range, none of it.

        Only a query for everything tells that: of any other one, spans that do not match may be anywhere.
        """
        runs = [run for run in self.runs if run]
        is_inside = self.question.within.start <= hit.start and hit.start + hit.duration <= self.question.within.end
        if hit.root_name is None or not is_inside or not any(run.plan.takes_everything for run in runs):
            return False
        others = [run for index, run in enumerate(self.runs) if run and index not in origins]
        return all(run.is_through(hit.position) for run in others)

    def found(self, page: Page) -> Found:
        """Returns the answer that is this page."""
        counts = Counter(index for origin in page.origins for index in origin)
        origins = tuple(self.names(origin) for origin in page.origins)
        following = self.following(page.resume, [hit.trace_id for hit in page.hits])
        whole = tuple(
            self.is_whole(origin, looked_up=at in page.looked_up) or self._is_nowhere_else(hit, origin)
            for at, (hit, origin) in enumerate(zip(page.hits, page.origins, strict=True))
        )
        return Found(tuple(page.hits), origins, self.outcome(counts), following, self.all_failed, whole=whole)

    def following(self, places: Sequence[Position | None], given: Sequence[TraceId]) -> Resume | None:
        """Returns where the question goes on, None where no datasource has anything left."""
        if all(place is None for place in places):
            return None
        before = self.resume.seen if self.resume else ()
        seen = (*before, *map(mark_of, given))[-SEEN_MAX:] if len(self.askings) > 1 else ()
        ids = (asking.source.id for asking in self.askings)
        return Resume(self.question.within, dict(zip(ids, places, strict=True)), seen)

    def outcome(self, rows: Counter[int]) -> QueryOutcome:
        """Returns what each datasource contributed; `rows` counts hits by the index of the datasource."""
        return QueryOutcome(
            tuple(
                run.outcome(rows[index]) if run else _exhausted(self.askings[index].source, rows[index])
                for index, run in enumerate(self.runs)
            )
        )

    @property
    def all_failed(self) -> bool:
        """True when not one of the datasources that were asked gave anything, and each of them failed."""
        runs = [run for run in self.runs if run is not None]
        return bool(runs) and all(run.failed for run in runs)

    def names(self, origins: Collection[int]) -> tuple[str, ...]:
        """Returns the ids of datasources; most hits come from few combinations of them."""
        key = frozenset(origins)
        names = self._named.get(key)
        if names is None:
            names = self._named[key] = tuple(self.askings[index].source.id for index in sorted(key))
        return names


def _exhausted(source: Source, rows: int) -> SourceOutcome:
    """Everything this datasource has was on earlier pages."""
    return SourceOutcome(source.id, source.name, source.kind, SourceStatus.OK, rows, 0.0)


def places_of(runs: Iterable[SourceRun | None]) -> list[Position | None]:
    """Returns where each datasource goes on below everything it has given."""
    return [run.frontier if run else None for run in runs]
