"""A server that answers as the recorded Tempo 3.0.3 did, and with 599 what was not recorded.

Arcane's adapter words its questions differently from the recording: it adds a hint and fields to show, and
asks for numbers as both types. A question finds its recorded answer only where that cannot have
changed it; `spoken` undoes the wording on the parsed query, by rules of its own, so that an adapter
that asks for something else is answered 599.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web

from arcane.traceql.ast import Binary, Expr, Field, Literal, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.ast_pipeline import Pipeline, Query, Select
from arcane.traceql.errors import TraceqlError
from arcane.traceql.format import format_query
from arcane.traceql.parse import parse

VECTORS = Path(__file__).parents[1] / "data" / "vectors"
UNKNOWN_STATUS = 599

ASKS_FOR_MORE = frozenset(
    {
        "{ span.db.rows > 10 || span.amount > 150 }",
        "{ span.amount > 100 && span.amount < 120 }",
    }
)
"""Recorded with integers for an attribute that holds doubles: Arcane asks for both, and would be answered more."""

_SHOWN = frozenset(
    {
        Field(Scope.INTRINSIC, "name"),
        Field(Scope.INTRINSIC, "status"),
        Field(Scope.RESOURCE, "service.name"),
    }
)
_NUMBERS = (LiteralType.INT, LiteralType.FLOAT)


@dataclass(frozen=True)
class Recorded:
    """A request and its answer."""

    path: str
    params: Mapping[str, str]
    accept: str
    status: int
    content_type: str
    body: bytes
    json: Any = None


@cache
def recordings() -> tuple[Recorded, ...]:
    """Returns everything that was recorded."""
    rows = map(json.loads, (VECTORS / "tempo_wire.jsonl").read_text().splitlines())
    return tuple(_recorded(row) for row in rows)


def _recorded(row: dict[str, Any]) -> Recorded:
    if "body_base64" in row:
        body = b64decode(row["body_base64"])
    else:
        body = json.dumps(row["body"]).encode() if "body" in row else row["text"].encode()
    params = {name: str(value) for name, value in row["params"].items()}
    return Recorded(row["path"], params, row["accept"], row["status"], row["content_type"], body, row.get("body"))


@dataclass(slots=True)
class Replay:
    """The server's address, and what it could not answer."""

    url: str = ""
    unknown: list[str] = field(default_factory=list)


@asynccontextmanager
async def replaying() -> AsyncIterator[Replay]:
    """Yields a server on loopback."""
    state = Replay()
    usable = [one for one in reversed(recordings()) if one.params.get("q") not in ASKS_FOR_MORE]
    table = {_key(one.path, one.params, one.accept): one for one in usable}

    async def answer(request: web.Request) -> web.Response:
        found = table.get(_key(request.rel_url.raw_path, request.query, request.headers.get("Accept", "")))
        if found is None:
            state.unknown.append(str(request.rel_url))
            return web.Response(status=UNKNOWN_STATUS, text="nothing like this was recorded")
        headers = {"Content-Type": found.content_type} if found.content_type else {}
        return web.Response(status=found.status, body=found.body, headers=headers)

    application = web.Application()
    application.router.add_route("GET", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield state
    finally:
        await runner.cleanup()


def _key(path: str, params: Mapping[str, str], accept: str) -> tuple[object, ...]:
    rest = dict(params)
    if path.startswith("/api/metrics/") and "step" in rest:
        # Tempo cuts time into the same buckets wherever in the first and the last one the range begins and ends.
        step = int(rest["step"].removesuffix("s"))
        rest |= {"start": str(int(rest["start"]) // step), "end": str(-(-int(rest["end"]) // step))}
        query = format_query(parse(rest.pop("q")))
        return path, query, tuple(sorted(rest.items())), accept
    if path == "/api/search" and "q" in rest:
        rest.setdefault("limit", "20")
        rest.setdefault("spss", "3")
        query, most_recent = spoken(rest.pop("q"))
        # A limit that was not reached is answered with everything, in whatever order it was found.
        rest["most_recent"] = str(most_recent) if int(rest["limit"]) < 100 else "either"
        return path, query, tuple(sorted(rest.items())), accept
    return path, rest.pop("q", None), tuple(sorted(rest.items())), accept


def spoken(text: str) -> tuple[str, bool]:
    """Returns the query without what Arcane's wording adds, and whether it asks for the newest traces."""
    try:
        query = parse(text)
    except TraceqlError:
        return text, False
    most_recent = any(hint.name == "most_recent" for hint in query.hints)
    body = query.body
    if isinstance(body, Pipeline) and isinstance(body.stages[0], SpansetFilter):
        stages = tuple(stage for stage in map(_without_shown, body.stages) if stage is not None)
        body = Pipeline(stages) if len(stages) > 1 else body.stages[0]
    if isinstance(body, SpansetFilter):
        body = SpansetFilter(_said(body.condition))
    elif isinstance(body, Pipeline) and isinstance(body.stages[0], SpansetFilter):
        body = Pipeline((SpansetFilter(_said(body.stages[0].condition)), *body.stages[1:]))
    return format_query(Query(body)), most_recent


def _without_shown(stage: Any) -> Any:
    if not isinstance(stage, Select) or not set(stage.fields) >= _SHOWN:
        return stage
    rest = tuple(field for field in stage.fields if field not in _SHOWN)
    return Select(rest) if rest else None


def _said(expr: Expr | None) -> Expr | None:
    match expr:
        case Field():
            return Binary(Op.EQ, expr, Literal(LiteralType.BOOL, True))
        case Binary(Op.AND, left, Binary(Op.NE, Field() as field, Literal(type=LiteralType.NIL))):
            said = _said(left)
            if isinstance(said, Binary) and said.left == field:
                return said  # a comparison that is true of what exists
            return Binary(Op.AND, said, _said(expr.right))  # type: ignore[arg-type]
        case Binary(Op.OR, left, right):
            one = _one_number(left, right)
            return one or Binary(Op.OR, _said(left), _said(right))  # type: ignore[arg-type]
        case Binary(Op.AND, left, right):
            return Binary(Op.AND, _said(left), _said(right))  # type: ignore[arg-type]
        case Binary(op, Field() as field, Literal(type=kind, value=value)) if kind in _NUMBERS:
            return Binary(op, field, Literal(LiteralType.FLOAT, float(value)))  # type: ignore[arg-type]
    return expr


def _one_number(left: Expr, right: Expr) -> Expr | None:
    """`a > 5 || a > 5.0` says `a > 5`, and `a >= 1 || a > 0.7` says `a > 0.7`."""
    match left, right:
        case (
            Binary(op, Field() as one, Literal(type=LiteralType.INT, value=whole)),
            Binary(other, Field() as two, Literal(type=LiteralType.FLOAT, value=number)),
        ) if one == two:
            upwards = op is Op.GE and other in (Op.GT, Op.GE) and whole == math.ceil(number)  # type: ignore[arg-type]
            downwards = op is Op.LE and other in (Op.LT, Op.LE) and whole == math.floor(number)  # type: ignore[arg-type]
            if (op is other and whole == number) or (whole != number and (upwards or downwards)):
                return Binary(other, one, Literal(LiteralType.FLOAT, number))
    return None
