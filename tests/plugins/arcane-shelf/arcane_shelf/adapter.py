"""Asks Shelf over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence

from arcane.spi import (
    Adapter,
    BackendFailed,
    Deadline,
    Health,
    HttpRequest,
    HttpResponse,
    HttpSession,
    Notice,
    Rejected,
    ScanPage,
    ScanRequest,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
    Unauthorized,
)
from arcane_shelf.compile import CAPABILITIES, compile_scan
from arcane_shelf.decode import decode_page, decode_trace


class ShelfAdapter(Adapter):
    """One Shelf."""

    capabilities = CAPABILITIES

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        response = await self._get("/traces", deadline, compile_scan(request))
        candidates, more = decode_page(response.body)
        yield ScanPage(tuple(candidates), complete=not more)

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        response = await self._get(f"/traces/{trace_id}", deadline)
        return None if response.status == 404 else decode_trace(response.body, trace_id)

    async def check(self, deadline: Deadline) -> Health:
        began = time.perf_counter()
        response = await self._get("/version", deadline)
        return Health(response.body.decode(errors="replace")[:40], (time.perf_counter() - began) * 1_000)

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        return (SentRequest("GET", "/traces", tuple(compile_scan(request))),)

    async def _get(self, path: str, deadline: Deadline, params: Sequence[tuple[str, str]] = ()) -> HttpResponse:
        response = await self._http.send(HttpRequest(path, params=params), deadline)
        if response.status in (401, 403):
            raise Unauthorized("Shelf refused the key.")
        if response.status >= 500:
            raise BackendFailed(Notice("Shelf failed with status %(status)d.", status=response.status))
        if response.status >= 400 and response.status != 404:
            raise Rejected("Shelf refused the request.")
        return response
