"""An express route answers what the declared route behind it answers, whatever is sent."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, FastAPI, Request
from httpx import ASGITransport, AsyncClient  # noqa: TID251 - this client asks our own application
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from arcane.kit.express import PLAIN_UUID, Express
from arcane.kit.guard import Access, Guard
from arcane.kit.http import install_problem_handlers
from arcane.kit.problems import NotSignedIn
from arcane.traces.schemas import SearchIn

PROJECT = "0198b2c4-2f5e-7c3a-9d51-2f1b1f0a7c11"
TIMES = ("2026-08-01T12:00:00Z", "2026-08-01 12:30:00.5+02:00", "yesterday", 12, None)
FIELDS: dict[str, tuple[Any, ...]] = {
    "query": ("{ status = error }", "", 5, None, "\ud800"),
    "datasources": ([], ["one", "two"], ["x" * 65], [7], "one", None),
    "start": TIMES,
    "end": TIMES,
    "limit": (50, 0, -1, 2.0, 2.5, "50", True, 10**30, None),
    "spans_per_trace": (3, 0, "3", None),
    "cursor": ("abc", None, 1),
    "on_failure": ("partial", "abort", "never"),
    "unknown": (1,),
}


class _Door:
    """Lets in who names a key."""

    async def authorise(self, request: Request, permission: str | None) -> str:
        if "authorization" not in request.headers:
            raise NotSignedIn("sign in first")
        return f"{request.headers['authorization']} may {permission} in {request.path_params['project_id']}"


GUARD = Guard(Access(permission="traces:read"))


async def _ask(request: Request, body: SearchIn, actor: Annotated[Any, Depends(GUARD)]) -> Response:
    told = [actor, body.model_dump(), (await request.body()).decode(errors="replace")]
    return Response(json.dumps(told), media_type="application/json")  # a half of a surrogate pair is escaped


async def _read(
    request: Request, trace_id: str, actor: Annotated[Any, Depends(GUARD)], start: int | None = None
) -> Response:
    return JSONResponse([actor, trace_id, start])


async def _in_project(project_id: UUID) -> None:
    """The path names the project."""


def _app(*, express: bool) -> tuple[FastAPI, list[str]]:
    """Returns an application, and where it notes which requests went the short way."""
    app, short = FastAPI(), list[str]()
    app.state.authoriser = _Door()
    install_problem_handlers(app)

    async def ask(request: Request, body: SearchIn, actor: Any) -> Response:
        short.append("ask")
        return await _ask(request, body, actor)

    async def read(request: Request, trace_id: str, actor: Any) -> Response:
        short.append("read")
        return await _read(request, trace_id, actor)

    if express:
        project = f"/p/(?P<project_id>{PLAIN_UUID})"
        app.router.routes += [
            Express("GET", f"{project}/t/(?P<trace_id>[0-9a-f]{{1,32}})", GUARD, read),
            Express("POST", f"{project}/search", GUARD, ask, body=SearchIn),
        ]
    router = APIRouter(prefix="/p/{project_id}", dependencies=[Depends(_in_project)])
    router.post("/search")(_ask)
    router.get("/t/{trace_id}")(_read)
    app.include_router(router)
    return app, short


DECLARED, _ = _app(express=False)
SHORT, TAKEN = _app(express=True)


def _answers(app: FastAPI, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    async def ask() -> tuple[int, Any]:
        transport = ASGITransport(app=app)
        async with AsyncClient(transport=transport, base_url="http://arcane.test") as client:
            answer = await client.request(method, path, content=body, headers=headers)
            return answer.status_code, answer.json()

    return anyio.run(ask)


def _agree(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    one, other = (_answers(app, method, path, body, headers) for app in (SHORT, DECLARED))
    assert one == other
    return one


_documents = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in FIELDS.items()})
_bodies = st.one_of(
    _documents.map(lambda document: json.dumps(document).encode()),
    st.sampled_from([b"", b"{", b"[]", b"null", b'{"limit":1,"limit":2}', b'{"query":"\xff"}', b'{"limit":NaN}']),
)
_types = st.sampled_from(["application/json", "application/json; charset=utf-8", "text/plain", "Application/JSON"])


@given(_bodies, _types, st.booleans(), st.sampled_from([PROJECT, PROJECT.upper(), "nobody"]))
def test_a_body_is_answered_as_the_declared_route_answers_it(
    body: bytes, content_type: str, is_known: bool, project: str
) -> None:
    headers = {"content-type": content_type} | ({"authorization": "key"} if is_known else {})
    _agree("POST", f"/p/{project}/search", body, headers)


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.sampled_from(["abc", "A1", "0" * 33, "xyz", "a%2Fb"]),
    st.sampled_from(["", "?start=1", "?start=x", "?other"]),
)
def test_an_address_is_answered_as_the_declared_route_answers_it(method: str, trace_id: str, query: str) -> None:
    _agree(method, f"/p/{PROJECT}/t/{trace_id}{query}", b"", {"authorization": "key"})


def test_plain_requests_take_the_short_way_and_odd_ones_do_not() -> None:
    TAKEN.clear()
    known = {"authorization": "key", "content-type": "application/json"}
    assert _agree("POST", f"/p/{PROJECT}/search", b'{"query": "{ }"}', known)[0] == 200
    assert _agree("GET", f"/p/{PROJECT}/t/abc", b"", known)[0] == 200
    assert TAKEN == ["ask", "read"]
    assert _agree("POST", f"/p/{PROJECT}/search", b'{"limit": 0}', known)[0] == 422
    assert _agree("GET", f"/p/{PROJECT}/t/abc?start=1", b"", known)[0] == 200
    assert TAKEN == ["ask", "read"]


def test_who_may_not_come_in_is_refused_on_the_short_way_too() -> None:
    unknown = {"content-type": "application/json"}
    assert _agree("POST", f"/p/{PROJECT}/search", b"{}", unknown)[0] == 401
    assert _agree("GET", f"/p/{PROJECT}/t/abc", b"", {})[0] == 401
