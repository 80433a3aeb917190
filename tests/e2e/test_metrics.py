"""The metrics page in a real browser."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import TRACES, Open

pytestmark = pytest.mark.browser

METRICS = "/o/acme/p/support/metrics"
RATE = "{ } | rate() by (resource.service.name)"


def address(query: str, **more: str) -> str:
    fields = {"q": query, "range": "24h"} | more
    return METRICS + "?" + "&".join(f"{name}={quote(value)}" for name, value in fields.items())


def lines(page: Page) -> int:
    return page.locator(".plot .line").count()


def test_a_query_draws_a_line_for_each_series_and_lists_them(visit: Open) -> None:
    page = visit().open(address(RATE))
    rows = page.locator("tr[data-at]")
    assert rows.count() > 3
    assert lines(page) == min(24, rows.count())
    expect(rows.first.locator("[data-at-value]")).to_have_text(re.compile(r"^[\d.,e-]+/s$"))
    expect(page.locator("#strip .strip-sum")).to_contain_text("a point every 15 min")


def test_without_a_query_there_are_some_to_begin_with(visit: Open) -> None:
    page = visit().open(METRICS)
    page.get_by_role("link", name="All durations").click()
    page.wait_for_url("**q=*")
    expect(page.locator(".plot .cell").first).to_be_visible()


def test_a_query_is_run_by_the_keyboard_and_kept_in_the_address(visit: Open) -> None:
    page = visit().open(METRICS)
    page.locator(".cm-content").click()
    page.keyboard.insert_text("{ status = error } | count_over_time()")
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url("**q=*")
    expect(page.locator("tr[data-at]")).to_have_count(1)
    page.reload()
    expect(page.locator(".cm-content")).to_have_text("{ status = error } | count_over_time()")


def test_how_it_is_measured_is_explained(visit: Open) -> None:
    page = visit().open(address("{ } | rate() by (resource.service.name) | topk(3) with(exemplars=5)"))
    page.get_by_role("button", name="Explain").click()
    plan = page.locator(".explain")
    expect(plan).to_contain_text("At most 5 spans are shown as examples.")
    expect(plan.locator("article", has_text="tempo-prod")).to_contain_text("measured")
    expect(plan.locator("article").last).to_contain_text("Of the series, keep topk(3).")
    plan.get_by_role("link", name="Link").click()
    page.wait_for_url("**/metrics/explain?**")
    expect(plan.locator(".explain-query")).to_contain_text("topk(3)")
    plan.get_by_role("link", name="Close").click()
    expect(page.locator(".plot .line").first).to_be_visible()


def test_a_metrics_query_among_traces_is_explained_where_it_belongs(visit: Open) -> None:
    page = visit(scripts=False).open(f"{TRACES}/explain?range=24h&q=%7B+%7D+%7C+rate%28%29")
    page.get_by_role("link", name="Explain it as a metrics query").click()
    expect(page.locator(".explain")).to_contain_text("measured here")


def test_a_series_is_turned_off_and_on_in_the_list(visit: Open) -> None:
    page = visit().open(address(RATE))
    before = lines(page)
    box = page.locator("tr[data-at] input").first
    box.uncheck()
    assert lines(page) == before - 1
    page.locator("tr[data-at] .series-name").nth(1).click(modifiers=["Alt"])
    assert lines(page) == 1
    page.locator("tr[data-at] .series-name").nth(1).click(modifiers=["Alt"])
    assert lines(page) == page.locator("tr[data-at]").count()


def test_the_list_shows_the_values_of_the_point_at_hand(visit: Open) -> None:
    page = visit().open(address(RATE))
    last = page.locator("[data-at-value]").first.inner_text()
    page.locator(".plot").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-at-head]")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(page.locator(".plot .cross line")).to_be_attached()
    expect(page.locator(".chart-note")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d – \d\d:\d\d:\d\d$"))
    page.keyboard.press("Tab")
    expect(page.locator("[data-at-head]")).to_have_text("Last")
    expect(page.locator("[data-at-value]").first).to_have_text(last)


def test_areas_are_stacked_and_the_address_says_so(visit: Open) -> None:
    page = visit().open(address(RATE))
    page.get_by_role("button", name="Stacked").click()
    expect(page.locator(".plot .area").first).to_be_attached()
    assert "draw=stacked" in page.url
    page.reload()
    expect(page.locator(".plot .area").first).to_be_attached()


def test_dragging_over_the_chart_asks_for_that_part_of_the_time(visit: Open) -> None:
    page = visit().open(address(RATE))
    box = page.locator(".plot svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 400, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 100, steps=4)
    page.mouse.up()
    page.wait_for_url("**range=custom**")
    expect(page.locator("#results[data-from]")).to_be_visible()
    width = page.locator("#results").evaluate("element => element.dataset.to - element.dataset.from")
    assert width < 12 * 3_600_000


def test_an_exemplar_leads_to_its_trace(visit: Open) -> None:
    page = visit().open(address("{ status = error } | max_over_time(duration)"))
    page.locator("summary", has_text="Examples").click()
    page.locator(".chart-values a").first.click()
    page.wait_for_url(re.compile(rf"{TRACES}/[0-9a-f]{{32}}\?span="))


def test_a_mark_on_the_chart_leads_to_the_trace_it_stands_for(visit: Open) -> None:
    """Among lines and in a heatmap; a click on a mark is none on the chart, which would ask for a part of the time."""
    for query in ("{ status = error } | max_over_time(duration)", "{ } | histogram_over_time(duration)"):
        page = visit().open(address(query))
        mark = page.locator(".plot a.exemplar").last
        trace = mark.locator("title").text_content()
        assert re.fullmatch(r"[0-9a-f]{32}", trace or ""), trace
        mark.click()
        page.wait_for_url(re.compile(rf"{TRACES}/{trace}\?span=[0-9a-f]{{16}}"))
        expect(page.locator(".span-row.on")).to_be_visible()


def test_a_comparison_is_a_table_of_what_differs(visit: Open) -> None:
    page = visit().open(address("{ } | compare({ status = error })"))
    expect(page.locator(".compared tbody").first).to_contain_text("status")
    expect(page.locator(".compared tbody").first).to_contain_text("100.0 %")
    assert page.locator(".plot").count() == 0


def test_a_datasource_that_is_down_costs_its_own_spans_and_is_named(visit: Open) -> None:
    page = visit().open(address(RATE))
    expect(page.locator("#results > .notice")).to_contain_text("Spans of jaeger-legacy are not counted")
    expect(page.locator("#strip .strip-source", has_text="jaeger-legacy")).to_have_attribute("data-tone", "error")


def test_what_is_wrong_is_said_where_the_chart_would_be(visit: Open) -> None:
    page = visit().open(address("{ } | max_over_time(name)"))
    expect(page.locator("#results .notice")).to_contain_text("computes with numbers")
    page.goto(page.url.split("?")[0] + "?q=" + quote(RATE) + "&step=soon")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#results .notice")).to_contain_text("A step is a time")


def test_nothing_to_draw_says_so(visit: Open) -> None:
    page = visit().open(address('{ name = "no such span" } | avg_over_time(duration)'))
    expect(page.get_by_role("heading", name="Nothing to draw")).to_be_visible()


def test_a_metrics_query_on_the_search_page_leads_here(visit: Open) -> None:
    page = visit().open(f"{TRACES}?q={quote(RATE)}&range=24h")
    page.get_by_role("link", name="Open under Metrics").click()
    page.wait_for_url("**/metrics?**")
    assert lines(page) > 3
