"""From traces to a dataset and back: a search captured with scripts, a span without, and each row leads to its span."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import Watched
from tests.support.instance import Instance, Workplace
from tests.support.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]

QUERY = "{ span.gen_ai.operation.name = `chat` }"
COLUMNS = [{"name": "question"}, {"name": "answer"}, {"name": "chat", "type": "messages"}, {"name": "weight"}]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A dataset of a workplace."""

    owner: Person
    place: Workplace
    id: str

    @property
    def page(self) -> str:
        """The address of its grid."""
        return f"{self.place.project}/datasets/{self.id}"

    def rows(self) -> list[dict[str, Any]]:
        """Returns its rows."""
        found: list[dict[str, Any]] = self.owner.ask(self.place.api(f"/datasets/{self.id}/rows"), limit=200)["items"]
        return found


@pytest.fixture
def shelf(owner: Person, workplace: Workplace) -> Shelf:
    body = {"name": "Kept", "columns": COLUMNS}
    made = owner.http.post(f"/api/v1{workplace.api('/datasets')}", json=body, headers=owner.proof)
    assert made.status_code == 201, made.text
    return Shelf(owner, workplace, made.json()["id"])


@pytest.fixture
def watched(browser: Browser, instance: Instance, owner: Person) -> Iterator[Watched]:
    context = browser.new_context(base_url=instance.address, reduced_motion="reduce")
    cookies = [{"name": key, "value": value, "url": instance.address} for key, value in owner.http.cookies.items()]
    context.add_cookies(cookies)  # type: ignore[arg-type]
    seen = Watched(context.new_page(), instance.address)
    seen.page.on("console", seen.note)
    yield seen
    context.close()
    assert seen.complaints == [], instance.log


def test_what_a_search_finds_becomes_rows_and_a_row_leads_back(shelf: Shelf, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{watched.base}{shelf.place.project}/traces?{urlencode({'q': QUERY, 'range': '24h'})}")
    assert page.get_by_role("link", name="Evaluate this search").get_attribute("href")
    page.get_by_role("link", name="Add to a dataset").click()
    page.wait_for_url("**/datasets/capture?q=*")
    here = page.url
    page.get_by_role("button", name="New dataset").click()
    page.get_by_label("Name", exact=True).fill("Made on the way")
    page.get_by_role("button", name="Create dataset").click()
    page.wait_for_url("**/datasets/capture?q=*&dataset=*")
    expect(page.get_by_label("Source of answer")).to_have_value("trace:output")
    page.goto(f"{here}&dataset={shelf.id}")
    ticks = page.locator("input[name=trace]")
    found = ticks.count()
    assert found > 2
    shown = [tick.get_attribute("value") for tick in ticks.all()[:2]]
    for tick in ticks.all()[2:]:
        tick.uncheck()
    expect(page.get_by_label("Source of question")).to_have_value("trace:input")
    expect(page.get_by_label("Source of chat")).to_have_value("trace:messages")
    page.get_by_label("Source of weight").fill("span:gen_ai.operation.name")
    page.get_by_role("button", name="Look again").click()
    expect(page.locator("input[name=trace]:checked")).to_have_count(2)
    expect(page.get_by_role("row", name=re.compile("^weight"))).to_contain_text("invoke_agent")
    page.get_by_label("Split").fill("golden")
    page.get_by_role("button", name="Add to the dataset").click()
    page.wait_for_url(f"**{shelf.page}")
    expect(page.get_by_text("Rows captured: 2.")).to_be_visible()
    rows = shelf.rows()
    assert [(row["split"], row["values"]["weight"]) for row in rows] == [("golden", "invoke_agent")] * 2
    assert [row["origin"]["trace_id"] for row in rows] == shown
    assert all(row["values"]["question"] and row["values"]["chat"] for row in rows)
    page.goto(f"{watched.base}{shelf.page}/rows/{rows[0]['row_id']}")
    page.get_by_role("link", name=rows[0]["origin"]["trace_id"][:8]).click()
    page.wait_for_url(f"**/traces/{rows[0]['origin']['trace_id']}")
    add = page.get_by_role("link", name="Add to a dataset")
    add.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/capture?trace=*&span=*")
    page.get_by_label("Source of weight").fill("text:by hand")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{shelf.page}")
    newest = shelf.rows()[-1]
    assert newest["values"]["weight"] == "by hand"
    assert newest["origin"]["span_id"]


def test_without_scripts_a_source_that_is_none_is_said_where_it_stands(
    shelf: Shelf, instance: Instance, owner: Person
) -> None:
    found = shelf.place.search(instance, owner, QUERY).json()["items"][0]
    span = found["spans"][0]["span_id"]
    plain = owner.look(f"{shelf.place.project}/traces/{found['trace_id']}?view=plain&span={span}").text
    link = re.search(rf'href="([^"]+/datasets/capture\?trace=[^"]+span={span})"', plain)
    assert link
    at = link[1].replace("&amp;", "&")
    page = owner.look(at).text
    assert "trace:input" in page
    field = re.search(r'name="(from:[^"]+)"[^>]*Source of question', page)
    assert field
    ticked = {"trace": f"{found['trace_id']}/{span}", field[1]: "column:x"}
    wrong = owner.send(at, ticked)
    assert wrong.status_code == 422
    assert "is not a source here" in wrong.text
    assert shelf.rows() == []
    kept = owner.send(at, {**ticked, field[1]: "trace:name"})
    assert kept.url.path == shelf.page
    assert [row["origin"]["span_id"] for row in shelf.rows()] == [span]


def test_over_rest_a_search_is_captured_and_what_gave_no_row_is_told(
    shelf: Shelf, instance: Instance, owner: Person
) -> None:
    begin, end = instance.day
    columns = {"question": "trace:input", "weight": "span:gen_ai.operation.name"}
    path = f"/api/v1{shelf.place.api(f'/datasets/{shelf.id}/captures')}"
    search = {"query": QUERY, "start": begin, "end": end, "limit": 5, "each_span": True}
    made = owner.http.post(path, json={"columns": columns, "search": search}, headers=owner.proof)
    assert made.status_code == 201, made.text
    answer = made.json()
    assert answer["more"]
    assert len(answer["items"]) + len(answer["skipped"]) == 5
    assert {row["values"]["weight"] for row in answer["items"]} == {"chat"}
    gone = owner.http.post(path, json={"columns": columns, "traces": [{"trace_id": "f" * 32}]}, headers=owner.proof)
    assert (gone.status_code, gone.json()["type"]) == (422, "/problems/nothing-captured")
    both = owner.http.post(
        path, json={"columns": columns, "search": search, "traces": [{"trace_id": "1"}]}, headers=owner.proof
    )
    assert both.status_code == 422
