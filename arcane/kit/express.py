"""A short way through for the few routes that are asked a thousand times a second.

FastAPI matches a route twice and works out all its dependencies anew for every request, which is more than half of
what a small answer costs. An express route stands in front of the declared one of the same address. It takes the
requests that are plain; any other, odd or wrong, goes on to the declared route, which says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Message, Receive, Scope, Send

from arcane.kit.guard import Guard

PLAIN_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_JSON: Final = (b"content-type", b"application/json")
_ASIDE: Final = "arcane.express.aside"


class Express(BaseRoute):
    """Answers plain requests by the declared endpoint, called directly.

    The endpoint takes `request`, `actor`, the named groups of `pattern` other than the project, and the `body`
    where there is one. Who may call it is decided by the guard that the declared route has.
    """

    def __init__(
        self,
        method: str,
        pattern: str,
        guard: Guard,
        endpoint: Callable[..., Awaitable[Response]],
        body: type[BaseModel] | None = None,
    ) -> None:
        self.method = method
        self.path = pattern
        self.guard = guard
        self.endpoint = endpoint
        self.body = body
        self._match = re.compile(pattern).fullmatch

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Returns a match for a plain request: nothing in its query, and JSON where a body is read."""
        if scope["type"] != "http" or scope["method"] != self.method or scope["query_string"] or _ASIDE in scope:
            return Match.NONE, {}
        found = self._match(scope["path"])
        if found is None or (self.body is not None and _JSON not in scope["headers"]):
            return Match.NONE, {}
        return Match.FULL, {"path_params": found.groupdict(), "endpoint": self.endpoint, "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request is answered, here or by the declared route."""
        request = Request(scope, receive, send)
        arguments: dict[str, Any] = dict(request.path_params)
        arguments.pop("project_id")
        if self.body is not None:
            try:
                raw = await request.body()
            except ClientDisconnect:
                return
            try:
                arguments["body"] = self.body.model_validate_json(raw)
            except ValidationError:
                await self._aside(raw, scope, receive, send)
                return
        app: FastAPI = scope["app"]
        guard = app.dependency_overrides.get(self.guard, self.guard)
        actor = await guard(request)
        response = await self.endpoint(request, actor=actor, **arguments)
        await response(scope, receive, send)

    async def _aside(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """The declared route has answered the request, whose body was read."""
        unread = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return unread.pop() if unread else await receive()

        scope[_ASIDE] = True
        await scope["router"](scope, again, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Raises NoMatchFound: the declared route has the name."""
        raise NoMatchFound(name, path_params)
