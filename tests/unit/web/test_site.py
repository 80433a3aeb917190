"""What every page answers with, whoever asks: headers, errors, files, messages, languages."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from httpx import ASGITransport, AsyncClient  # noqa: TID251 - this client asks our own application

from arcane.kit.guard import public, signed_in
from arcane.settings import ServerSettings, Settings
from tests.support.browser import DAY, TRACES
from tests.support.fake_site import fake_app
from tests.support.fake_traces import trace_ids
from web.assets import STATIC, Assets
from web.flash import COOKIE, Flash, Flashes, flash

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not (STATIC / "manifest.json").is_file(), reason="pages are not built: npm run build"),
]
HTML = {"accept": "text/html,*/*"}


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    app = fake_app(stored=None)
    broken = APIRouter()

    @broken.get("/broken", dependencies=[public("a test")])
    async def break_down() -> Response:
        raise RuntimeError("nobody expected this")

    @broken.get("/said", dependencies=[public("a test")])
    async def say(request: Request) -> Response:
        response = RedirectResponse("/styleguide", 303)
        flash(request, response, "Saved <b>it</b>")
        return response

    @broken.get("/mine", dependencies=[signed_in()])
    async def mine() -> Response:
        return Response("yours")

    app.include_router(broken)
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://arcane.test", headers=HTML) as client:
        yield client


@pytest.mark.parametrize("path", ["/styleguide", DAY, f"{TRACES}/{'ab' * 16}", "/nowhere", "/broken"])
async def test_every_page_has_a_strict_policy_and_stays_off_the_disk(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_nonce_is_used_once(client: AsyncClient) -> None:
    first, second = [(await client.get("/styleguide")).headers["content-security-policy"] for _ in range(2)]
    assert first != second


async def test_files_are_named_by_their_hash_and_never_change(client: AsyncClient) -> None:
    url = Assets.load().url("app.js")
    plain = await client.get(url, headers={"accept-encoding": "identity"})
    assert "immutable" in plain.headers["cache-control"]
    small = await client.get(url, headers={"accept-encoding": "br"})
    assert small.headers["content-encoding"] == "br"


def test_a_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "app-1.css").write_bytes(b"a {}")
    assets = Assets(tmp_path)
    first = assets.find("app-1.css")
    (tmp_path / "app-1.css").unlink()
    assert assets.find("app-1.css") is first
    assert (first.plain, first.brotli) == (b"a {}", None)


@pytest.mark.parametrize("name", ["manifest.json", "..%2Fsite.py", "app.js", "%2e%2e/site.py", ".env"])
async def test_nothing_else_is_served(client: AsyncClient, name: str) -> None:
    assert (await client.get(f"/assets/{name}")).status_code == 404


async def test_a_browser_gets_a_page_and_a_program_a_problem(client: AsyncClient) -> None:
    page = await client.get("/nowhere")
    assert page.status_code == 404
    assert "Nothing here" in page.text
    problem = await client.get("/nowhere", headers={"accept": "application/json"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert (await client.get("/api/v1/nowhere")).headers["content-type"] == "application/problem+json"


async def test_a_bug_is_a_calm_page_without_its_cause(client: AsyncClient) -> None:
    page = await client.get("/broken")
    assert page.status_code == 500
    assert "nobody expected this" not in page.text


async def test_somebody_who_is_not_signed_in_is_sent_there_and_back(client: AsyncClient) -> None:
    client.cookies.set("stranger", "1")
    answer = await client.get("/mine?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fmine%3Fa%3Db"
    part = await client.get(
        "/mine", headers={"hx-request": "true", "hx-current-url": "https://arcane.test//evil.example/x?y=1"}
    )
    assert part.headers["hx-redirect"] == "/login?next=%2F"


async def test_a_message_is_shown_once_and_as_text(client: AsyncClient) -> None:
    first = await client.get("/said", follow_redirects=True)
    assert "Saved &lt;b&gt;it&lt;/b&gt;" in first.text
    assert "Saved" not in (await client.get("/styleguide")).text.split('class="toasts"')[1]


@pytest.mark.parametrize("value", ["", "x", "bm90IGpzb24=", "eyJhIjoxfQ=="])
def test_a_foreign_message_cookie_is_ignored(value: str) -> None:
    scope = {"type": "http", "headers": [(b"cookie", f"{COOKIE}={value}".encode())]}
    assert Flashes.of(Request(scope)).messages == ()


def test_a_message_keeps_its_tone() -> None:
    response = Response()
    flash(
        Request({"type": "http", "headers": [], "scheme": "http", "path": "/", "server": ("a", 80)}),
        response,
        "no",
        "error",
    )
    cookie = response.headers["set-cookie"].split(";")[0]
    again = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    assert Flashes.of(again).messages == (Flash("no", "error"),)


async def test_the_theme_is_kept_and_only_known_ones_are(client: AsyncClient) -> None:
    answer = await client.post("/preferences/theme", data={"theme": "dark", "next": "//evil.example"})
    assert answer.headers["location"] == "/"
    assert "arcane_theme=dark" in answer.headers["set-cookie"]
    odd = await client.post("/preferences/theme", data={"theme": "<script>"})
    assert "set-cookie" not in odd.headers


async def test_the_frame_comes_before_the_answer_and_once(client: AsyncClient) -> None:
    text = (await client.get(DAY)).text
    assert text.index('id="loading"') < text.index('id="results"')
    assert "<!-- results -->" not in text
    assert text.rstrip().endswith("</html>")


async def test_htmx_gets_the_part_it_asked_for(client: AsyncClient) -> None:
    part = (await client.get(DAY, headers={"hx-request": "true"})).text
    assert "<html" not in part
    assert 'id="results"' in part


async def test_messages_of_a_span_are_read_from_what_the_browser_has(client: AsyncClient) -> None:
    path = f"{TRACES}/{trace_ids()['split']}/messages"
    content = {"role": "user", "parts": [{"type": "text", "content": "hello"}]}
    span = {
        "name": "chat gpt-4o",
        "kind": "client",
        "attributes": {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps([content])},
    }
    token = {"x-csrf-token": "csrf-of-ada"}
    answer = await client.post(path, json=span, headers=token)
    assert answer.json()["input"][0]["parts"] == [{"type": "text", "text": "hello"}]
    assert (await client.post(path, json=[1], headers=token)).status_code == 422
    assert (await client.post(path, json=span)).status_code == 403


@pytest.mark.parametrize("trace_id", ["zz", "0" * 32, "a" * 33])
async def test_what_is_no_trace_id_is_not_there(client: AsyncClient, trace_id: str) -> None:
    assert (await client.get(f"{TRACES}/{trace_id}")).status_code == 404


async def test_the_style_guide_is_not_in_production() -> None:
    app = fake_app(Settings(_env_file=None, server=ServerSettings(development=False)), stored=())
    async with AsyncClient(transport=ASGITransport(app), base_url="http://arcane.test") as client:
        assert (await client.get("/styleguide", headers=HTML)).status_code == 404


def test_a_missing_build_is_said_when_a_page_is_asked_for(tmp_path: Path) -> None:
    assets = Assets.load(tmp_path)
    with pytest.raises(Exception, match="npm ci && npm run build"):
        assets.url("app.css")
