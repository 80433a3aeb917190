"""The grid of a dataset in a real browser: moved through, edited, ticked and split with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched
from tests.support.instance import Instance, Workplace
from tests.support.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]


@dataclass(frozen=True, slots=True)
class Grid:
    """A dataset with three rows, open in a browser that complained about nothing."""

    owner: Person
    at: str
    watched: Watched

    @property
    def page(self) -> Page:
        """The browser's page."""
        return self.watched.page

    def rows(self) -> list[dict[str, Any]]:
        """Returns the rows of the newest version."""
        found: list[dict[str, Any]] = self.owner.ask(f"{self.at}/rows", limit=200)["items"]
        return found

    def cell(self, row: int, column: int) -> Any:
        """Returns a cell, both counted from 0."""
        return self.page.locator("tbody tr").nth(row).locator("td[data-column]").nth(column)


@pytest.fixture
def grid(browser: Browser, instance: Instance, owner: Person, workplace: Workplace) -> Iterator[Grid]:
    proof = owner.proof
    columns = [{"name": "question"}, {"name": "n", "type": "number"}]
    made = owner.http.post(
        f"/api/v1{workplace.api('/datasets')}", json={"name": "Grid", "columns": columns}, headers=proof
    )
    at = workplace.api(f"/datasets/{made.json()['id']}")
    rows = [{"values": {"question": f"Question {n}", "n": n}} for n in (1, 2, 3)]
    assert owner.http.post(f"/api/v1{at}/rows", json={"rows": rows}, headers=proof).status_code == 201
    context = browser.new_context(base_url=instance.address, reduced_motion="reduce")
    cookies = [{"name": key, "value": value, "url": instance.address} for key, value in owner.http.cookies.items()]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    watched = Watched(context.new_page(), instance.address)
    watched.page.on("console", watched.note)
    watched.page.goto(f"{instance.address}{workplace.project}/datasets/{made.json()['id']}")
    yield Grid(owner, at, watched)
    context.close()
    assert [text for text in watched.complaints if "422" not in text] == [], instance.log


def test_a_row_is_edited_added_split_and_deleted_with_the_keyboard(grid: Grid) -> None:
    page, keyboard = grid.page, grid.page.keyboard
    grid.cell(0, 0).focus()
    keyboard.press("ArrowDown")
    expect(grid.cell(1, 0)).to_be_focused()
    keyboard.press("Enter")
    field = grid.cell(1, 0).locator("textarea")
    expect(field).to_be_focused()
    keyboard.insert_text("Pasted, with a comma")
    keyboard.press("Enter")
    expect(grid.cell(1, 0)).to_have_text("Pasted, with a comma")
    expect(page.locator(".bar .tag")).to_contain_text("v3")
    grid.cell(1, 0).focus()
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    keyboard.insert_text("many")
    keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("number")
    keyboard.press("Escape")
    grid.cell(2, 0).focus()
    keyboard.press("Enter")
    keyboard.insert_text("never kept")
    keyboard.press("Escape")
    expect(grid.cell(2, 0)).to_have_text("Question 3")
    assert [row["values"] for row in grid.rows()] == [
        {"question": "Question 1", "n": 1},
        {"question": "Pasted, with a comma", "n": 2},
        {"question": "Question 3", "n": 3},
    ]
    page.get_by_role("link", name="Add a row").click()
    page.get_by_label("question").fill("Added")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    grid.cell(3, 0).focus()
    keyboard.press("x")
    page.get_by_label("Split", exact=True).fill("golden")
    page.get_by_role("button", name="Put into split").click()
    expect(page.get_by_text("The rows are in their split.")).to_be_visible()
    grid.cell(0, 0).focus()
    keyboard.press("x")
    page.get_by_role("button", name="Delete rows").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    assert [(row["values"]["question"], row["split"]) for row in grid.rows()] == [
        ("Pasted, with a comma", ""),
        ("Question 3", ""),
        ("Added", "golden"),
    ]


def test_a_row_opens_beside_the_grid_and_gives_the_focus_back(grid: Grid) -> None:
    page = grid.page
    grid.cell(2, 0).focus()
    page.keyboard.press("o")
    drawer = page.locator("dialog#drawer[open]")
    drawer.get_by_label("question").fill("Longer\nthan a line")
    drawer.get_by_role("button", name="Save").click()
    expect(grid.cell(2, 0)).to_contain_text("Longer")
    grid.cell(2, 0).focus()
    page.keyboard.press("o")
    expect(drawer.get_by_label("question")).to_have_value("Longer\nthan a line")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
