"""Hits whose root is not in the datasource they came from: looked up in the other ones.

Of a trace that is split over datasources at most one part holds the root. A hit without one is
therefore asked for where it did not come from, so that the list shows the whole trace: its real name,
its length, and the spans that matched elsewhere, also those that would have come on a later page.
"""

from __future__ import annotations

from collections.abc import Sequence

from arcane.federation.asking import Asking
from arcane.federation.merge import Page, merge_hits
from arcane.federation.question import Question
from arcane.federation.together import each
from arcane.federation.verify import Judge
from arcane.model.hit import TraceHit
from arcane.model.notice import Notice
from arcane.model.trace import Trace
from arcane.traceql.hits import hit_of

CUT = Notice(
    "More traces of this page lack their root than are looked up; the last ones are shown as one datasource has them."
)


async def complete(page: Page, question: Question, askings: Sequence[Asking], lookups_max: int) -> None:
    """Adds to the hits of `page` that lack a root what the other datasources have of those traces.

    A datasource that cannot be asked keeps its part to itself; its outcome says so.
    """
    rootless = [index for index, hit in enumerate(page.hits) if hit.root_name is None]
    if len(rootless) > lookups_max:
        for asking in askings:
            asking.warnings[CUT] = None
    judge = Judge(question)

    async def look_up(at: tuple[int, int]) -> None:
        index, other = at
        part = await askings[other].look_up(page.hits[index].trace_id)
        if part is not None and part.spans:
            found = judge.hit(part) or _header(part)
            page.hits[index] = merge_hits(page.hits[index], found, question.spans_per_trace)
            page.origins[index].add(other)

    wanted = [
        (index, other)
        for index in rootless[:lookups_max]
        for other in range(len(askings))
        if other not in page.origins[index]
    ]
    await each(look_up, wanted)
    if all(asking.lookup_error is None for asking in askings):
        page.looked_up.update(rootless[:lookups_max])


def _header(part: Trace) -> TraceHit:
    """Returns a hit of which nothing matched: the part's name, extent and counts."""
    return hit_of(part, (), (), 0)
