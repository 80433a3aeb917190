"""How a page is looked at: in both themes, on a wide and on a narrow screen, with axe's eyes."""

from __future__ import annotations

from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE, NARROW = (1440, 900), (1024, 768)
OF_COLOUR: Final = ("color-contrast", "link-in-text-block")
"""The rules of axe that a theme can break: all others look at what the document says."""


def serious(page: Page, *rules: str) -> list[str]:
    """Returns what axe finds serious or critical, by every rule or by these."""
    only = {"runOnly": list(rules)} if rules else {}
    found = Axe().run(page, options={"resultTypes": ["violations"], **only}).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def look_again_dark_and_wide(page: Page) -> None:
    """The page is dark and wide, and was painted so: even a transition without length takes a frame.

    A theme is one attribute of the document: to load the page again would take as long as looking at it.
    """
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.evaluate("new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)))")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
