"""A file that is sent while it is made: for as long as whoever asked for it may have it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from arcane.kit.guard import Again
from arcane.kit.logging import get_logger
from arcane.kit.problems import Problem

log = get_logger("arcane.http")

_ON_TRUST = 64 * 1024
"""So many bytes may be sent before it is asked again whether they may be."""


class Download(StreamingResponse):
    """Sends `chunks`, and breaks off when whoever receives them may not any more, or when there is no more of it.

    A file that was broken off does not end as a whole one does: the connection is closed in the middle of it.
    """

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        again: Again,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_while_allowed(chunks, again), media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns when all is sent, or when nothing more may be: the server closes what was not ended."""
        try:
            await super().__call__(scope, receive, send)
        except Problem as problem:
            log.info("download_broken_off", problem=problem.slug)


async def _while_allowed(chunks: AsyncGenerator[bytes, None], again: Again) -> AsyncGenerator[bytes, None]:
    trusted = 0
    async with aclosing(chunks) as open_chunks:
        async for chunk in open_chunks:
            if trusted <= 0:
                await again()
                trusted = _ON_TRUST
            yield chunk
            trusted -= len(chunk)
