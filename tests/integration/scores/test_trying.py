"""A score is tried before it is stored: over REST and on its form, by a real worker against a scripted model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.support.model_stub import Answer, ModelStub, serving_model
from tests.support.postgres import Server
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.worker_process import WORKER_KEY, working

pytestmark = pytest.mark.postgres

SECRET, CANARY = "sk-of-the-trial", "canary-of-a-trial"
EXACT = {"name": "Same", "scorer": "exact-match"}


@dataclass(frozen=True, slots=True)
class House:
    """A backend with a worker, a project, and the stub as its model."""

    served: Served
    owner: Visitor
    place: Premises
    stub: ModelStub
    model: str

    def tried(self, score: dict[str, Any], status: int = 200, **inputs: Any) -> dict[str, Any]:
        body = {"score": score, "inputs": inputs}
        answer = self.owner.call("POST", f"{self.place.in_project}/scores/try", body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def sent(self, path: str, **form: str) -> httpx.Response:
        given = {"csrf_token": self.owner.csrf_token, **form}
        return self.owner.http.post(f"{self.place.pages}/scores{path}", data=given, headers={"accept": "text/html"})

    def names(self) -> list[str]:
        return [one["name"] for one in self.owner.get(f"{self.place.in_project}/scores").json()["items"]]


@pytest.fixture(scope="module")
def house(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("trying")
    with cloned_database(postgres_server, template_database) as stored, serving_model() as stub:
        settings = served_settings(stored, folder, worker={"key": SecretStr(WORKER_KEY)})
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            with working(served, owner, folder / "w1.log"):
                place = premises(served, owner)
                told = {"base_url": stub.url, "api_key": SECRET}
                body = {"name": "Stub", "provider": "openai-compatible", "model": "stub-small", "settings": told}
                model = owner.made(f"{place.at}/model-configurations", body)["id"]
                yield House(served, owner, place, stub, model)


def test_a_score_that_is_not_stored_says_what_it_would(house: House) -> None:
    before = house.names()
    loud = house.tried({**EXACT, "settings": {"ignore_case": True}}, response="PARIS", reference="Paris")
    assert (loud["value"], loud["worker"], loud["cost_usd"], loud["error"]) == (1.0, "w1", None, "")
    assert house.tried(EXACT, response="PARIS", reference="Paris")["value"] == 0.0
    lacking = house.tried(EXACT, response="Paris")
    assert (lacking["value"], lacking["cause"]) == (None, "missing-input")
    assert "`reference`" in lacking["error"]
    assert house.names() == before


def test_a_judge_is_tried_with_the_organisations_model_and_nobody_sees_its_key(house: House) -> None:
    rubric = "Is {{response}} kind to {{reader}}?"
    judge = {"name": "Kind", "scorer": "llm-judge", "settings": {"rubric": rubric}, "model_id": house.model}
    house.stub.then(Answer(structured={"reasoning": "Very.", "score": 0.75}))
    said = house.tried(judge, response=CANARY, reader="Ann")
    assert (said["value"], said["reasoning"]) == (0.75, "Very.")
    assert said["input_tokens"] > 0
    assert CANARY in house.stub.chats[-1].last
    assert house.stub.chats[-1].key == SECRET
    entries = house.owner.get(f"{house.place.in_project}/audit-entries").text
    assert "score.tried" in entries
    for place in (house.served.log, entries):
        assert SECRET not in place
        assert CANARY not in place


def test_what_cannot_be_tried_is_refused(house: House) -> None:
    by_people = house.tried({"name": "Taste of people"}, 422)
    assert by_people["errors"][0]["pointer"] == "#/scorer"
    assert house.tried({**EXACT, "settings": {"colour": "red"}}, 422)["type"] == "/problems/invalid-score"
    assert house.tried({"name": "Kind", "scorer": "llm-judge"}, 409)["type"] == "/problems/score-model-needed"
    other = premises(house.served, house.owner, "Umbrella")
    judge = {"name": "Kind", "scorer": "llm-judge", "model_id": other.configuration_id}
    assert house.tried(judge, 422)["errors"][0]["pointer"] == "#/model_id"
    reader = house.owner.made(f"{house.place.in_project}/api-keys", {"name": "r", "scope": "read"})["key"]
    asked = {"score": EXACT, "inputs": {}}
    path = f"{house.served.address}{house.place.in_project}/scores/try"
    assert httpx.post(path, json=asked, auth=("api-key", reader)).status_code == 403


def test_the_form_tries_what_stands_in_it(house: House) -> None:
    before = house.names()
    filled = {"scale": "numeric", "ignore_case": "on", "try:response": "A", "try:reference": "a"}
    page = house.sent("/new/exact-match/try", **filled)
    assert page.status_code == 200
    assert re.search(r'class="work-value">1 ', page.text), page.text
    assert re.search(r'name="ignore_case"[^>]* checked', page.text)
    lacking = house.sent("/new/exact-match/try", **{**filled, "try:reference": ""})
    assert "There is no value" in lacking.text
    rubric = {"rubric": "Is {{response}} kind to {{reader}}?", "scale": "numeric", "model_id": house.model}
    house.stub.then(Answer(structured={"reasoning": "Very.", "score": 0.5}))
    judged = house.sent("/new/llm-judge/try", **rubric, **{"try:response": "Hello", "try:reader": "Ann"})
    assert 'name="try:reader"' in judged.text
    assert "Very." in judged.text
    exact = next(
        one["id"]
        for one in house.owner.get(f"{house.place.in_project}/scores").json()["items"]
        if one["name"] == "Exact match (RAGAS)"
    )
    built_in = house.sent(f"/{exact}/try", **{"try:response": "A", "try:reference": "A"})
    assert re.search(r'class="work-value">1 ', built_in.text), built_in.text
    refused = house.sent("/new/llm-judge/try", scale="numeric", rubric="{{")
    assert refused.status_code == 422
    assert house.names() == before
