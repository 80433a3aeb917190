"""Forms and addresses of pages, filled with what nobody would enter: refused or answered, never broken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest

import web
from arcane.main import create_app
from arcane.settings import Settings
from tests.support.not_run import told
from tests.support.premises import Premises, premises
from tests.support.routes import DeclaredRoute, routes_of
from tests.support.served import Served, Visitor

pytestmark = pytest.mark.postgres

T = TypeVar("T")
TEMPLATES = Path(web.__file__).parent / "templates"
NAMED = re.compile(r'name="([a-z_]+)"')
FIELDS = sorted({name for path in TEMPLATES.rglob("*.html") for name in NAMED.findall(path.read_text())})
ROUTES = routes_of(create_app(Settings(_env_file=None)))
PAGES = [route for route in ROUTES if not route.path.startswith(("/api/", "/internal/"))]
NOBODY = "00000000-0000-7000-8000-000000000000"
GARBAGE = ("", "\0", "\N{BOM}'\"><script>", "-1", "9" * 5_000, "é" * 20_000, NOBODY, "[" * 3_000)
INNER = ("%00", "%FF", "..%2F..", "0" * 36)
SHORT = 3_000 // len(FIELDS)
"""Characters of each field in an address: all of them, escaped twice, stay below what a client will send."""
AT_NIGHT = told("HYPOTHESIS_PROFILE") == "nightly"
RAW = (b"%00=%00&a=%FF%FE&%C3=%28", b"\xff\xfe\x00", b"a" * 100_000)


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Premises:
    return premises(served, owner, "Abused")


@pytest.fixture(scope="module")
def second(served: Served, owner: Visitor, place: Premises) -> Visitor:
    """An owner whose sessions and name nobody else needs."""
    role = str(place.role_id)
    found = served.visitor(accept="text/html").invited(place.organisation_id, "abuser@arcane.test", owner, role_id=role)
    assert owner.call("PUT", f"/api/v1/users/{found.user_id}/owner").status_code == 200
    return found


def _some(things: Sequence[T], route: DeclaredRoute) -> Sequence[T]:
    """Returns every other one of them, and its neighbours in the list of routes get those between; at night all."""
    alike = [one for one in PAGES if one.method == route.method]
    return things if AT_NIGHT else things[alike.index(route) % 2 :: 2]


def _address(route: DeclaredRoute, place: Premises, inner: str | None) -> str:
    """The route's address; `inner` stands for every id but the organisation's and the project's."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("organisation", "project") or inner is None:
            return str(getattr(place, name, "nothing"))
        return inner

    return re.sub(r"{(\w+)(?::\w+)?}", value, route.path)


@pytest.mark.parametrize("route", [route for route in PAGES if route.method == "GET"], ids=str)
def test_a_page_survives_any_address(place: Premises, second: Visitor, route: DeclaredRoute) -> None:
    wrong = []
    for inner, garbage in _some([*((None, one[:SHORT]) for one in GARBAGE), *((one, "") for one in INNER)], route):
        answer = second.http.get(_address(route, place, inner), params=dict.fromkeys(FIELDS, garbage))
        wrong += [(answer.status_code, garbage[:9], inner)] if answer.status_code >= 500 else []
    assert wrong == []


@pytest.mark.parametrize("route", [route for route in PAGES if route.method == "POST"], ids=str)
def test_a_form_survives_any_entry(
    place: Premises, second: Visitor, served: Served, owner: Visitor, route: DeclaredRoute
) -> None:
    if "delete" in route.path or "remove" in route.path:
        place = premises(served, owner, "Deleted")
    wrong = []
    for garbage in _some(GARBAGE, route):
        wrong += _broken(second, _address(route, place, None), content=_filled(garbage))
    for raw in _some(RAW, route):
        wrong += _broken(second, _address(route, place, None), content=raw)
        wrong += _broken(second, _address(route, place, None), files={"file": ("\0", raw)})
    assert wrong == []


@cache
def _filled(garbage: str) -> bytes:
    """Returns a form in which every field holds it: to spell out megabytes costs as much as their answer."""
    return urlencode(dict.fromkeys(FIELDS, garbage)).encode()


def _broken(visitor: Visitor, address: str, **sent: Any) -> list[tuple[int, str]]:
    """Returns the request, if it broke the page. Whoever was signed out by one before is signed in for it."""
    form = {"Content-Type": "application/x-www-form-urlencoded"} if "content" in sent else {}
    answer = visitor.http.post(address, headers={**visitor.headers, **form}, **sent)
    refused = answer.status_code == 401 or "/login" in answer.headers.get("Location", "")
    if refused and _signed_in_again(visitor):
        answer = visitor.http.post(address, headers={**visitor.headers, **form}, **sent)
    return [(answer.status_code, repr(sent)[:60])] if answer.status_code >= 500 else []


def _signed_in_again(visitor: Visitor) -> bool:
    """Whoever was signed out by a form is signed in; returns whether that was so."""
    signed_out = visitor.http.get("/api/v1/accounts/me").status_code == 401
    if signed_out:
        visitor.sign_in("abuser@arcane.test")
    return signed_out


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [[[]]], {"a": {"b": []}}, 1e308, True, "9" * 400, {"role": 7}])
def test_messages_of_a_span_are_read_whatever_its_attributes_are(place: Premises, second: Visitor, value: Any) -> None:
    """The trace page sends a span back to have its messages read; it may send anything."""
    names = (
        "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt.0.content", "gen_ai.prompt.0.role",
        "llm.input_messages.0.message.role", "llm.input_messages.0.message.tool_calls.0.tool_call.function.name",
        "input.value", "output.value", "openinference.span.kind", "ai.prompt.messages", "ai.operationId",
        "all_messages_events", "events", "logfire.json_schema", "langfuse.observation.input", "mlflow.spanInputs",
        "traceloop.entity.input", "traceloop.span.kind", "gen_ai.operation.name", "gen_ai.usage.input_tokens",
    )  # fmt: skip
    span = {
        "name": "x",
        "kind": "client",
        "attributes": dict.fromkeys(names, value),
        "events": [{"name": "gen_ai.user.message", "attributes": dict.fromkeys((*names, "content"), value)}],
    }
    _signed_in_again(second)
    answer = second.call("POST", f"{place.pages}/traces/{place.trace_id}/messages", span)
    assert answer.status_code in (200, 404, 422), answer.text
