"""axe finds nothing serious, in both themes, on a wide and on a narrow screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.browser import DAY, TRACES, Open
from tests.support.fake_traces import ODD_TRACE, trace_ids

pytestmark = pytest.mark.browser

SCREENS = pytest.mark.parametrize(
    ("theme", "size"), [("light", (1440, 900)), ("dark", (1440, 900)), ("light", (1024, 768))]
)


def serious(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@SCREENS
@pytest.mark.parametrize(
    "path",
    [
        DAY,
        f"{DAY}&q=%7B+nonsense+",
        f"{TRACES}?range=5m&q=%7B+name+%3D+%22nothing%22+%7D",
        f"{TRACES}/explain?range=24h&q=%7B+status+%3D+error+%7D",
        "/o/acme/p/support/metrics/explain?range=24h&q=%7B+%7D+%7C+rate%28%29",
        f"{TRACES}/{ODD_TRACE}?view=plain",
        "/o/acme/p/none-of-it/x",
    ],
)
def test_pages_are_accessible(visit: Open, path: str, theme: str, size: tuple[int, int]) -> None:
    watched = visit(theme=theme, size=size)
    page = watched.open(path)
    assert serious(page) == []
    watched.complaints.clear()


@SCREENS
@pytest.mark.parametrize("trace", ["large", "odd"])
def test_the_trace_page_is_accessible(visit: Open, trace: str, theme: str, size: tuple[int, int]) -> None:
    page = visit(theme=theme, size=size).open(f"{TRACES}/{trace_ids()[trace]}")
    page.locator(".span-row").first.wait_for()
    page.keyboard.press("e")
    assert serious(page) == []


def test_the_style_guide_is_accessible(visit: Open) -> None:
    assert serious(visit().open("/styleguide")) == []


@pytest.mark.parametrize("opener", ["[popovertarget=switcher]", "[popovertarget=person-menu]", "[data-range-label]"])
def test_open_menus_are_accessible(visit: Open, opener: str) -> None:
    page = visit().open(DAY)
    page.locator(opener).click()
    assert serious(page) == []


def test_help_and_completion_are_accessible(visit: Open) -> None:
    page = visit().open(DAY)
    page.keyboard.press("?")
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.locator(".cm-content").click()
    page.locator(".cm-tooltip-autocomplete").wait_for()
    assert serious(page) == []
