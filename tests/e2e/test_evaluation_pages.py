"""Judging in a real browser: an evaluation is put together, run by a worker, and watched until it is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Watched
from tests.support.instance import Instance, new_workplace
from tests.support.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(180)]
ROWS = (("What is the capital of France?", "Paris", "Paris"), ("2 + 2?", "4", "5"))


@pytest.fixture
def project(owner: Person) -> str:
    """The address of a project with a dataset named Capitals."""
    place = new_workplace(owner)
    columns = [{"name": name} for name in ("question", "expected", "answer")]
    made = _made(owner, place.api("/datasets"), {"name": "Capitals", "columns": columns})
    rows = [{"values": {"question": one, "expected": two, "answer": three}} for one, two, three in ROWS]
    _made(owner, place.api(f"/datasets/{made['id']}/rows"), {"rows": rows})
    return place.project


def _made(owner: Person, path: str, body: object) -> dict[str, str]:
    answer = owner.http.post(f"/api/v1{path}", json=body, headers=owner.proof)
    assert answer.is_success, answer.text
    found: dict[str, str] = answer.json()
    return found


@pytest.fixture
def page(browser: Browser, instance: Instance, owner: Person) -> Iterator[Page]:
    """A page of the owner's; nothing may be complained about on it."""
    context = browser.new_context(base_url=instance.address, reduced_motion="reduce")
    context.add_cookies([{"name": k, "value": v, "url": instance.address} for k, v in dict(owner.http.cookies).items()])
    watched = Watched(context.new_page(), instance.address)
    watched.page.on("console", watched.note)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    yield watched.page
    context.close()
    assert watched.complaints == []


def test_an_evaluation_is_put_together_and_watched_until_it_is_done(page: Page, project: str) -> None:
    page.goto(f"{project}/evaluations/new")
    page.fill("[name=name]", "Right or wrong")
    page.locator(".combobox input").first.click()
    page.keyboard.type("Capit")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose scores first")).to_be_visible()
    page.fill("[data-narrow]", "exact")
    expect(page.locator(".work-scores .check:visible")).to_have_count(1)
    page.check("text=Exact match (RAGAS)")
    expect(page.locator("#mapping-sources option[value='column:answer']")).to_be_attached()
    page.get_by_label("Exact match (RAGAS).response").fill("column:answer")
    page.get_by_label("Exact match (RAGAS).reference").fill("column:expected")
    page.click("text=What would it cost?")
    expect(page.get_by_text("2 results, 0 to 0 calls of models")).to_be_visible()
    expect(page.get_by_label("Exact match (RAGAS).response")).to_have_value("column:answer")
    page.click("main button:has-text('Start')")

    expect(page.locator("#progress")).to_contain_text("2/2", timeout=60_000)
    expect(page.locator("#progress .work-summary")).to_contain_text("0.5")
    expect(page.locator("#rows tbody tr").first.locator("td").last).to_have_text("1")
    expect(page.locator("#steering")).to_contain_text("Rerun all")
    expect(page.locator("#steering")).not_to_contain_text("Pause")

    page.get_by_role("link", name="Statistics").click()
    expect(page.locator("#figures table")).to_contain_text("Exact match (RAGAS)", timeout=60_000)


def test_two_experiments_are_compared_row_by_row(page: Page, owner: Person) -> None:
    place = new_workplace(owner)
    dataset = _made(owner, place.api("/datasets"), {"name": "Sums", "columns": [{"name": "sum"}]})["id"]
    rows = [{"values": {"sum": f"{n} + {n}"}} for n in range(30)]
    _made(owner, place.api(f"/datasets/{dataset}/rows"), {"rows": rows})
    score = _made(owner, place.api("/scores"), {"name": "Taste"})["id"]
    experiments = []
    for name in ("Before", "After"):
        made = _made(owner, place.api("/experiments"), {"name": name, "dataset_id": dataset})["id"]
        results = owner.http.get(f"/api/v1{place.api(f'/experiments/{made}/results')}").json()["items"]
        for one in results:
            _made(owner, place.api(f"/experiments/{made}/results"), {"row_id": one["row_id"], "output": "2"})
        experiments.append((made, [one["id"] for one in results]))
    asked = {"scope": "experiments", "experiment_ids": [made for made, _ in experiments], "score_ids": [score]}
    evaluation = _made(owner, place.api("/evaluations"), {"name": "Tasted", "mode": "manual", **asked})["id"]
    for better, (_, ids) in enumerate(experiments):
        values = [{"result_id": one, "value": (n % 7 + better * (n % 3)) / 10} for n, one in enumerate(ids)]
        _made(owner, place.api(f"/evaluations/{evaluation}/scores/{score}/import"), {"results": values})

    page.goto(f"{place.project}/evaluations/{evaluation}/statistics")
    expect(page.locator("#comparison")).to_contain_text("30 pairs", timeout=60_000)
    drawn = page.get_by_role("img", name="Pairs by what they got")
    expect(drawn.locator("circle")).to_have_count(len({(n % 7, n % 7 + n % 3) for n in range(30)}))
    expect(page.locator(".figures-legend")).to_contain_text("higher 66.7 %")

    left = _made(owner, place.api("/evaluations"), {"name": "Left", "mode": "manual", **asked})["id"]
    page.goto(f"{place.project}/evaluations/{left}")
    expect(page.locator("#progress")).to_contain_text("waiting for people")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#progress")).to_contain_text("done")
    expect(page.get_by_role("button", name="Finish")).to_have_count(0)


def test_an_address_with_something_else_than_an_id_leads_nowhere(page: Page, owner: Person, project: str) -> None:
    answer = owner.http.get(f"{project}/evaluations/none", headers={"accept": "text/html"})
    assert answer.status_code == 404
