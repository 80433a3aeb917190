"""Watching in a real browser: a list that new traces appear in, and a trace that grows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from arcane.federation.source import Source
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.trace import Trace
from arcane.settings import LiveSettings, ServerSettings, Settings
from arcane.spi.errors import Unreachable
from datasources.memory.adapter import Faults
from tests.support.browser import TRACES, Open, served
from tests.support.fake_site import fake_app
from tests.support.fake_traces import Stored
from tests.support.live import Growing

pytestmark = pytest.mark.browser

OFTEN = LiveSettings(poll_s=0.1, recheck_s=0.5, quiet_s=3.0)


@dataclass(frozen=True, slots=True)
class Shelf(Stored):
    """A datasource that gets more while somebody watches."""

    growing: Growing = field(default_factory=Growing)

    @property
    def source(self) -> Source:
        return Source(str(self.id), self.name, self.kind, self.growing)


@dataclass(frozen=True, slots=True)
class Site:
    base: str
    store: Growing

    def add(self, number: int, *, spans: int = 1, failed: bool = False) -> str:
        """Returns the id of a trace that began a second ago."""
        trace = trace_of(number, spans=spans, failed=failed)
        self.store.put(trace)
        return trace.trace_id


BEGAN: dict[int, int] = {}
"""When each trace began: one that grows began only once."""


def trace_of(number: int, *, spans: int = 1, failed: bool = False) -> Trace:
    began = BEGAN.setdefault(number, time.time_ns() - 1_000_000_000)
    trace_id = TraceId(f"{number + 1:032x}")
    resource = Resource({"service.name": "shop"})
    members = [
        Span(
            trace_id,
            SpanId(f"{number + 1:08x}{index + 1:08x}"),
            "" if index == 0 else SpanId(f"{number + 1:08x}00000001"),
            f"order {number}" if index == 0 else f"step {index}",
            SpanKind.SERVER,
            began + index * 1_000_000,
            began + index * 1_000_000 + 5_000_000,
            StatusCode.ERROR if failed else StatusCode.UNSET,
            attributes={"number": number},
            resource=resource,
        )
        for index in range(spans)
    ]
    return Trace(trace_id, members)


@pytest.fixture
def growing() -> Iterator[Site]:
    BEGAN.clear()
    store = Growing()
    shelf = Shelf(UUID(int=7), "Orders", "tempo", (), growing=store)
    settings = Settings(_env_file=None, server=ServerSettings(development=True), live=OFTEN)
    with served(fake_app(settings, stored=(shelf,))) as base:
        yield Site(base, store)


def rows(page: Page) -> list[str]:
    found: list[str] = page.locator("tbody.page tr a.row-link").all_inner_texts()
    return found


def away(page: Page) -> None:
    """The pointer is on nothing of the list."""
    page.mouse.move(2, 2)


def test_new_traces_appear_on_top_and_one_that_grows_stays_one_row(growing: Site, visit: Open) -> None:
    growing.add(1)
    page = visit(base=growing.base).open(TRACES)
    away(page)
    page.locator(".live-toggle").click()
    away(page)
    expect(page.locator(".live-toggle")).to_have_attribute("aria-pressed", "true")
    growing.add(2)
    expect(page.locator("tbody.page tr").first).to_contain_text("order 2")
    growing.add(2, spans=7)
    expect(page.locator("tbody.page tr").first.locator("td.num").first).to_have_text("7")
    assert rows(page) == ["order 2", "order 1"]


def test_live_is_in_the_address_and_starts_again_with_it(growing: Site, visit: Open) -> None:
    page = visit(base=growing.base).open(TRACES)
    page.keyboard.press("v")
    page.wait_for_url("**live=1*")
    page.reload()
    expect(page.locator(".live-toggle")).to_have_attribute("aria-pressed", "true")
    growing.add(3)
    expect(page.locator("tbody.page tr")).to_have_count(1)  # where nothing was found, a list begins
    page.keyboard.press("j")
    expect(page.locator("tbody.page tr.on")).to_contain_text("order 3")
    page.keyboard.press("v")
    page.wait_for_url(lambda url: "live" not in url)
    growing.add(4)
    page.wait_for_timeout(500)
    assert rows(page) == ["order 3"]


def test_while_somebody_reads_the_list_new_traces_wait_and_are_counted(growing: Site, visit: Open) -> None:
    growing.add(1)
    page = visit(base=growing.base).open(f"{TRACES}?live=1")
    page.locator("tbody.page tr").first.hover()
    for number in (2, 3):
        growing.add(number)
    waiting = page.locator(".waiting-rows")
    expect(waiting).to_have_text("2 new traces")
    assert rows(page) == ["order 1"]
    waiting.click()
    expect(waiting).to_have_count(0)
    assert rows(page) == ["order 3", "order 2", "order 1"]


def test_leaving_the_list_shows_what_waited(growing: Site, visit: Open) -> None:
    growing.add(1)
    page = visit(base=growing.base).open(f"{TRACES}?live=1")
    page.locator("tbody.page tr").first.hover()
    growing.add(2)
    expect(page.locator(".waiting-rows")).to_be_visible()
    away(page)
    expect(page.locator("tbody.page tr").first).to_contain_text("order 2")


def test_another_query_is_what_is_watched_from_then_on(growing: Site, visit: Open) -> None:
    page = visit(base=growing.base).open(f"{TRACES}?live=1&q=%7B%20span.number%20%3D%205%20%7D")
    growing.add(4)
    growing.add(5)
    expect(page.locator("tbody.page tr")).to_have_count(1)
    assert rows(page) == ["order 5"]
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Backspace")
    page.keyboard.insert_text("{ span.number = 6 }")
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url("**6*")
    away(page)
    growing.add(6)
    expect(page.locator("tbody.page tr")).to_contain_text(["order 6"])


def test_the_strip_shows_how_polls_go(growing: Site, visit: Open) -> None:
    growing.add(1)
    page = visit(base=growing.base).open(f"{TRACES}?live=1")
    growing.store.fail(Faults(scan=Unreachable("nobody is there")))
    source = page.locator(".strip-source")
    expect(source).to_have_attribute("data-tone", "error")
    expect(source).to_contain_text("nobody is there")
    growing.store.fail(Faults())
    expect(source).to_have_attribute("data-tone", "ok")


def test_a_running_trace_is_followed_until_it_is_quiet(growing: Site, visit: Open) -> None:
    trace_id = growing.add(1, spans=4)
    page = visit(base=growing.base).open(f"{TRACES}/{trace_id}")
    state = page.locator("[data-live-state]")
    expect(state).to_contain_text("live")
    growing.add(1, spans=6)
    expect(page.locator(".span-row:visible")).to_have_count(6)
    expect(state).to_contain_text(re.compile(r"quiet since \d\d:\d\d:\d\d"))
    button = page.locator("[data-follow]")
    expect(button).to_have_text("Follow")
    button.click()
    expect(button).to_have_text("Stop following")
    growing.add(1, spans=7)
    expect(page.locator(".span-row:visible")).to_have_count(7)


def test_growing_keeps_what_is_selected_collapsed_and_in_sight(growing: Site, visit: Open) -> None:
    trace_id = growing.add(1, spans=120)
    page = visit(base=growing.base).open(f"{TRACES}/{trace_id}")
    page.locator(".span-row", has_text="step 9").first.click()
    scroller = page.locator(".tree-scroll")
    scroller.evaluate("element => { element.scrollTop = 26 * 60 }")
    expect(page.locator(".span-row", has_text="step 62").first).to_be_visible()
    growing.add(1, spans=140)
    expect(page.locator("[data-facts]")).to_contain_text("140")
    assert scroller.evaluate("element => element.scrollTop") == 26 * 60
    expect(page.locator(".panel-name")).to_have_text("step 9")
    expect(page).to_have_url(re.compile("span="))  # the address follows after a pause
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".span-row:visible")).to_have_count(1)
    growing.add(1, spans=150)
    expect(page.locator(".span-row:visible .note")).to_have_text("+149")


def test_a_trace_that_ended_long_ago_is_followed_only_when_somebody_says_so(growing: Site, visit: Open) -> None:
    BEGAN[1] = time.time_ns() - 600_000_000_000
    trace_id = growing.add(1)
    page = visit(base=growing.base).open(f"{TRACES}/{trace_id}")
    expect(page.locator("[data-follow]")).to_have_text("Follow")
    expect(page.locator("[data-live-state]")).to_be_empty()
    before = len(growing.store.asked.traces)
    page.wait_for_timeout(400)
    assert len(growing.store.asked.traces) == before
