from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from arcane.spi import Deadline, HttpRequest, HttpResponse, HttpSession, HttpStream


class FirstApiOnly:
    """A session through a gateway that lets nothing of the third API pass."""

    def __init__(self, http: HttpSession) -> None:
        self._http = http

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        if request.path.startswith("/api/v3/"):
            return HttpResponse(404, {"content-type": "text/plain"}, b"404 page not found\n")
        return await self._http.send(request, deadline)

    def stream(self, request: HttpRequest, deadline: Deadline) -> AbstractAsyncContextManager[HttpStream]:
        return self._http.stream(request, deadline)
