"""What every HTTP answer of this process shares: problem details, a body limit, a request id, a deadline."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arcane.kit.logging import get_logger
from arcane.kit.problems import BodyTooLarge, MalformedInput, NotAllowed, NotFound, NotSignedIn, Problem
from arcane.model.deadline import Deadline
from arcane.model.notice import encoded

log = get_logger("arcane.http")

PROBLEM_TYPE = "application/problem+json"
_UNSTORABLE_TEXT = frozenset({"22021", "22P05"})  # character_not_in_repertoire, untranslatable_character


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status = 405
    slug = "method-not-allowed"
    title = "Method not allowed"


class InternalError(Problem):
    """A bug in Arcane; the log has the request id."""

    status = 500
    slug = "internal-error"
    title = "Internal error"


class InvalidEncoding(Problem):
    """The body is not UTF-8."""

    status = 400
    slug = "invalid-encoding"
    title = "Invalid encoding"


class UnreadableBody(Problem):
    """The body is not JSON."""

    status = 400
    slug = "unreadable-body"
    title = "Unreadable body"


class UnsupportedMediaType(Problem):
    """The body is not what its address reads: `Content-Type` says something else."""

    status = 415
    slug = "unsupported-media-type"
    title = "Unsupported media type"


def problem_response(request: Request, problem: Problem) -> Response:
    """Returns `problem` as application/problem+json."""
    body = msgspec.json.encode(problem.body(request.url.path), enc_hook=str)
    return Response(body, status_code=problem.status, media_type=PROBLEM_TYPE, headers=problem.headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Makes every failure of `app` an RFC 9457 answer; nothing of a traceback leaves the process."""

    async def on_problem(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, Problem)  # noqa: S101 - registered for Problem only
        return problem_response(request, exc)

    async def on_malformed(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)  # noqa: S101
        if _is_unread(exc):
            given = request.headers.get("content-type", "")
            return problem_response(
                request, UnsupportedMediaType("a body here is sent as application/json", content_type=given)
            )
        return problem_response(request, malformed(exc))

    async def on_http(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)  # noqa: S101
        return problem_response(request, _of_status(exc))

    async def on_database(request: Request, exc: Exception) -> Response:
        if getattr(getattr(exc, "orig", None), "sqlstate", None) in _UNSTORABLE_TEXT:
            return problem_response(request, MalformedInput("a text holds a character that cannot be stored (NUL)"))
        return await on_bug(request, exc)

    async def on_bug(request: Request, exc: Exception) -> Response:
        request_id = getattr(request.state, "request_id", "")
        log.error("request_failed", route=route_of(request), request_id=request_id, exc_info=exc)
        return problem_response(
            request, InternalError("something broke in Arcane; the log has this id", request_id=request_id)
        )

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_malformed)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(DBAPIError, on_database)
    app.add_exception_handler(Exception, on_bug)


def route_of(request: Request) -> str:
    """Returns the route as it is declared, for logs: a path may carry a name or a value of a trace."""
    return f"{request.method} {getattr(request.scope.get('route'), 'path', '?')}"


def _is_unread(exc: RequestValidationError) -> bool:
    """True when FastAPI handed the body on as bytes: it reads only what says that it is JSON."""
    return isinstance(exc.body, bytes) and any(error["loc"] == ("body",) for error in exc.errors())


def malformed(exc: RequestValidationError) -> Problem:
    """Returns the problem of a request that does not have its declared shape: where, and why."""
    errors = exc.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return UnreadableBody("the body is not valid JSON")
    found = [{"pointer": _pointer(error["loc"]), "detail": error["msg"]} for error in errors]
    return MalformedInput(f"{len(found)} part(s) of the request do not have the declared shape", errors=found)


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901 for the body; `query/limit` and the like for parameters."""
    where, *rest = location or ("body",)
    path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"#{path}" if where == "body" else f"{where}{path}"


def _of_status(exc: HTTPException) -> Problem:
    if exc.status_code == 404:
        return NotFound("there is nothing at this address")
    if exc.status_code == 405:
        return MethodNotAllowed("this address does not answer that method", headers=dict(exc.headers or {}))
    if exc.status_code == 401:
        return NotSignedIn("sign in first")
    if exc.status_code == 403:
        return NotAllowed("you are not allowed to do this")
    if exc.status_code == 413:
        return BodyTooLarge("the body is larger than this instance accepts")
    if exc.status_code == 400:
        cause = exc.__cause__
        if isinstance(cause, UnicodeDecodeError):
            return InvalidEncoding("the body is not UTF-8")
        return UnreadableBody("the body could not be read")
    return InternalError("something broke in Arcane")


class RequestEdge:
    """ASGI middleware at the edge: refuses bodies over `max_body_bytes`, gives each request an id.

    `larger` has the addresses whose bodies are files, each with its own limit.
    """

    headers: ClassVar[list[tuple[bytes, bytes]]] = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
    ]

    def __init__(
        self, app: ASGIApp, *, max_body_bytes: int, larger: Sequence[tuple[re.Pattern[str], int]] = ()
    ) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.larger = larger
        self._process = secrets.token_hex(4)
        self._numbers = itertools.count(1)  # ids need to differ, not to be secret: no system call a request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, bounded and marked."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = f"{self._process}{next(self._numbers):08x}"
        scope.setdefault("state", {})["request_id"] = request_id
        extra = [*self.headers, (b"x-request-id", request_id.encode())]

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        most = self._most(scope)
        if _declared_length(scope) > most:
            await self._refuse(scope, receive, send_marked, most)
            return
        await self.app(scope, self._bounded(receive, most), send_marked)

    def _most(self, scope: Scope) -> int:
        if scope["method"] != "POST":
            return self.max_body_bytes
        return next((most for path, most in self.larger if path.match(scope["path"])), self.max_body_bytes)

    def _bounded(self, receive: Receive, most: int) -> Receive:
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise HTTPException(413)
            return message

        return bounded

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        problem = BodyTooLarge(f"a body may have {most} bytes", max_bytes=most)
        response = problem_response(Request(scope), problem)
        response.headers["connection"] = "close"
        await response(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def deadline_of(request: Request) -> Deadline:
    """Returns the one deadline of this request; it begins when it is first asked for."""
    known: Deadline | None = getattr(request.state, "deadline", None)
    if known is None:
        known = Deadline.after(request.app.state.settings.server.request_timeout_s)
        request.state.deadline = known
    return known


def json_response(content: Any, *, status: int = 200) -> Response:
    """Returns `content` (msgspec structs, dicts, lists) as JSON, encoded once and copied never."""
    return Response(msgspec.json.encode(content, enc_hook=encoded), status_code=status, media_type="application/json")
