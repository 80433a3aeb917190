"""A real Chromium against the fake site: one server a worker, one browser a module, a fresh context a test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.fake_site import fake_app
from tests.support.not_run import chromium

TRACES = "/o/acme/p/support/traces"
DAY = f"{TRACES}?range=24h"
_START_TIMEOUT_S = 20.0
_PATIENCE_MS = 15_000  # machines that run tests are busy
expect.set_options(timeout=_PATIENCE_MS)


@dataclass
class Watched:
    """A page, and everything its browser complained about."""

    page: Page
    base: str
    scripted: bool = True
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Returns the page at `path`, loaded and quiet."""
        self.page.goto(self.base + path)
        if self.scripted:
            self.page.wait_for_load_state("networkidle")
        return self.page

    def note(self, message: ConsoleMessage) -> None:
        """Keeps errors and warnings, and what they are about: a refused inline style is one."""
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}".rstrip())


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Yields the address of `app` on loopback while it runs in a thread of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if time.monotonic() > give_up:
            raise TimeoutError("the fake site did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium, gone before the next module: while it runs, no async test can run in this process."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with served(fake_app()) as base:
        yield base


Open = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Open]:
    """Returns a function that opens a context (`theme`, `scripts`, `width`...); no test may leave complaints behind."""
    contexts: list[BrowserContext] = []
    seen: list[Watched] = []

    def enter(*, theme: str = "light", scripts: bool = True, size: tuple[int, int] = (1440, 900), base: str = site,
              **more: Any) -> Watched:  # fmt: skip
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, base_url=base,
            timezone_id="Europe/Berlin", **more,
        )  # fmt: skip
        context.add_cookies([{"name": "arcane_theme", "value": theme, "url": base}])
        context.set_default_timeout(_PATIENCE_MS)
        contexts.append(context)
        watched = Watched(context.new_page(), base, scripted=scripts)
        watched.page.on("console", watched.note)
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        seen.append(watched)
        return watched

    yield enter
    for context in contexts:
        context.close()
    complaints = [text for watched in seen for text in watched.complaints]
    assert complaints == [], complaints
