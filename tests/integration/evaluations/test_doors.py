"""Experiments and evaluations over REST and on their pages, in a served backend."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from arcane.access.permissions import MEMBER
from arcane.datasets.views import NewColumn, RowDraft
from arcane.kit.actor import Actor, ActorKind
from arcane.local.inside import services
from arcane.messaging.scoring import Label, Scale
from arcane.scores.editing import ScoreDraft
from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]
MOODS = (Label("glad", 1.0), Label("sad", 0.0))
ROWS = [{"question": f"{n}+{n}", "reference": str(2 * n)} for n in range(1, 4)]


@dataclass(frozen=True, slots=True)
class Working:
    place: Premises
    owner: Visitor
    dataset: UUID
    mood: str

    def made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.owner.made(f"{self.place.in_project}{path}", body)

    def get(self, path: str) -> Any:
        answer = self.owner.get(f"{self.place.in_project}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, path: str) -> str:
        answer = self.owner.get(f"{self.place.pages}{path}", follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **form: Any) -> httpx.Response:
        given = {"csrf_token": self.owner.csrf_token, **form}
        return self.owner.http.post(f"{self.place.pages}{path}", data=given, headers={"accept": "text/html"})


@pytest.fixture(scope="module")
def working(served: Served, owner: Visitor) -> Working:
    place = premises(served, owner, "Judging")
    actor = Actor(
        ActorKind.USER,
        UUID(owner.user_id),
        "Olive Owner",
        MEMBER.permissions,
        UUID(place.organisation_id),
        UUID(place.project_id),
    )
    dataset, mood = anyio.run(_prepared, served, actor)
    return Working(place, owner, dataset, mood)


async def _prepared(served: Served, actor: Actor) -> tuple[UUID, str]:
    async with services(served.settings) as state:
        columns = [NewColumn("question"), NewColumn("reference")]
        dataset = await state.datasets.datasets.create(actor, "Sums", "", columns)
        await state.datasets.rows.add(actor, dataset.id, [RowDraft(row) for row in ROWS])
        draft = ScoreDraft(
            name="Mood", scale=Scale.NOMINAL, labels=(Label("glad", 1.0), Label("sad", 0.0)), settings={}
        )
        return dataset.id, str((await state.scores.create(actor, draft)).id)


def _experiment(working: Working, name: str = "Mine") -> dict[str, Any]:
    return working.made("/experiments", {"name": name, "dataset_id": str(working.dataset)})


def _evaluation(working: Working, **more: Any) -> dict[str, Any]:
    body = {"name": "Moods", "scope": "dataset", "dataset_id": str(working.dataset), "score_ids": [working.mood]}
    return working.made("/evaluations", {**body, **more})


def test_an_experiment_from_outside_is_reported_row_by_row(working: Working) -> None:
    made = _experiment(working)
    results = working.get(f"/experiments/{made['id']}/results")["items"]
    assert [one["values"]["question"] for one in results] == ["1+1", "2+2", "3+3"]
    for row in results:
        answer = {"row_id": row["row_id"], "output": f"=It is {row['ordinal']}", "latency_ms": 5}
        working.made(f"/experiments/{made['id']}/results", answer)
    seen = working.get(f"/experiments/{made['id']}")
    assert (seen["state"], seen["tally"]["done"]) == ("done", 3)
    lines = working.owner.get(f"{working.place.in_project}/experiments/{made['id']}/export").text.splitlines()
    assert [json.loads(line)["output"] for line in lines] == ["=It is 1", "=It is 2", "=It is 3"]
    csv = working.owner.get(f"{working.place.in_project}/experiments/{made['id']}/export?format=csv").text
    assert '"\'=It is 1"' in csv
    with working.owner.http.stream("GET", f"{working.place.in_project}/experiments/{made['id']}/events") as events:
        assert "event: progress" in "".join(events.iter_text())


def test_experiments_stand_side_by_side(working: Working) -> None:
    one, two = _experiment(working, "One"), _experiment(working, "Two")
    row = working.get(f"/experiments/{one['id']}/results")["items"][0]["row_id"]
    working.made(f"/experiments/{one['id']}/results", {"row_id": row, "output": "It is 2"})
    working.made(f"/experiments/{two['id']}/results", {"row_id": row, "output": "It is 3"})
    asked = f"experiment_id={one['id']}&experiment_id={two['id']}"
    found = working.get(f"/experiments/compare?{asked}")["items"][0]
    assert [piece["change"] for piece in found["differences"][1]] == ["", "-", "+"]
    shown = working.page(f"/experiments/compare?e={one['id']}&e={two['id']}")
    assert "<del>2</del><ins>3</ins>" in shown
    over = {"scope": "experiments", "dataset_id": None, "experiment_ids": [one["id"], two["id"]]}
    judged = _evaluation(working, **over)
    given = [
        {"result_id": subject["result_id"], "label": label}
        for label, subject in zip(
            ("sad", "glad"), working.get(f"/evaluations/{judged['id']}/subjects")["items"], strict=True
        )
    ]
    path = f"{working.place.in_project}/evaluations/{judged['id']}/scores/{working.mood}/import"
    assert working.owner.call("POST", path, {"results": given}).json() == {"imported": 2}
    shown = working.page(f"/evaluations/{judged['id']}")
    rows = shown.partition('id="rows"')[2]
    assert [rows.count(f'<td class="cut" title="{name}">{name}</td>') for name in ("One", "Two")] == [1, 1]


def test_people_score_on_the_page_and_over_rest(working: Working) -> None:
    made = _evaluation(working)
    subjects = working.get(f"/evaluations/{made['id']}/subjects")["items"]
    first, second, third = (one["id"] for one in subjects)
    path = f"{working.place.in_project}/evaluations/{made['id']}"
    given = working.owner.call("PUT", f"{path}/subjects/{first}/scores/{working.mood}", {"label": "glad"})
    assert given.json()["results"][0]["value"] == 1.0
    shown = working.page(f"/evaluations/{made['id']}?subject={second}")
    assert "Score it yourself" in shown
    sent = working.post(f"/evaluations/{made['id']}/score", subject_id=second, score_id=working.mood, label="sad")
    assert sent.status_code == 303
    imported = {"results": [{"row_id": subjects[2]["row_id"], "label": "sad", "reasoning": "why not"}]}
    assert working.owner.call("POST", f"{path}/scores/{working.mood}/import", imported).json() == {"imported": 1}
    (summary,) = working.get(f"/evaluations/{made['id']}/summary")["items"]
    assert (summary["done"], summary["labels"]) == (3, {"glad": 1, "sad": 2})
    assert working.get(f"/evaluations/{made['id']}")["state"] == "done"
    assert "why not" in working.page(f"/evaluations/{made['id']}?subject={third}")


def test_forms_make_what_the_api_makes_and_say_what_is_wrong(working: Working) -> None:
    sent = working.post("/experiments/new", name="By form", dataset_id=str(working.dataset))
    assert sent.status_code == 303, sent.text
    assert "By form" in working.page("/experiments")
    wrong = working.post("/experiments/new", name="", dataset_id=str(working.dataset))
    assert (wrong.status_code, "This is needed." in wrong.text) == (422, True)
    form = {"name": "Judged", "scope": "dataset", "dataset_id": str(working.dataset), "score_ids": [working.mood]}
    asked = working.post("/evaluations/new", **form, estimate="1")
    assert "What it would take" in asked.text, asked.text
    assert working.post("/evaluations/new", **form).status_code == 303
    assert "Judged" in working.page("/evaluations")


def test_this_search_can_be_evaluated(working: Working) -> None:
    shown = working.page("/evaluations/new?q=%7B%20status%20%3D%20error%20%7D")
    assert "{ status = error }" in shown
    body = {"query": "{}", "start": "2026-11-01T00:00:00Z", "end": "2026-12-31T00:00:00Z", "limit": 5}
    made = working.made("/evaluations", {"name": "T", "scope": "traces", "search": body, "score_ids": [working.mood]})
    assert made["state"] == "listing"
    for _ in range(300):
        seen = working.get(f"/evaluations/{made['id']}")
        if seen["state"] != "listing":
            break
        anyio.run(anyio.sleep, 0.1)
    assert (seen["state"], seen["tally"]["total"]) == ("running", 5)
    assert working.get(f"/evaluations/{made['id']}/subjects")["items"][0]["trace_id"]


def test_another_organisations_member_finds_nothing(working: Working, served: Served) -> None:
    stranger = premises(served, working.owner, "Strangers").member
    experiment, evaluation = _experiment(working), _evaluation(working)
    for path in (f"/experiments/{experiment['id']}", f"/evaluations/{evaluation['id']}", "/evaluations"):
        assert stranger.get(f"{working.place.in_project}{path}").status_code == 404
        assert stranger.http.get(f"{working.place.pages}{path}", headers={"accept": "text/html"}).status_code == 404
