"""Asking one worker over HTTP: the way there, and its answer while it comes.

`arcane.models.running` loads this when somebody waits for a model, because the client is 2 MB that most instances
never use.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec

from arcane.messaging.running import RunDone, RunEvent, RunFailed, RunJudged
from arcane.models.running import Elsewhere, Signed, broken

_CONNECT_S = 2.0
_GRACE_S = 5.0
_EVENT = "data: "


@asynccontextmanager
async def opened(url: str, signed: Signed, within_s: float) -> AsyncIterator[AsyncIterator[RunEvent]]:
    """Yields the events of the worker at `url`. Raises Elsewhere before the first of them."""
    timeout = httpx.Timeout(within_s + _GRACE_S, connect=_CONNECT_S)
    # Not arcane.kit.egress: that guards where *users* point to, the address is a worker's own, signed with the key.
    async with httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False) as client:  # noqa: TID251
        try:
            request = client.build_request("POST", signed.path, content=signed.content, headers=signed.headers)
            answer = await client.send(request, stream=True)
        except (httpx.TransportError, httpx.InvalidURL) as exc:
            raise Elsewhere(type(exc).__name__) from exc
        try:
            if answer.status_code != httpx.codes.OK:
                raise Elsewhere(f"status {answer.status_code}")
            yield _read(answer)
        finally:
            await answer.aclose()


async def _read(answer: httpx.Response) -> AsyncIterator[RunEvent]:
    """Yields the events of a worker's answer. Raises ModelFailed when it breaks off."""
    ended = False
    try:
        async for line in answer.aiter_lines():
            if line.startswith(_EVENT):
                event: RunEvent = msgspec.json.decode(line[len(_EVENT) :], type=RunEvent)
                ended = isinstance(event, RunDone | RunJudged | RunFailed)
                yield event
    except (httpx.TransportError, msgspec.MsgspecError) as exc:
        raise broken() from exc
    if not ended:
        raise broken()
