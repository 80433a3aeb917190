"""The walk that the product is for, in a real browser on a real `arcane up`, recorded.

From the one-time link of a first start to a trace of 5,000 spans, and to a Tempo of one's own. Pictures of the
stations are in test-results/walk, and the whole of it in walk.zip there: `playwright show-trace` plays it.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, ViewportSize, expect

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.time import NANOS_PER_SECOND
from arcane.model.trace import Trace
from tests.support.instance import AGENTS, DEMO
from tests.support.repository_files import ROOT
from tests.support.running import ArcaneUp
from tests.support.tempo_standin import Tempo, serving

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(240)]

RECORDED = ROOT / "test-results" / "walk"
SIZE: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[ArcaneUp]:
    """A first start: nobody owns it yet."""
    with ArcaneUp(tmp_path / ".local") as started:
        started.until_ready()
        yield started
        started.stop()


@pytest.fixture
def tempo() -> Iterator[Tempo]:
    """A Tempo with a tenant and one trace, a minute old."""
    began = time.time_ns() - 60 * NANOS_PER_SECOND
    root = Span(
        TraceId("7e" * 16),
        SpanId("7e" * 8),
        "",
        "GET /from-tempo",
        SpanKind.SERVER,
        began,
        began + NANOS_PER_SECOND,
        StatusCode.ERROR,
        resource=Resource({"service.name": "edge"}),
    )
    held = Tempo((Trace(root.trace_id, [root]),), tenant="acme")
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(held)) as running:
        yield running


@pytest.fixture
def page(browser: Browser, up: ArcaneUp) -> Iterator[Page]:
    """A page whose every move is recorded."""
    shutil.rmtree(RECORDED, ignore_errors=True)
    context = browser.new_context(base_url=up.address, viewport=SIZE, timezone_id="Europe/Berlin")
    context.set_default_timeout(30_000)
    context.tracing.start(title="The walk", screenshots=True, snapshots=True)
    yield context.new_page()
    context.tracing.stop(path=RECORDED / "walk.zip")
    context.close()


def station(page: Page, name: str) -> None:
    """A picture of where the walk is."""
    number = len(list(RECORDED.glob("*.png"))) + 1
    page.screenshot(path=RECORDED / f"{number:02}-{name}.png")


def test_from_the_first_start_to_a_waterfall_and_a_tempo(page: Page, up: ArcaneUp, tempo: Tempo) -> None:
    becomes_the_owner(page, up)
    searches_for_errors(page)
    opens_the_largest_trace(page, up)
    connects_a_tempo(page, tempo)
    searches_in_it_alone(page)


def becomes_the_owner(page: Page, up: ArcaneUp) -> None:
    page.goto(up.link)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Password").fill("a long enough password")
    station(page, "become-the-owner")
    page.get_by_role("button", name="Become the owner").click()
    page.wait_for_url(f"**{AGENTS}/traces")
    expect(page.get_by_role("heading", name="Traces")).to_be_visible()
    expect(page.locator("tbody.page tr").first).to_be_visible()
    station(page, "traces")


def searches_for_errors(page: Page) -> None:
    page.locator("[data-range-label]").click()
    page.get_by_text("Last 24 hours").click()
    page.wait_for_url("**range=24h*")
    page.keyboard.press("/")
    page.keyboard.type("{ status = error }", delay=15)
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url("**q=*")
    expect(page.locator("#results[data-from]")).to_be_visible()
    rows = page.locator("tbody.page tr")
    assert rows.count() > 0
    assert rows.evaluate_all("rows => rows.every(row => Number(row.dataset.errors) > 0)")
    for name in ("Storefront", "Platform", "Engineering"):
        expect(page.locator("#strip .strip-source", has_text=name)).to_have_attribute("data-tone", "ok")
    station(page, "errors")


def opens_the_largest_trace(page: Page, up: ArcaneUp) -> None:
    truth = json.loads((up.folder / "demo" / "truth.json").read_text())
    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text('{ rootName = "reindex knowledge base" && status = error }')
    page.keyboard.press("ControlOrMeta+Enter")
    row = page.locator(f"tr[data-trace='{truth['large_trace']}']")
    expect(row).to_be_visible()
    expect(row).to_contain_text("5,000")
    row.locator("a.row-link").click()
    page.wait_for_url(f"**/traces/{truth['large_trace']}*")

    expect(page.locator(".facts .fact", has_text="Spans")).to_contain_text("5,000")
    spans = page.locator(".span-row:not([hidden])")
    spans.first.wait_for()
    station(page, "waterfall")
    page.locator(".tree-scroll").hover()
    for _ in range(12):
        page.mouse.wheel(0, 900)
    page.wait_for_function("document.querySelector('.tree-scroll').scrollTop > 3000")
    assert page.locator(".span-row").count() < 100, "only what is in sight is drawn"
    spans.nth(8).click()
    panel = page.locator("aside.panel")
    expect(panel.locator(".panel-name")).to_have_text(page.locator(".span-row.on .label").inner_text())
    expect(panel).to_contain_text("openinference.span.kind")
    station(page, "span")
    panel.get_by_role("tab", name="Resource").click()
    expect(panel).to_contain_text("service.name")


def connects_a_tempo(page: Page, tempo: Tempo) -> None:
    page.get_by_role("link", name="Datasources").click()
    page.get_by_role("link", name="Connect a datasource").click()
    page.get_by_role("link", name="Grafana Tempo").click()
    expect(page.get_by_label("Token")).to_be_hidden()
    page.get_by_label("Authentication").select_option("bearer")
    page.get_by_label("Name").fill("Edge Tempo")
    page.get_by_label("URL").fill(tempo.url)
    page.get_by_label("Token").fill("not asked for, but kept")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#test .notice")).to_have_attribute("data-tone", "error")
    station(page, "connection-refused")

    page.get_by_label("Tenant").fill("acme")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#test .notice")).to_contain_text("It answers")
    expect(page.locator("#test")).to_contain_text("Version 3.0.3")
    expect(page.locator("#test")).to_contain_text(re.compile(r"[\d.]+ (µs|ms|s) for a round trip"))
    station(page, "connection-tested")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(f"{DEMO}/settings/datasources/[0-9a-f-]{{36}}$"))
    expect(page.locator(".toast")).to_have_text("Saved.")
    expect(page.get_by_label("Token")).to_have_value("")
    station(page, "connected")


def searches_in_it_alone(page: Page) -> None:
    page.get_by_role("link", name="Traces", exact=True).click()
    for name in ("Storefront", "Platform", "Engineering"):
        page.locator("label.chip", has_text=name).click()
    page.locator("[data-run]").click()
    page.wait_for_url("**source=*")
    expect(page.locator("#strip .strip-source")).to_have_count(1)
    expect(page.locator("#strip .strip-source")).to_contain_text("Edge Tempo")
    rows = page.locator("tbody.page tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("GET /from-tempo")
    station(page, "from-tempo")
    rows.locator("a.row-link").click()
    expect(page.locator(".span-row:not([hidden])")).to_have_count(1)
    expect(page.locator(".facts .fact", has_text="Sources")).to_contain_text("Edge Tempo")
    station(page, "trace-from-tempo")
