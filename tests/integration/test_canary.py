"""No trace content at rest (R1), and no secret in the clear: marks are planted everywhere, then searched for.

Everything that reads is run against sources that work and against sources whose errors quote what
they hold; what is on disk afterwards, in Postgres and in the log, carries no mark.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import anyio
import asyncpg
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from arcane.model.trace import Trace
from arcane.spi.otlp import encode_json
from tests.support.canaries import AROUND, MARK, ROOT, marked, marked_traces
from tests.support.postgres import MigratedDatabase
from tests.support.premises import Premises, premises
from tests.support.served import PASSWORD, Served, Visitor
from tests.support.tempo_standin import Fault, Tempo, serving

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

QUOTING = (
    Fault(status=500, body=f"panic: {marked('panic')}".encode()),
    Fault(status=400, body=f"invalid TraceQL query: {marked('refusal')}".encode()),
    Fault(status=429, body=marked("slow").encode(), headers={"Retry-After": marked("later")}),
    Fault(status=401, body=marked("unauthorized").encode()),
    Fault(status=200, body=marked("garbage").encode()),
    Fault(status=200, body=b'{"traces": [{"traceID": "' + marked("id").encode() + b'"}]}'),
    Fault(status=200, body=b'{"traces": [{"rootTraceName": "' + marked("cut").encode() + b'"', cut=30),
    Fault(status=302, headers={"Location": f"http://elsewhere.invalid/{marked('redirect')}"}),
)
QUERIES = (
    "{}",
    f'{{ span."{marked("span-key")}" = "{marked("span-value")}" }}',
    f'{{ resource.service.name =~ "{MARK}.*" && status = error }}',
    f'{{ .nothing = "{MARK}" }}',
    f'{{ event."{marked("event-key")}" != nil || statusMessage = "{marked("status-message")}" }}',
    f'{{ span.a = "{MARK} }}',
    f"{{ {MARK} = 1 }}",
    f'{{ kind = "{MARK}" }}',
    f'{{ name =~ "[{MARK}" }}',
    f'{{ name = "{MARK}" }} | count() > 2',
)
FIELDS = (
    "resource.service.name",
    f'span."{marked("span-key")}"',
    f"event.{marked('event-key')}",
    "name",
    MARK,
    f"{{{MARK}",
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A project over sources full of marks. `tempo` is one of them."""

    place: Premises
    owner: Visitor
    tempo: Tempo
    traces: list[Trace]
    answers: list[httpx.Response]

    def api(self, method: str, path: str, body: Any = None, **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.place.key}"}
        answer = httpx.request(
            method, f"{self.base}{self.place.in_project}{path}", json=body, params=params, headers=headers, timeout=60
        )
        self.answers.append(answer)
        return answer

    def page(self, path: str, **params: Any) -> None:
        headers = {"accept": "text/html", **self.owner.headers}
        self.answers.append(self.owner.http.get(f"{self.place.pages}{path}", params=params, headers=headers))

    def part(self, path: str, **params: Any) -> None:
        headers = {"accept": "text/html", "hx-request": "true", **self.owner.headers}
        self.answers.append(self.owner.http.get(f"{self.place.pages}{path}", params=params, headers=headers))

    @property
    def base(self) -> str:
        return str(self.owner.http.base_url).rstrip("/")

    def ask_everything(self, traces: list[Trace], queries: Sequence[str] = QUERIES) -> None:
        for query in queries:
            question = {"query": query, **AROUND}
            self.api("POST", "/search", {**question, "limit": 3, "spans_per_trace": 10})
            self.api("POST", "/search/explain", question)
            self.api("POST", "/query/check", {"query": query})
            self.page("/traces", q=query, **AROUND)
            self.part("/traces", q=query, **AROUND)
            self.page("/traces/explain", q=query, **AROUND)
        for field in FIELDS:
            self.api("GET", f"/attributes/{quote(field, safe='')}/values", prefix=MARK[:3], **AROUND)
        self.api("GET", "/attributes", prefix=MARK[:3], **AROUND)
        self.api("GET", "/attributes", **AROUND)
        for trace in traces:
            self.read(trace)
        self.page(f"/traces/{traces[0].trace_id}")
        for wrong in (MARK, "f" * 32):
            self.api("GET", f"/traces/{wrong}")
            self.page(f"/traces/{wrong}")

    def read(self, trace: Trace) -> None:
        self.api("GET", f"/traces/{trace.trace_id}")
        self.api("GET", f"/traces/{trace.trace_id}/otlp")
        self.page(f"/traces/{trace.trace_id}", view="plain")
        for span in trace.spans:
            self.api("GET", f"/traces/{trace.trace_id}/spans/{span.span_id}/messages")


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as running:
        yield running


@contextmanager
def standing_in(portal: BlockingPortal, traces: list[Trace]) -> Iterator[Tempo]:
    with portal.wrap_async_context_manager(serving(Tempo(traces))) as tempo:
        yield tempo


@pytest.fixture
def where(served: Served, owner: Visitor, portal: BlockingPortal) -> Iterator[Marked]:
    place = premises(served, owner, "Canaries")
    traces = marked_traces()
    file = served.settings.files.allow_roots[0] / "marked.jsonl"
    file.write_bytes(b"\n".join(b"".join(encode_json(trace.spans)) for trace in traces) + b"\n")
    with standing_in(portal, traces) as tempo:
        for name, kind, settings in (
            ("Marked files", "otlp_file", {"path": "marked.jsonl"}),
            ("Marked Tempo", "tempo", {"url": tempo.url}),
        ):
            owner.made(f"{place.at}/datasources", {"name": name, "kind": kind, "settings": settings})
        yield Marked(place, owner, tempo, traces, [])
    file.unlink()


def at_rest(served: Served) -> str:
    """Everything that is written down: every column of every table as text, and the log."""
    return anyio.run(_dump, served.stored) + served.log


async def _dump(stored: MigratedDatabase) -> str:
    connection = await asyncpg.connect(stored.superuser_dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for (name,) in tables for row in await connection.fetch(f'SELECT t::text FROM "{name}" t')]
    finally:
        await connection.close()
    assert len(rows) > 20, "the dump is of nothing"
    return "\n".join(row[0] for row in rows)


def spellings(text: str) -> set[str]:
    """How Postgres and JSON may show `text`: as it is, as bytes, in base64 at any offset."""
    raw = text.encode()
    coded = {base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3)}
    return {text, raw.hex(), *(part for part in coded if len(part) > 6)}


def found_in(text: str, wanted: str) -> list[str]:
    return [spelling for spelling in spellings(wanted) if spelling in text]


def test_what_works_leaves_nothing(served: Served, where: Marked) -> None:
    where.ask_everything(where.traces)
    statuses = {answer.status_code for answer in where.answers}
    assert statuses <= {200, 303, 400, 404}, statuses
    shown = "".join(answer.text for answer in where.answers)
    for place in ("root-name", "span-value", "event-value", "link-value", "scope-name", "exception", "trace-state"):
        assert marked(place) in shown, f"{place} was never read, so nothing is proved"
    assert found_in(at_rest(served), MARK) == []


@pytest.mark.parametrize("fault", QUOTING, ids=lambda fault: f"{fault.status}-{len(fault.body)}")
def test_a_source_that_quotes_what_it_holds_leaves_nothing(served: Served, where: Marked, fault: Fault) -> None:
    where.tempo.fault = fault
    sources = f"{where.place.at}/datasources"
    tempo = next(one for one in where.owner.get(sources).json()["items"] if one["kind"] == "tempo")
    unsaved = {"kind": "tempo", "settings": {"url": where.tempo.url}}
    where.answers.append(where.owner.call("POST", f"{sources}/{tempo['id']}/test"))
    where.answers.append(where.owner.call("POST", f"{sources}/test", unsaved))
    where.ask_everything(where.traces[:1], QUERIES[:2])
    assert {answer.status_code for answer in where.answers} <= {200, 303, 400, 404, 502}
    told = [source["error"] for answer in where.answers for source in _sources(answer) if source.get("error")]
    assert told
    assert found_in(str(told), MARK) == [], "an error of a source is in our words, not in its own"
    assert found_in(at_rest(served), MARK) == []


def _sources(answer: httpx.Response) -> list[dict[str, Any]]:
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        return body.get("sources", []) if isinstance(body, dict) else []
    return []


def test_a_partial_trace_says_so_in_our_words(served: Served, where: Marked) -> None:
    where.tempo.partial = marked("partial").encode()
    where.tempo.version = f"3.0.3-{MARK}"
    where.read(where.traces[0])
    assert where.answers[0].json()["spans"][0]["span_id"] == ROOT
    assert found_in(at_rest(served), MARK) == []


SECRETS = {
    "password": "zq7secret-password-1",
    "token": "zq7secret-token-2",
    "extra_headers": "X-Key: zq7secret-header-3",
}


def test_no_secret_is_written_down_or_shown_again(served: Served, owner: Visitor) -> None:
    """Passwords, links, keys, sessions and the secrets of datasources: stored as hashes or sealed, never logged."""
    place = premises(served, owner, "Secrets")
    heard: list[httpx.Response] = []
    sources = f"{place.at}/datasources"
    settings = {"url": "http://127.0.0.1:9", "auth": "bearer", "username": "u", **SECRETS}
    made = owner.made(sources, {"name": "Sealed", "kind": "tempo", "settings": settings})
    for method, path, body in (
        ("GET", sources, None),
        ("GET", f"{sources}/{made['id']}", None),
        ("PATCH", f"{sources}/{made['id']}", {"name": "Renamed", "version": made["version"]}),
        ("POST", f"{sources}/{made['id']}/test", None),
        ("POST", sources, {"name": "Wrong", "kind": "tempo", "settings": {**settings, "url": "nonsense"}}),
        ("POST", sources, {"name": "Wrong", "kind": "tempo", "settings": {**settings, "tenant": "\n"}}),
        ("POST", sources, {"name": "Wrong", "kind": "tempo", "settings": {**settings, "token": [SECRETS["token"]]}}),
        ("POST", sources, {"name": "Wrong", "kind": "tempo", "settings": {**settings, "extra_headers": "zq7secret"}}),
        ("POST", f"{sources}/test", {"kind": "tempo", "settings": settings}),
        ("POST", "/api/v1/sessions", {"email": "nobody@example.com", "password": SECRETS["password"]}),
        ("POST", "/api/v1/sessions", {"email": "nobody@example.com", "password": [SECRETS["password"]]}),
        ("POST", "/api/v1/invitations/check", {"token": SECRETS["token"]}),
        ("POST", "/api/v1/invitations/accept", {"token": SECRETS["token"], "name": "", "password": "zq7secret"}),
        ("PUT", "/api/v1/accounts/me/password", {"current": SECRETS["password"], "new": "zq7secret"}),
        ("GET", f"{place.in_project}/api-keys", None),
        ("GET", f"{place.at}/invitations", None),
        ("GET", f"{place.at}/audit-entries", None),
        ("GET", "/api/v1/audit-entries", None),
    ):
        heard.append(owner.call(method, path, body))
    for path in ("/invitation", "/setup"):
        heard.append(owner.http.get(path, params={"token": SECRETS["token"]}, headers={"accept": "text/html"}))
    wrong_key = {"Authorization": f"Bearer sk-arcane-{SECRETS['token']}"}
    heard.append(served.visitor().http.get(place.in_project, headers=wrong_key))
    assert {answer.status_code for answer in heard} <= {200, 303, 400, 401, 409, 422}, heard
    api = "".join(answer.text for answer in heard if answer.request.url.path.startswith("/api/"))
    assert found_in(api, "zq7secret") == []
    session = str(owner.http.cookies["arcane_session"])
    for secret in ("zq7secret", place.key, place.key.removeprefix("sk-arcane-"), session, PASSWORD, owner.csrf_token):
        assert found_in(at_rest(served), secret) == [], secret[:9]
        assert found_in(api, secret) == [], secret[:9]
