"""Pictures of the pages as a person sees them: `make screenshots` writes docs/images and test-results/screenshots.

It runs a whole instance with the demo, so it also shows at a glance whether everything fits together.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.not_run import chromium
from tests.support.repository_files import ROOT
from tests.support.running import ArcaneUp

SIZE = {"width": 1440, "height": 900}
PROJECT = "/o/demo/p/agents"
PAGES = {
    "search": f"{PROJECT}/traces?q=%7B%20status%20%3D%20error%20%7D&range=24h",
    "traces": f"{PROJECT}/traces",
    "datasources": "/o/demo/settings/datasources",
    "models": "/o/demo/settings/models",
    "model": "/o/demo/settings/models/new/openai-compatible",
    "members": "/o/demo/settings/members",
    "projects": "/o/demo/settings/projects",
    "account": "/account",
    "styleguide": "/styleguide",
}
README_PICTURE = ROOT / "docs/images/search.png"


@contextmanager
def browser_page(scheme: str) -> Iterator[Page]:
    """A page of a real Chromium, light or dark."""
    path = chromium()
    if path is None:
        sys.exit("no Chromium: install one, or set PLAYWRIGHT_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        yield context.new_page()
        browser.close()


def become_owner(page: Page, link: str) -> None:
    """The browser is signed in as the owner that the one-time link made."""
    page.goto(link)
    page.fill("input[name=name]", "Ada Lovelace")
    page.fill("input[name=email]", "ada@example.com")
    page.fill("input[name=password]", "a long enough password")
    page.click("button[type=submit].primary, main button[type=submit]")
    page.wait_for_url(lambda url: "/setup" not in url)


def sign_in(page: Page, address: str) -> None:
    """The browser is signed in as that owner."""
    page.goto(f"{address}/login")
    page.fill("input[name=email]", "ada@example.com")
    page.fill("input[name=password]", "a long enough password")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def picture(page: Page, address: str, name: str, folder: Path) -> None:
    """A picture of one page is in `folder`, taken when it has come to rest."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder / f"{name}.png")


def first_trace(page: Page, address: str) -> str | None:
    """Returns the address of the first trace in the list."""
    page.goto(address + PAGES["search"])
    page.wait_for_load_state("networkidle")
    link = page.query_selector(f'a[href*="{PROJECT}/traces/"]')
    return None if link is None else f"{address}{link.get_attribute('href')}"


def main() -> None:
    """Every page is pictured, light and dark, and the README's picture is the search in light."""
    folder = ROOT / "test-results/screenshots"
    with (
        tempfile.TemporaryDirectory() as place,
        ArcaneUp(Path(place) / ".local", settings={"ARCANE_SERVER__DEVELOPMENT": "true"}) as up,
    ):
        up.until_ready()
        for scheme in ("light", "dark"):
            (folder / scheme).mkdir(parents=True, exist_ok=True)
            with browser_page(scheme) as page:
                become_owner(page, up.link) if scheme == "light" else sign_in(page, up.address)
                for name, path in PAGES.items():
                    picture(page, up.address + path, name, folder / scheme)
                trace = first_trace(page, up.address)
                if trace:
                    picture(page, trace, "trace", folder / scheme)
        up.stop()
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    README_PICTURE.write_bytes((folder / "light/search.png").read_bytes())
    print(f"{folder} and {README_PICTURE}")  # noqa: T201


if __name__ == "__main__":
    main()
