"""How /api/public answers what it refuses: the original product's three members beside those of RFC 9457."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from arcane.kit.http import PROBLEM_TYPE, malformed
from arcane.kit.problems import Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PublicRoute(APIRoute):
    """A route whose problems published clients can read: they look for `message`."""

    def get_route_handler(self) -> Handler:
        """Returns the handler of the route, which answers problems itself."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as exc:
                return _refused(request, exc)
            except RequestValidationError as exc:
                return _refused(request, malformed(exc))

        return answer


def _refused(request: Request, problem: Problem) -> Response:
    body = {
        "statusCode": problem.status,
        "message": problem.detail,
        "error": problem.title,
        **problem.body(request.url.path),
    }
    encoded = msgspec.json.encode(body, enc_hook=str)
    return Response(encoded, status_code=problem.status, media_type=PROBLEM_TYPE, headers=problem.headers)
