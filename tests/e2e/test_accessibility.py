"""axe finds nothing serious in what test_pages cannot reach: errors, odd traces, open menus."""

import pytest
from playwright.sync_api import Page

from tests.support.browser import DAY, TRACES, Open
from tests.support.fake_traces import ODD_TRACE, trace_ids
from tests.support.looks import NARROW, look_again_dark_and_wide, serious

pytestmark = pytest.mark.browser


def accessible(page: Page) -> None:
    """The page is accessible as it stands, light and narrow, and dark and wide."""
    assert serious(page) == []
    look_again_dark_and_wide(page)
    assert serious(page) == []


@pytest.mark.parametrize(
    "path",
    [
        DAY,
        f"{DAY}&q=%7B+nonsense+",
        f"{TRACES}?range=5m&q=%7B+name+%3D+%22nothing%22+%7D",
        f"{TRACES}/{ODD_TRACE}?view=plain",
        "/o/acme/p/none-of-it/x",
    ],
)
def test_pages_are_accessible(visit: Open, path: str) -> None:
    watched = visit(size=NARROW, reduced_motion="reduce")
    accessible(watched.open(path))
    watched.complaints.clear()


@pytest.mark.parametrize("trace", ["large", "odd"])
def test_the_trace_page_is_accessible(visit: Open, trace: str) -> None:
    page = visit(size=NARROW, reduced_motion="reduce").open(f"{TRACES}/{trace_ids()[trace]}")
    page.locator(".span-row").first.wait_for()
    page.keyboard.press("e")
    accessible(page)


def test_open_menus_help_and_completion_are_accessible(visit: Open) -> None:
    page = visit().open(DAY)
    for opener in ("[popovertarget=switcher]", "[popovertarget=person-menu]", "[data-range-label]"):
        page.locator(opener).click()
        assert serious(page) == [], opener
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.locator(".cm-content").click()
    page.locator(".cm-tooltip-autocomplete").wait_for()
    assert serious(page) == []
