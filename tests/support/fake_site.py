"""The pages over services in memory: what page tests and a designer's browser run against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response

from arcane.kit.actor import Actor, ActorKind
from arcane.kit.guard import requires
from arcane.kit.http import install_problem_handlers, json_response
from arcane.kit.problems import NotFound, NotSignedIn
from arcane.settings import ServerSettings, Settings
from arcane.spi import encode_json
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError
from arcane.traceql.format import format_query
from arcane.traceql.parse import parse
from tests.support.fake_traces import FakeCatalog, FakeTraces, corpus
from web.shell import Place
from web.site import mount_pages

ORGANISATION_ID = UUID("0192f000-0000-7000-8000-00000000000a")
PROJECT_ID = UUID("0192f000-0000-7000-8000-00000000000b")
PLACES = (
    Place("acme", "acme", "support", "support", PROJECT_ID),
    Place("acme", "acme", "research", "research", UUID("0192f000-0000-7000-8000-00000000000c")),
    Place("globex", "globex", "billing", "billing", UUID("0192f000-0000-7000-8000-00000000000d")),
)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, as the access slice leaves it on the request."""

    name: str = "Ada Lovelace"
    email: str = "ada@example.com"
    csrf_token: str = "csrf-of-ada"


class FakeAuthoriser:
    """Everybody is Ada, except with the cookie `stranger`."""

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        if "stranger" in request.cookies:
            raise NotSignedIn("sign in first")
        request.state.session = Session()
        organisation = request.path_params.get("organisation", "acme")
        if organisation not in {place.organisation for place in PLACES}:
            raise NotFound("no such organisation")
        return Actor(
            ActorKind.USER,
            UUID(int=1),
            "Ada Lovelace",
            frozenset({"traces:read", "datasources:read"}),
            ORGANISATION_ID,
            PROJECT_ID,
        )


class FakeDirectory:
    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        return PLACES


api = APIRouter(prefix="/api/v1/projects/{project_id}", dependencies=[requires("traces:read")])


@api.post("/query/check")
async def check_query(request: Request) -> Response:
    text = (await request.json())["query"]
    try:
        query = parse(text)
        check(query)
    except TraceqlError as exc:
        at = exc.position
        error = {"message": exc.message, "hint": exc.hint, "line": at.line, "column": at.column, "length": at.length}
        return json_response({"valid": False, "errors": [error], "canonical": None})
    return json_response({"valid": True, "errors": [], "canonical": format_query(query)})


@api.get("/attributes")
async def attributes(request: Request, scope: str = "", prefix: str = "") -> Response:
    names: set[tuple[str, str]] = set()
    for source in request.app.state.catalog.stored:
        for trace in source.traces[:60]:
            for span in trace.spans[:20]:
                names.update(("span", name) for name in span.attributes)
                names.update(("resource", name) for name in span.resource.attributes)
    wanted = sorted((at, name) for at, name in names if scope in ("", at) and name.startswith(prefix))
    return json_response({"items": [{"scope": at, "name": name} for at, name in wanted[:200]], "sources": []})


@api.get("/attributes/{name}/values")
async def values(request: Request, name: str, prefix: str = "") -> Response:
    scope, _, bare = name.partition(".")
    found: set[str] = set()
    for source in request.app.state.catalog.stored:
        for trace in source.traces[:60]:
            for span in trace.spans[:20]:
                held = span.resource.attributes if scope == "resource" else span.attributes
                if bare in held and str(held[bare]).startswith(prefix):
                    found.add(str(held[bare])[:120])
    return json_response({"items": [{"type": "string", "value": value} for value in sorted(found)[:100]], "sources": []})


@api.get("/traces/{trace_id}")
async def trace(request: Request, trace_id: str) -> Response:
    return Response(request.app.state.traces.trace_json(trace_id), media_type="application/json")


@api.get("/traces/{trace_id}/otlp")
async def otlp(request: Request, trace_id: str) -> Response:
    body = b"".join(encode_json(request.app.state.traces.spans_of(trace_id)))
    headers = {"content-disposition": f'attachment; filename="{trace_id}.json"'}
    return Response(body, media_type="application/json", headers=headers)


def fake_app(settings: Settings | None = None) -> FastAPI:
    """Returns the application with every page of this project mounted."""
    settings = settings or Settings(_env_file=None, server=ServerSettings(development=True))  # type: ignore[call-arg]
    app = FastAPI(openapi_url=None)
    app.state.settings = settings
    app.state.authoriser = FakeAuthoriser()
    app.state.catalog = FakeCatalog(corpus())
    app.state.traces = FakeTraces(corpus())
    install_problem_handlers(app)
    app.include_router(api)
    mount_pages(app, settings, FakeDirectory())
    return app
