"""Every way to ask wrongly has a problem type of its own, byte for byte over HTTP, and a page that explains it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.support.premises import END, START, Premises, premises
from tests.support.problems import every_problem
from tests.support.served import Served, Visitor
from web.pages.problems import DOCS

pytestmark = pytest.mark.postgres

NUL = "\N{NULL}"
NOBODY = "00000000-0000-7000-8000-000000000000"
DEEP = 200_000


@dataclass(frozen=True, slots=True)
class Place:
    """A project, and one in another organisation that is none of its business."""

    served: Served
    own: Premises
    other: Premises

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        """Returns status and JSON of the answer to these bytes, sent with the project's key."""
        sent = {
            "Host": "arcane.test",
            "Authorization": f"Bearer {self.own.key}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        return exchange(self.served.address, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"), body)

    def search(self, **members: Any) -> tuple[int, Any]:
        question = {"query": "{}", "start": START, "end": END, **members}
        return self.send("POST", f"{self.own.in_project}/search", json.dumps(question).encode())


def exchange(address: str, head: bytes, body: bytes) -> tuple[int, Any]:
    parts = urlsplit(address)
    with closing(socket.create_connection((str(parts.hostname), int(parts.port or 0)), 30)) as connection:
        connection.sendall(head)
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before all of the body is read
            connection.sendall(body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Place:
    return Place(served, premises(served, owner, "Acme"), premises(served, owner, "Umbrella"))


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad request and the problem it is."""

    name: str
    slug: str
    status: int
    ask: Callable[[Place], tuple[int, Any]] = field(repr=False)

    def __str__(self) -> str:
        return self.name


def _body(raw: bytes) -> Callable[[Place], tuple[int, Any]]:
    return lambda place: place.send("POST", f"{place.own.in_project}/search", raw)


def _cursor(place: Place) -> str:
    status, page = place.search(limit=2)
    assert status == 200, page
    return str(page["next"])


def _changed(cursor: str) -> str:
    """The same shape, another content."""
    middle = len(cursor) // 2
    return cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]


def _get(path: str) -> Callable[[Place], tuple[int, Any]]:
    return lambda place: place.send("GET", place.own.in_project + path)


BAD = [
    Bad("unknown datasource", "unknown-datasource", 404, lambda p: p.search(datasources=[NOBODY])),
    Bad("datasource that is no id", "unknown-datasource", 404, lambda p: p.search(datasources=["../../etc"])),
    Bad("foreign datasource", "unknown-datasource", 404, lambda p: p.search(datasources=[p.other.datasource_id])),
    Bad("bad TraceQL", "bad-query", 400, lambda p: p.search(query="{ status = }")),
    Bad("a metrics query", "metrics-query", 400, lambda p: p.search(query="{} | rate()")),
    Bad("NUL in a query", "bad-query", 400, lambda p: p.search(query=f"{{ name = {NUL} }}")),
    Bad("deep query", "bad-query", 400, lambda p: p.search(query="{ " + "!" * 20_000 + ".a }")),
    Bad("long query", "query-too-long", 400, lambda p: p.search(query='{ name = "' + "x" * 40_000 + '" }')),
    Bad("reversed time range", "reversed-time-range", 400, lambda p: p.search(start=END, end=START)),
    Bad("limit over the maximum", "limit-too-large", 400, lambda p: p.search(limit=1_001)),
    Bad("huge limit", "limit-too-large", 400, lambda p: p.search(limit=10**30)),
    Bad("huge spans per trace", "limit-too-large", 400, lambda p: p.search(spans_per_trace=10**18)),
    Bad("bad cursor", "bad-cursor", 400, lambda p: p.search(cursor="nonsense")),
    Bad("cut cursor", "bad-cursor", 400, lambda p: p.search(cursor=_cursor(p)[:10])),
    Bad("tampered cursor", "tampered-cursor", 400, lambda p: p.search(cursor=_changed(_cursor(p)))),
    Bad("cursor of another query", "bad-cursor", 400, lambda p: p.search(cursor=_cursor(p), query="{ status = ok }")),
    Bad("bad trace id", "bad-trace-id", 400, _get("/traces/not-hex")),
    Bad("path for a trace id", "bad-trace-id", 400, _get("/traces/..%5C..%5Cadmin")),
    Bad("trace that is not there", "trace-not-found", 404, _get("/traces/abc")),
    Bad(
        "span that is not there", "span-not-found", 404, lambda p: _get(f"/traces/{p.own.trace_id}/spans/f/messages")(p)
    ),
    Bad("bad field", "bad-field", 400, _get("/attributes/%7B%7D/values")),
    Bad("NUL in a field", "bad-field", 400, _get("/attributes/a%00b/values")),
    Bad("bytes in a field", "bad-field", 400, _get("/attributes/%FF%FE/values")),
    Bad("foreign project", "not-found", 404, lambda p: p.send("GET", p.other.in_project)),
    Bad("project that is no id", "not-found", 404, lambda p: p.send("GET", "/api/v1/projects/1%00/attributes")),
    Bad("10 MB body", "body-too-large", 413, _body(b'{"query": "' + b"x" * 10_000_000 + b'"}')),
    Bad("invalid UTF-8", "invalid-encoding", 400, _body(b'{"query": "\xff\xfe"}')),
    Bad("no JSON", "unreadable-body", 400, _body(b"query={}")),
    Bad("cut JSON", "unreadable-body", 400, _body(b'{"query": "{}"')),
    Bad("deep arrays", "unreadable-body", 400, _body(b"[" * DEEP + b"]" * DEEP)),
    Bad("deep objects", "unreadable-body", 400, _body(b'{"a":' * DEEP + b"1" + b"}" * DEEP)),
    Bad("number of 5,000 digits", "unreadable-body", 400, _body(b'{"limit": ' + b"9" * 5_000 + b"}")),
    Bad("no body", "malformed-input", 422, _body(b"")),
    Bad("another type", "malformed-input", 422, _body(b'"{}"')),
    Bad("float for a number", "malformed-input", 422, lambda p: p.search(limit=1.5)),
    Bad("infinite number", "malformed-input", 422, _body(b'{"limit": Infinity}')),
    Bad("unknown member", "malformed-input", 422, lambda p: p.search(offset=10)),
    Bad("unknown parameter", "malformed-input", 422, _get("/attributes?offset=1")),
    Bad("number for a time", "malformed-input", 422, lambda p: p.search(start=1)),
    Bad("impossible time", "malformed-input", 422, lambda p: p.search(start="2026-02-30T00:00:00Z")),
    Bad("form", "unsupported-media-type", 415, lambda p: _as(p, "application/x-www-form-urlencoded", b"query=%7B%7D")),
    Bad("text", "unsupported-media-type", 415, lambda p: _as(p, "text/plain", b'{"query": "{}"}')),
    Bad("wrong method", "method-not-allowed", 405, lambda p: p.send("PUT", f"{p.own.in_project}/search", b"{}")),
    Bad(
        "wrong key", "not-signed-in", 401, lambda p: p.send("GET", p.own.in_project, Authorization="Bearer sk-arcane-x")
    ),
    Bad("a key's reach", "not-allowed", 403, lambda p: p.send("DELETE", p.own.at)),
    Bad("address that is nowhere", "not-found", 404, lambda p: p.send("GET", "/api/v1/nowhere")),
]


def _as(place: Place, content_type: str, body: bytes) -> tuple[int, Any]:
    return place.send("POST", f"{place.own.in_project}/search", body, Content_Type=content_type)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_request_has_a_problem_type_with_a_page(place: Place, bad: Bad) -> None:
    status, problem = bad.ask(place)
    assert (status, problem["type"]) == (bad.status, f"/problems/{bad.slug}"), problem
    assert problem["status"] == status
    assert problem["detail"]
    with closing(http.client.HTTPConnection(urlsplit(place.served.address).netloc, timeout=30)) as reader:
        reader.request("GET", problem["type"], headers={"Accept": "text/html"})
        assert reader.getresponse().status == 200
    assert (DOCS / f"{bad.slug}.md").is_file()


def test_every_problem_of_the_code_has_a_page_here(served: Served) -> None:
    visitor = served.visitor(accept="text/html")
    slugs = {kind.slug for kind in every_problem()}
    assert len(slugs) > 35
    assert [slug for slug in sorted(slugs) if visitor.get(f"/problems/{slug}").status_code != 200] == []
    assert [slug for slug in sorted(slugs) if not (DOCS / f"{slug}.md").is_file()] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/roles", {"name": f"a{NUL}b", "permissions": ["organisations:read"]}),
        ("/projects", {"name": "a", "description": NUL}),
        ("/projects", {"name": "a", "trace_filter": {"attribute_name": NUL, "attribute_value": "x"}}),
        ("/datasources", {"name": NUL, "kind": "otlp_file", "settings": {"path": "corpus.jsonl"}}),
        ("/datasources", {"name": "a", "kind": "otlp_file", "settings": {"path": f"a{NUL}"}}),
        ("/datasources", {"name": "a", "kind": NUL, "settings": {}}),
        ("/projects", {"name": "\ud800"}),
    ],
)
def test_what_cannot_be_stored_is_refused(place: Place, owner: Visitor, path: str, body: Any) -> None:
    sent = json.dumps(body).encode()
    headers = {**owner.headers, "Content-Type": "application/json"}
    answer = owner.http.post(place.own.at + path, content=sent, headers=headers)
    assert answer.status_code in (404, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_settings_of_a_datasource_may_be_nested_as_deep_as_json_may(place: Place, owner: Visitor) -> None:
    for depth in (100, 900, 5_000):
        raw = b'{"name": "a", "kind": "otlp_file", "settings": {"path": ' + b"[" * depth + b"]" * depth + b"}}"
        headers = {**owner.headers, "Content-Type": "application/json"}
        answer = owner.http.post(f"{place.own.at}/datasources", content=raw, headers=headers)
        assert answer.status_code in (400, 422), (depth, answer.text)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/v1/setup HTTP/1.1\r\nHost: a\r\nCookie: arcane_session=\xff\xfe\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/setup?a=%FF&%00=%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/setup HTTP/1.1\r\nHost: a\r\nAuthorization: Basic \xff\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/setup HTTP/1.1\r\nHost: \xff\r\nOrigin: http://[\r\nConnection: close\r\n\r\n",
    ],
)
def test_bytes_that_are_no_text_are_no_fault_of_ours(served: Served, head: bytes) -> None:
    status, _ = exchange(served.address, head, b"")
    assert status < 500


def test_a_body_that_says_it_is_short_and_is_not_ends_in_time(place: Place) -> None:
    """Chunked bodies carry no length: they are counted as they come."""
    chunk = b"%x\r\n" % 65_536 + b"x" * 65_536 + b"\r\n"
    head = (
        f"POST {place.own.in_project}/search HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {place.own.key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    status, problem = exchange(place.served.address, head.encode(), chunk * 200 + b"0\r\n\r\n")
    assert (status, problem["type"]) == (413, "/problems/body-too-large")


def test_what_nobody_made_is_nobodys(place: Place, owner: Visitor) -> None:
    for path in (f"/datasources/{uuid4()}", f"/roles/{uuid4()}"):
        assert owner.get(place.own.at + path).status_code == 404
