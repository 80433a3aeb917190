"""One of everything that people work with in a project, so that every page of it has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.instance import Workplace
from tests.support.person import Person

LONG = "a name that somebody made so long that no column of any table has the room to show all of it at once"
EXACT_MATCH = "ceeaa1d8-58d0-4bde-9bb6-b9380163b706"
"""A score that every project has."""


@dataclass(frozen=True, slots=True)
class _Maker:
    person: Person
    proof: dict[str, str]

    def made(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.person.http.post(f"/api/v1{path}", json=body, headers=self.proof)
        assert answer.is_success, answer.text
        return answer.json()


def work_of(owner: Person, place: Workplace) -> dict[str, str]:
    """Returns ids by the names that paths use; what can be long is."""
    maker = _Maker(owner, owner.proof)
    model = {"name": LONG[:100], "provider": "openai", "model": "gpt-5-mini", "settings": {"api_key": "sk-pages"}}
    at = f"/organisations/{place.organisation_id}/model-configurations"
    configuration = maker.made(at, model)["id"]
    return {
        "configuration_id": configuration,
        "prompt_id": _prompt(maker, place, configuration),
        **_judged(maker, place),
    }


def _prompt(maker: _Maker, place: Workplace, configuration: str) -> str:
    """Returns the id of a prompt with two versions and a run of it, which fails: it has no value for its variable."""
    prompts = place.api("/prompts")
    version = {"messages": [{"role": "user", "text": f"{LONG} {{{{name}}}}"}], "model_configuration_id": configuration}
    made = maker.made(prompts, {"name": LONG, "version": version})["prompt"]["id"]
    maker.made(f"{prompts}/{made}/versions", {**version, "description": LONG})
    maker.person.http.post(f"/api/v1{prompts}/run", json={"prompt": made}, headers=maker.proof)
    return str(made)


def _judged(maker: _Maker, place: Workplace) -> dict[str, str]:
    """A dataset of two versions, two experiments over it, one score by people, and an evaluation that a worker runs."""
    columns = [{"name": name} for name in ("question", "response", "reference")]
    dataset = maker.made(place.api("/datasets"), {"name": LONG, "columns": columns})["id"]
    rows = [{"values": {"question": LONG, "response": str(number), "reference": "2"}} for number in range(3)]
    maker.made(place.api(f"/datasets/{dataset}/rows"), {"rows": rows})
    experiments = [
        maker.made(place.api("/experiments"), {"name": f"{LONG} {name}", "dataset_id": dataset})["id"] for name in "ab"
    ]
    first = maker.person.ask(place.api(f"/experiments/{experiments[0]}/results"))["items"][0]
    for experiment, output in zip(experiments, ("It is 2", "It is 3"), strict=True):
        reported = {"row_id": first["row_id"], "output": output}
        maker.made(place.api(f"/experiments/{experiment}/results"), reported)
    score = maker.made(place.api("/scores"), {"name": LONG[:100]})["id"]
    people = {"scope": "experiments", "experiment_ids": experiments, "score_ids": [score], "mode": "manual"}
    evaluation = maker.made(place.api("/evaluations"), {"name": LONG, **people})["id"]
    automatic = {"scope": "dataset", "dataset_id": dataset, "score_ids": [EXACT_MATCH]}
    run = maker.made(place.api("/evaluations"), {"name": LONG, **automatic})["run_id"]
    return {
        "dataset_id": dataset,
        "row_id": first["row_id"],
        "experiment_id": experiments[0],
        "other_id": experiments[1],
        "score_id": score,
        "evaluation_id": evaluation,
        "run_id": run,
    }
