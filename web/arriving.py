"""Results while they are on their way: rows and datasources as pieces of HTML, which a script puts in their place.

Without scripts the pieces are templates that nobody shows, and the whole answer behind them is the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Final

import anyio

from arcane.federation.events import Settled
from arcane.traces.arriving import AnswerEnded, AnswerEvent, Arriving, Asked, TraceArrived
from arcane.traces.questions import FoundTrace, SearchAnswer
from arcane.traces.service import answer_of
from web.rendering import Page
from web.rows import HitRow, RowContext, row_of, scale_of
from web.sources import SourceLine, source_lines

HELD_S: Final = 0.15
"""An answer that is there this soon needs no pieces: it comes at once."""


@dataclass(frozen=True, slots=True)
class ArrivedRow:
    """A row and where it stands: rows descend by `at`, then by trace id."""

    at: str
    row: HitRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces(Page):
    """What has arrived since the last pieces."""

    template: ClassVar[str] = "traces/pieces.html"

    rows: Sequence[ArrivedRow]
    sources: Sequence[SourceLine]


Show = Callable[[Pieces], Awaitable[None]]


@dataclass(slots=True)
class Watching:
    """Reads an answer to its end and shows what comes before it, if it takes long enough for anybody to see."""

    page: Page
    asked: Asked
    context: RowContext
    show: Show

    async def answer(self, arriving: Arriving) -> SearchAnswer:
        """Returns the whole answer; raises what a search raises."""
        shown_from = anyio.current_time() + HELD_S
        waiting: list[AnswerEvent] = []
        while True:
            events: list[AnswerEvent] = []
            with anyio.move_on_at(shown_from if waiting and anyio.current_time() < shown_from else float("inf")):
                events = await anext(arriving)
            if events and isinstance(events[-1], AnswerEnded):
                return answer_of(events[-1], self.asked)
            waiting += events
            if waiting and anyio.current_time() >= shown_from:
                await self.show(self._pieces(waiting))
                waiting.clear()

    def _pieces(self, events: Sequence[AnswerEvent]) -> Pieces:
        language = self.page.shell.language
        latest: dict[str, TraceArrived] = {
            one.found.hit.trace_id: one for one in events if isinstance(one, TraceArrived)
        }
        outcomes = [one.outcome for one in events if isinstance(one, Settled)]
        return Pieces(
            shell=self.page.shell,
            title=self.page.title,
            rows=[self._row(one) for one in latest.values()],
            sources=source_lines(outcomes, language, asks=True),
        )

    def _row(self, arrived: TraceArrived) -> ArrivedRow:
        """Returns the row. Bars are as long as the longest trace so far says; those before keep theirs till the end."""
        found: FoundTrace = arrived.found
        scale = max(self.context.scale, scale_of([found.hit]))
        self.context = replace(self.context, scale=scale, now=datetime.now(UTC))
        return ArrivedRow(f"{arrived.position[0]:020d}", row_of(found, self.context))
