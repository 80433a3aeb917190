"""The pages and the REST of scores, served whole, with scorers that were announced by a worker that is gone."""

from __future__ import annotations

import re

import anyio
import msgspec
import pytest

from arcane.kit.actor import Tenant
from arcane.kit.database import Database
from arcane.scores.repository import ScorerRepository
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor
from worker.scoring.registry import Registry

pytestmark = pytest.mark.postgres

EXACT = {"name": "Same answer", "scale": "numeric", "ignore_case": "on", "lowest": "", "highest": ""}
TASTE = {"name": "Judged taste", "scale": "ordinal", "labels": "bad: 0\nfair: 0.5\ngood: 1", "acceptable": "good"}


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Premises:
    async def announced() -> None:
        database = Database.connect(served.stored.app_url, pool_size=1)
        async with database.transaction(Tenant(instance=True)) as session:
            await ScorerRepository(session).keep(Registry.load().announced(), 100)
        await database.aclose()

    anyio.run(announced)
    return premises(served, owner, "Scores")


def send(place: Premises, path: str, form: dict[str, str]) -> str:
    """Returns the page after the form at `path` was sent."""
    at = f"{place.pages}/scores{path}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', place.member.get(at).text)
    assert token is not None, place.member.get(at).text[:3000]
    answer = place.member.http.post(at, data={"csrf_token": token[1], **form}, follow_redirects=True)
    return answer.text


def test_a_score_is_added_changed_and_deleted_on_its_pages(place: Premises) -> None:
    kinds = place.member.get(f"{place.pages}/scores/new").text
    assert "LLM judge" in kinds
    form = place.member.get(f"{place.pages}/scores/new/llm-judge").text
    assert form.find('name="rubric"') < form.find('name="format"') < form.find('name="lowest"')
    assert form.count('name="lowest"') == 1
    assert "no worker has it" in kinds
    page = send(place, "/new/exact-match", EXACT)
    assert re.search(r'name="ignore_case"[^>]* checked', page), page
    found = re.search(r"/scores/([0-9a-f-]{36})/delete", page)
    assert found is not None
    assert "Same or not" in send(place, f"/{found[1]}", {**EXACT, "name": "Same or not"})
    listed = place.member.get(f"{place.pages}/scores").text
    assert listed.find("Same or not") < listed.find("Faithfulness")


def test_what_cannot_work_is_said_at_its_field_and_what_was_typed_stays(place: Premises) -> None:
    page = send(
        place, "/new/python", {"name": "Mine", "scale": "numeric", "code": "def grade(response):\n    return 1"}
    )
    assert "there is no function <code>score</code>" in page
    assert "def grade(response)" in page
    wrong = send(place, "/new/people", {**TASTE, "name": "Other", "labels": "good: very"})
    assert "does not end in a number" in wrong


def test_people_give_a_score_with_labels_of_their_own(place: Premises) -> None:
    page = send(place, "/new/people", TASTE)
    assert "fair: 0.5" in page
    assert "Evaluations keep a score" in page


def test_a_score_of_every_project_is_read_and_not_changed(place: Premises) -> None:
    page = place.member.get(f"{place.pages}/scores/ea8c28c7-18c1-40c7-bdf6-b834eddb5be1").text
    assert "retrieved_contexts" in page
    assert "Every project has this score" in page


def test_over_rest_a_score_is_what_was_sent(place: Premises) -> None:
    at = f"/api/v1/projects/{place.project_id}"
    body = {"name": "Regular", "scorer": "regex", "settings": {"pattern": "^a"}, "model_id": place.configuration_id}
    made = place.member.made(f"{at}/scores", body)
    assert (made["settings"], made["model_id"], made["built_in"]) == ({"pattern": "^a"}, place.configuration_id, False)
    changed = place.member.call("PUT", f"{at}/scores/{made['id']}", {**body, "name": "Changed", "version": 1}).json()
    assert (changed["name"], changed["version"]) == ("Changed", 2)
    refused = place.member.call("POST", f"{at}/scores", {**body, "name": "X", "settings": {}})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": "#/settings/pattern", "detail": "this is needed"}]
    models = {"model_id": place.configuration_id, "embedding_id": None}
    assert place.member.call("PUT", f"{at}/score-models", models).json() == models
    assert place.member.get(f"{at}/score-models").json() == models
    scorers = place.member.get(f"{at}/scorers").json()["items"]
    assert {msgspec.json.encode(one["key"]) for one in scorers} >= {b'"llm-judge"', b'"python"'}
    assert place.member.call("DELETE", f"{at}/scores/{made['id']}").status_code == 204


def test_without_a_worker_nothing_is_tried(place: Premises) -> None:
    exact = {"score": {"name": "Same", "scorer": "exact-match"}, "inputs": {"response": "a", "reference": "a"}}
    answer = place.member.call("POST", f"{place.in_project}/scores/try", exact)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/no-worker")
    form = place.member.get(f"{place.pages}/scores/new/exact-match").text
    assert 'name="try:reference"' in form
