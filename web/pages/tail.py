"""The live part of the search page: rows, written by the template of the list, as their traces appear."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

import msgspec
from fastapi import APIRouter, Request, Response

from arcane.kit.actor import Actor
from arcane.kit.guard import Again, again_of, requires
from arcane.kit.sse import HEARTBEAT, EventStreamResponse, frame, mark
from arcane.traces.live.tail import Tail, TailRequest, TailService, since_of
from arcane.traces.live.watching import Dropped, Ended, Opened, Polled, TailEvent, Traced
from web.i18n import Language
from web.rendering import Page, Renderer, renderer_of
from web.rows import HitRow, RowContext, row_of
from web.searchform import EVERYTHING, SPANS
from web.shell import Shell
from web.sources import SourceLine, source_lines

router = APIRouter(include_in_schema=False)

PATH: Final = "/o/{organisation}/p/{project}/traces/tail"
_SLOWEST_MS: Final = 1_000
"""The duration of a full bar, where no list is there to compare with."""
Reader = Annotated[Actor, requires("traces:read")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRow(Page):
    template: ClassVar[str] = "traces/tailrow.html"

    row: HitRow


@router.get(PATH)
async def tail(request: Request, actor: Reader, q: str = "") -> Response:
    """Rows and polls as server-sent events, for as long as the page is open and its reader may see them."""
    tails: TailService = request.app.state.tails
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="traces")
    wanted = TailRequest(
        q.strip() or EVERYTHING,
        tuple(request.query_params.getlist("source")),
        SPANS,
        since_of(request.headers.get("last-event-id")),
    )
    opened = await tails.open(actor, wanted)
    base = f"/o/{shell.organisation}/p/{request.path_params['project']}/traces"
    context = RowContext(base, shell.zone, datetime.now(UTC), _SLOWEST_MS * 1_000_000, shell.language)
    writer = _Writer(renderer, shell, context)
    return EventStreamResponse(writer.frames(opened, again_of(request, "traces:read")))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes what happens as the page takes it: rows as HTML, the rest as JSON in the reader's language."""

    renderer: Renderer
    shell: Shell
    context: RowContext

    async def frames(self, tail: Tail, again: Again) -> AsyncGenerator[bytes, None]:
        """Yields frames until the tail is over."""
        async for events, moment in tail.events(again):
            context = replace(self.context, now=datetime.now(UTC))
            yield b"".join(self._written(events, context)) + (mark(str(moment)) if moment else b"") or HEARTBEAT

    def _written(self, events: Sequence[TailEvent], context: RowContext) -> Iterator[bytes]:
        tell = context.language.tell
        for event in events:
            match event:
                case Traced(found, _):
                    page = TailRow(shell=self.shell, title="", row=row_of(found, context))
                    yield frame("trace", self.renderer.fragment(page, page.template))
                case Polled(outcome, _):
                    (line,) = source_lines((outcome,), context.language, asks=True)
                    yield frame("poll", _polled(line, tell(line.note)))
                case Opened(_, sources, poll_s, _):
                    note = _apart(context.language) if any(one.whole for one in sources) else ""
                    yield frame("open", msgspec.json.encode({"sources": len(sources), "poll_s": poll_s, "note": note}))
                case Dropped(count):
                    yield frame("dropped", msgspec.json.encode({"count": count}))
                case Ended(reason, message):
                    yield frame("end", msgspec.json.encode({"reason": reason, "message": tell(message)}))


def _apart(language: Language) -> str:
    return language.gettext(
        "While you watch, conditions on whole traces are judged by what each datasource alone has of them."
    )


def _polled(line: SourceLine, note: str) -> bytes:
    return msgspec.json.encode({"id": line.id, "tone": line.tone, "elapsed": line.elapsed_text, "note": note})
