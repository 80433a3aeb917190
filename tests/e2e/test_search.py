"""The search page in a real browser."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import DAY, TRACES, Open, served
from tests.support.fake_site import fake_app
from tests.support.fake_traces import corpus

pytestmark = pytest.mark.browser
STARTS = "rows => rows.filter(row => !row.lastElementChild.title.includes(' + ')).map(row => +row.dataset.start)"
"""Of traces that one datasource has: a split one stands where its newest part stands, and says when it began."""


def write(page: Page, text: str) -> None:
    """Types into the editor as a person does, without its help."""
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def test_newest_traces_come_first_with_everything_a_row_says(visit: Open) -> None:
    page = visit().open(DAY)
    expect(page.locator("tbody.page tr")).to_have_count(50)
    starts = page.locator("tbody.page tr").evaluate_all(STARTS)
    assert starts == sorted(starts, reverse=True)
    row = page.locator("tbody.page tr").nth(1)
    expect(row.locator("time")).to_have_text(re.compile(r"^(\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{3}$"))
    expect(row).to_contain_text(re.compile(r"\d+ (s|min) ago"))
    expect(row.locator("a.row-link")).to_have_attribute("href", re.compile(rf"^{TRACES}/[0-9a-f]{{32}}$"))
    assert row.locator(".tag").count() > 0


def test_a_query_is_typed_run_by_the_keyboard_and_kept_in_the_address(visit: Open) -> None:
    page = visit().open(DAY)
    page.keyboard.press("/")
    write(page, "{ status = error }")
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url("**q=*")
    expect(page.locator("#results[data-from]")).to_be_visible()
    assert page.locator("tbody.page tr").evaluate_all("rows => rows.every(row => Number(row.dataset.errors) > 0)")
    page.reload()
    expect(page.locator(".cm-content")).to_have_text("{ status = error }")


def test_going_back_shows_the_query_before(visit: Open) -> None:
    page = visit().open(DAY)
    write(page, "{ status = error }")
    page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_url("**q=*")
    page.go_back()
    page.wait_for_load_state("networkidle")
    expect(page.locator(".cm-placeholder")).to_be_visible()
    expect(page.locator("tbody.page tr")).to_have_count(50)


def test_attributes_and_their_values_are_completed_from_the_datasources(visit: Open) -> None:
    page = visit().open(DAY)
    page.locator(".cm-content").click()
    page.keyboard.type("{ span.gen_ai.req", delay=40)
    option = page.locator(".cm-tooltip-autocomplete li", has_text="span.gen_ai.request.model")
    expect(option).to_be_visible()
    option.click()
    page.keyboard.type("= ", delay=40)
    value = page.locator(".cm-tooltip-autocomplete li", has_text='"gpt-4o-mini"')
    expect(value).to_be_visible()
    value.click()
    expect(page.locator(".cm-content")).to_have_text('{ span.gen_ai.request.model = "gpt-4o-mini" }')


def test_a_broken_query_is_underlined_where_it_is_broken(visit: Open) -> None:
    page = visit().open(DAY)
    before = page.locator(".rows").bounding_box()
    write(page, "{ status == error }")
    expect(page.locator(".cm-problem")).to_be_visible()
    expect(page.locator("#query-problem")).to_be_visible()
    assert page.locator(".rows").bounding_box() == before, "the message moved what is below"


def test_running_a_broken_query_says_what_is_wrong(visit: Open) -> None:
    page = visit().open(f"{DAY}&q=%7B+nonsense+")
    expect(page.locator("#results .notice")).to_contain_text("cannot be answered")


def test_more_rows_are_appended_and_the_shape_grows(visit: Open) -> None:
    page = visit().open(DAY)
    bars = page.locator(".shape .bar").count()
    page.get_by_role("link", name="Load more").click()
    expect(page.locator("tbody.page tr")).to_have_count(100)
    ids = page.locator("tbody.page tr").evaluate_all("rows => rows.map(row => row.dataset.trace)")
    assert len(set(ids)) == 100
    page.wait_for_function("before => document.querySelectorAll('.shape .bar').length > before", arg=bars)
    expect(page.locator("#strip .strip-sum")).to_contain_text("100 loaded")


def test_who_comes_back_from_a_trace_finds_its_row_again(visit: Open) -> None:
    page = visit().open(DAY)
    page.get_by_role("link", name="Load more").click()
    expect(page.locator("tbody.page tr")).to_have_count(100)
    row = page.locator("tbody.page tr").nth(70)
    trace = row.get_attribute("data-trace")
    row.locator("a.row-link").click()
    expect(page.locator("[data-neighbours]")).to_contain_text("71 of 100")
    page.go_back()
    expect(page.locator("tbody.page tr")).to_have_count(100)
    expect(page.locator("tbody.page tr.on")).to_have_attribute("data-trace", trace or "")
    expect(page.locator("tbody.page tr.on")).to_be_in_viewport()


def test_a_datasource_that_is_down_costs_its_own_rows_and_is_named(visit: Open) -> None:
    page = visit().open(DAY)
    expect(page.locator("#results > .notice")).to_contain_text("jaeger-legacy")
    strip = page.locator("#strip .strip-source", has_text="jaeger-legacy")
    expect(strip).to_have_attribute("data-tone", "error")
    expect(page.locator("label.chip", has_text="jaeger-legacy")).to_have_attribute("data-tone", "error")
    strip.click()
    expect(page.locator(".source-card:popover-open")).to_contain_text("No answer before the deadline.")


def test_when_only_those_are_left_that_did_not_answer_no_more_is_promised(visit: Open) -> None:
    page = visit().open(f"{DAY}&q=%7B+name+%3D~+%22.*script.*%22+%7D")
    expect(page.locator("#strip .strip-sum")).to_contain_text("some missing")
    expect(page.locator("#more a")).to_have_text("Ask those again that did not answer")
    expect(page.locator(".shape .unloaded")).to_have_count(0)
    page.keyboard.press("l")
    expect(page.locator("#more [role=alert]")).to_be_visible()
    expect(page.locator("#strip .strip-sum")).to_contain_text("some missing")


def test_the_figures_of_the_strip_are_never_cut(visit: Open) -> None:
    page = visit(size=(1024, 768)).open(DAY)
    figures = page.locator("#strip .strip-source .num")
    expect(figures.filter(has_text="traces").first).to_be_visible()
    assert figures.evaluate_all(
        "all => all.every(one => one.scrollWidth <= one.clientWidth + 1 || getComputedStyle(one).display === 'inline')"
        " && [...document.querySelectorAll('.strip-source')].every(one => one.scrollWidth <= one.clientWidth + 1)"
    )


def test_chosen_datasources_are_asked_and_no_others(visit: Open) -> None:
    page = visit().open(DAY)
    for name in ("otlp-files", "tempo-eu", "jaeger-legacy"):
        page.locator("label.chip", has_text=name).click()
    page.locator("[data-run]").click()
    page.wait_for_url("**source=*")
    expect(page.locator("#strip .strip-source")).to_have_count(1)
    expect(page.locator("#strip .strip-source")).to_contain_text("tempo-prod")


def test_a_preset_applies_at_once_and_a_custom_range_is_kept(visit: Open) -> None:
    page = visit().open(DAY)
    page.locator("[data-range-label]").click()
    page.get_by_text("Last 7 days").click()
    page.wait_for_url("**range=7d*")
    page.locator("[data-range-label]").click()
    page.locator("#range-from").fill("2020-01-01 10:00")
    page.locator("#range-to").fill("2020-01-01 11:00")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**range=custom*")
    expect(page.locator(".state")).to_contain_text("No trace")


def test_dragging_over_the_shape_asks_for_that_time(visit: Open) -> None:
    page = visit().open(DAY)
    box = page.locator(".shape svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url("**range=custom*")
    expect(page.locator("#results[data-from]")).to_be_visible()


def test_rows_are_walked_and_opened_with_the_keyboard(visit: Open) -> None:
    page = visit().open(DAY)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    chosen = page.locator("tbody.page tr.on")
    expect(chosen).to_have_count(1)
    trace_id = chosen.get_attribute("data-trace")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/traces/{trace_id}")


def test_the_plan_is_explained_in_words(visit: Open) -> None:
    page = visit().open(f"{DAY}&q=%7B+status+%3D+error+%7D")
    rows = page.locator("tbody.page tr").count()
    page.get_by_role("button", name="Explain").click()
    plan = page.locator(".explain")
    expect(plan).to_contain_text("How this is asked")
    files = plan.locator("article", has_text="otlp-files")
    expect(files).to_contain_text("the datasource cannot answer it")
    expect(files.locator(".request")).to_contain_text("READ traces in memory")
    assert page.locator("tbody.page tr").count() == rows
    page.locator("[data-close-explain]").click()
    expect(plan).to_have_count(0)
    page.keyboard.press("x")
    plan.get_by_role("link", name="Link").click()
    page.wait_for_url("**/explain?**")
    expect(plan.locator("article")).to_have_count(4)


def test_nothing_found_offers_a_wider_range(visit: Open) -> None:
    page = visit().open(f"{TRACES}?range=5m&q=%7B+name+%3D+%22no+such+span%22+%7D")
    expect(page.locator(".state")).to_contain_text("No trace matches")
    page.get_by_role("link", name="Last 1 hour").click()
    page.wait_for_url("**range=1h*")


def test_without_a_datasource_the_page_says_what_to_do(visit: Open) -> None:
    with served(fake_app(stored=())) as base:
        page = visit(base=base).open(DAY)
        expect(page.locator(".state")).to_contain_text("Connect a datasource")
        expect(page.get_by_role("link", name="Add a datasource")).to_be_visible()


def test_when_every_datasource_fails_the_reader_can_try_again(visit: Open) -> None:
    page = visit().open(f"{DAY}&source=00000000-0000-0000-0000-000000000009")
    expect(page.locator("#results .rows .notice[role=alert]")).to_be_visible()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    expect(page.locator("#strip .strip-source")).to_contain_text("No answer before the deadline.")


def test_help_lists_the_keys_of_the_page(visit: Open) -> None:
    page = visit().open(DAY)
    page.keyboard.press("?")
    help_dialog = page.locator("dialog#help")
    expect(help_dialog).to_be_visible()
    expect(help_dialog).to_contain_text("Next, previous trace")
    page.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()


def test_content_of_traces_is_shown_as_text(visit: Open) -> None:
    page = visit().open(f"{DAY}&q=%7B+name+%3D~+%22.*script.*%22+%7D")
    expect(page.locator(".tag", has_text="<script>alert('x')</script>")).to_be_visible()


def test_many_datasources_are_chosen_from_a_list(visit: Open) -> None:
    many = tuple(replace(corpus()[2], id=UUID(int=100 + at), name=f"store-{at}") for at in range(9))
    with served(fake_app(stored=many)) as base:
        page = visit(base=base).open(DAY)
        page.get_by_role("button", name="All 9 datasources").click()
        page.get_by_text("All or none").click()
        page.locator("label.menu-item", has_text="store-7").click()
        page.keyboard.press("Escape")
        page.locator("[data-run]").click()
        page.wait_for_url("**source=*")
        expect(page.locator("#strip .strip-source")).to_have_count(1)
        page.reload()
        expect(page.get_by_role("button", name="store-7").first).to_be_visible()


def test_alt_click_chooses_one_datasource(visit: Open) -> None:
    page = visit().open(DAY)
    page.locator("label.chip", has_text="tempo-eu").click(modifiers=["Alt"])
    assert page.locator("input[name=source]:checked").count() == 1


def test_an_answer_that_never_arrives_can_be_asked_for_again(visit: Open) -> None:
    watched = visit()
    page = watched.open(DAY)
    page.route("**/traces?*", lambda route: route.abort())
    page.locator("[data-run]").click()
    expect(page.locator("#results .state")).to_contain_text("No answer arrived")
    page.unroute("**/traces?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("tbody.page tr")).to_have_count(50)
    watched.complaints.clear()


@contextmanager
def one_held(*, at_first: bool) -> Iterator[tuple[str, threading.Event]]:
    """Yields a site where every datasource takes a moment, and the files answer while the event is set."""
    answers = threading.Event()
    if not at_first:
        answers.set()
    moments = [replace(one, slow_s=0.3, held=answers if one.kind == "otlp_file" else None) for one in corpus()]
    with served(fake_app(stored=moments)) as base:
        yield base, answers
        answers.set()


def test_rows_stand_there_while_a_slow_datasource_is_still_asked(visit: Open) -> None:
    with one_held(at_first=True) as (base, answers):
        page = visit(base=base).page
        page.goto(base + DAY, wait_until="commit")
        expect(page.locator("#loading tbody.page tr")).to_have_count(50)
        expect(page.locator("#loading .strip-source[data-source]", has_text="tempo-eu")).to_contain_text("50")
        expect(page.locator("#loading [data-asking]")).to_contain_text("asking")
        starts = page.locator("#loading tbody.page tr").evaluate_all(STARTS)
        assert starts == sorted(starts, reverse=True)
        before = page.locator("#loading thead").bounding_box()
        answers.set()
        expect(page.locator("#results[data-from]")).to_be_visible()
        expect(page.locator("#loading")).to_have_count(0)
        assert page.locator("#results thead").bounding_box() == before, "nothing moved when the answer was whole"
        expect(page.locator("#results tbody.page tr")).to_have_count(50)


def test_a_question_asked_on_the_page_fills_it_as_answers_come(visit: Open) -> None:
    with one_held(at_first=False) as (base, answers):
        page = visit(base=base).open(DAY)
        answers.clear()
        page.locator("[data-run]").click()
        expect(page.locator("#results [data-arriving] tbody.page tr")).to_have_count(50)
        expect(page.locator("#results .strip-sum")).to_contain_text("so far")
        answers.set()
        expect(page.locator("#results [data-rows] tbody.page tr")).to_have_count(50)


def test_a_question_asked_before_the_last_one_is_answered_takes_its_place(visit: Open) -> None:
    with one_held(at_first=False) as (base, answers):
        page = visit(base=base).open(DAY)
        answers.clear()
        page.locator("[data-run]").click()
        expect(page.locator("#results [data-arriving] tbody.page tr")).to_have_count(50)
        write(page, "{ status = error }")
        page.keyboard.press("ControlOrMeta+Enter")
        answers.set()
        page.wait_for_url("**q=*")
        expect(page.locator("#results [data-rows]")).to_be_visible()
        assert page.locator("tbody.page tr").evaluate_all("rows => rows.every(row => Number(row.dataset.errors) > 0)")
