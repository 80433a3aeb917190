"""Reading pages work when no script runs, and nothing jumps when scripts do."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.support.browser import DAY, TRACES, Open
from tests.support.fake_traces import ODD_TRACE

pytestmark = pytest.mark.browser
ONE_SOURCE = UUID(int=1)


def test_a_search_is_a_plain_form(visit: Open) -> None:
    page = visit(scripts=False).open(DAY)
    expect(page.locator("tbody.page tr")).to_have_count(50)
    expect(page.locator("#loading")).to_be_hidden()
    page.locator("textarea[name=q]").fill("{ status = error }")
    page.get_by_role("button", name="Run").click()
    page.wait_for_load_state()
    expect(page.locator("textarea[name=q]")).to_have_value("{ status = error }")
    assert page.locator("tbody.page tr td.bad").count() == page.locator("tbody.page tr").count()


def test_the_next_page_is_a_link(visit: Open) -> None:
    page = visit(scripts=False).open(DAY)
    first = page.locator("tbody.page tr").first.get_attribute("data-trace")
    page.get_by_role("link", name="Load more").click()
    page.wait_for_load_state()
    expect(page.locator("tbody.page tr")).to_have_count(50)
    assert page.locator("tbody.page tr").first.get_attribute("data-trace") != first


def test_the_time_range_and_the_plan_work(visit: Open) -> None:
    page = visit(scripts=False).open(DAY)
    page.locator("[data-range-label]").click()
    page.get_by_text("Last 7 days").click()
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**range=7d*")
    page.get_by_role("button", name="Explain").click()
    page.wait_for_load_state()
    expect(page.locator(".explain")).to_contain_text("tempo-prod")


def test_a_trace_is_lists_that_open(visit: Open) -> None:
    watched = visit(scripts=False)
    page = watched.page
    page.goto(f"{watched.base}{TRACES}/{ODD_TRACE}")
    page.wait_for_url("**view=plain")
    span = page.locator(".plain-span", has_text="<script>alert('x')</script>")
    span.locator("summary").click()
    expect(span).to_contain_text("exception.message")
    expect(span).to_contain_text("it broke <b>badly</b>")


def test_the_theme_is_chosen_by_a_form(visit: Open) -> None:
    page = visit(scripts=False).open(DAY)
    page.locator("[popovertarget=person-menu]").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_load_state()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_nothing_jumps_while_pages_load(visit: Open) -> None:
    watched = visit()
    watched.page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });"
    )
    # Of one datasource, rows come below each other; with several, on a slow machine, newer ones come between.
    for path in (f"{DAY}&source={ONE_SOURCE}", f"{TRACES}/{ODD_TRACE}"):
        page = watched.open(path)
        page.wait_for_timeout(300)
        assert page.evaluate("window.shift") < 0.02, path


def test_results_cover_what_stood_in_for_them(visit: Open) -> None:
    page = visit(scripts=False).open(DAY)
    results = page.locator("#results")
    before = results.bounding_box()
    page.locator("#loading").evaluate("loading => loading.style.setProperty('display', 'flex', 'important')")
    expect(page.locator("#loading")).to_be_visible()
    assert results.bounding_box() == before
    on_top = "results => { const box = results.getBoundingClientRect();"
    on_top += " return results.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)); }"
    assert results.evaluate(on_top)
