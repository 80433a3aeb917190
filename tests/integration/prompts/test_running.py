"""Prompts over HTTP, run by a real worker against a scripted model: answers, streams, history, and what is not kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest
from pydantic import SecretStr

from tests.support.model_stub import Answer, Call, ModelStub, Refusal, Stall, serving_model
from tests.support.postgres import Server
from tests.support.premises import Premises, premises
from tests.support.prompts import prompts_on
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.worker_process import WORKER_KEY, working

pytestmark = [pytest.mark.postgres]

CANARY = "canary-of-a-trace"


@dataclass(frozen=True, slots=True)
class House:
    """A backend with a worker, a project, and the stub as its model."""

    served: Served
    owner: Visitor
    place: Premises
    stub: ModelStub
    model: str

    def prompt(self, *texts: str, **more: Any) -> str:
        """Returns the name of a new prompt that says `texts`."""
        name = f"Prompt {uuid4().hex[:6]}"
        self.owner.made(f"{self.place.in_project}/prompts", {"name": name, "version": self.version(*texts, **more)})
        return name

    def version(self, *texts: str, **more: Any) -> dict[str, Any]:
        messages = [{"role": "user", "text": text} for text in texts or ("Hello {{name}}",)]
        return {"messages": messages, "model_configuration_id": self.model, **more}

    def run(self, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
        answer = self.owner.call("POST", f"{self.place.in_project}/prompts/run", body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def kept(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.owner.get(f"{self.place.in_project}/prompt-runs/{run_id}").json()
        return found

    def latest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.owner.get(f"{self.place.in_project}/prompt-runs").json()["items"][0]
        return found


@pytest.fixture(scope="module")
def house(postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("prompts")
    with cloned_database(postgres_server, template_database) as stored, serving_model() as stub:
        limits = {"worker": {"key": SecretStr(WORKER_KEY)}, "prompts": {"kept_bytes": 1_000}}
        settings = served_settings(stored, folder, **limits)
        with serving(stored, settings, folder / "backend.log") as served:
            owner = served.owner()
            with working(served, owner, folder / "w1.log"):
                place = premises(served, owner)
                told = {"base_url": stub.url, "api_key": "sk-prompts"}
                body = {"name": "Stub", "provider": "openai-compatible", "model": "stub-small", "settings": told}
                model = owner.made(f"{place.at}/model-configurations", body)["id"]
                yield House(served, owner, place, stub, model)


def test_the_promoted_version_is_filled_and_run(house: House) -> None:
    name = house.prompt("Hello {{name}}", parameters={"temperature": 0.5})
    house.owner.made(f"{house.place.in_project}/prompts/{name}/versions", house.version("Bye {{name}}"))
    house.stub.then(Answer("Hi!", input_tokens=7, output_tokens=2))
    answer = house.run({"prompt": name, "inputs": {"name": "Ann"}})
    assert (answer["text"], answer["model"], answer["usage"]["input_tokens"]) == ("Hi!", "stub-small", 7)
    assert house.stub.chats[-1].last == "Hello Ann"
    assert house.stub.chats[-1].body["temperature"] == 0.5
    kept = house.kept(answer["run_id"])
    assert (kept["status"], kept["inputs"], kept["output"], kept["output_tokens"]) == (
        "done",
        {"name": "Ann"},
        "Hi!",
        2,
    )
    assert (kept["version_number"], kept["created_by"], kept["cut"]) == (0, "Olive Owner", False)
    house.run({"prompt": name, "version": "latest", "inputs": {"name": "Ann"}})
    assert house.stub.chats[-1].last == "Bye Ann"


def test_a_program_runs_a_prompt_with_its_key(house: House) -> None:
    name = house.prompt("Say {{word}}")
    program = house.served.visitor(authorization=f"Bearer {house.place.key}")
    answer = program.http.post(
        f"{house.place.in_project}/prompts/run", json={"prompt": name, "version": "production", "inputs": {"word": "x"}}
    )
    assert answer.status_code == 200, answer.text
    assert house.kept(answer.json()["run_id"])["created_by"] == "ci"


def test_tools_and_schemas_reach_the_model(house: House) -> None:
    tool = {"name": "look", "description": "Looks", "parameters": {"type": "object", "properties": {}}}
    house.stub.then(Answer(calls=(Call("look", {"a": 1}),)))
    answer = house.run({"draft": house.version("Look", tools=[tool], tool_choice="look")})
    assert [(one["name"], json.loads(one["arguments"])) for one in answer["tool_calls"]] == [("look", {"a": 1})]
    assert "look(" in house.kept(answer["run_id"])["output"]
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    house.stub.then(Answer(structured={"ok": True}))
    assert house.run({"draft": house.version("Judge", response_schema=schema)})["structured"] == {"ok": True}


def test_an_answer_is_told_while_it_comes(house: House) -> None:
    house.stub.then(Answer("one two three"))
    events = _events(house, {"draft": house.version("Count"), "inputs": {}})
    assert [name for name, _ in events][:1] == ["run"]
    assert events[-1][0] == "done"
    assert "".join(body["text"] for name, body in events if name == "text") == "one two three"
    assert events[-1][1]["text"] == "one two three"
    assert house.kept(events[0][1]["run_id"])["status"] == "done"


def test_what_goes_wrong_is_told_kindly_and_kept(house: House) -> None:
    house.stub.then(Refusal(401, "no such key", "invalid_api_key"))
    problem = house.run({"draft": house.version("x")}, 502)
    assert (problem["type"], problem["cause"]) == ("/problems/model-failed", "authentication")
    assert (house.latest()["status"], house.latest()["error"]) == ("failed", problem["detail"])
    problem = house.run({"draft": house.version("a\n{{b}}")}, 502)
    assert problem["detail"] == "Message 1, line 2, column 1: “b” has no value."
    name, body = _events(house, {"draft": house.version("{{b}}")})[-1]
    assert (name, body["type"]) == ("problem", "/problems/model-failed")


def test_hanging_up_cancels_the_call(house: House) -> None:
    house.stub.when("wait for it", Stall())
    with house.owner.http.stream(
        "POST",
        f"{house.place.in_project}/prompts/run/stream",
        json={"draft": house.version("wait for it")},
        headers={"x-csrf-token": house.owner.csrf_token},
    ) as answer:
        first = next(line for line in answer.iter_lines() if line.startswith("data: "))
    run_id = json.loads(first.removeprefix("data: "))["run_id"]
    for _ in range(100):
        if house.kept(run_id)["status"] != "running":
            break
        anyio.run(anyio.sleep, 0.1)
    assert house.kept(run_id)["status"] == "cancelled"


def test_what_began_with_a_span_is_not_kept(house: House) -> None:
    house.stub.then(Answer(f"about {CANARY}", input_tokens=3))
    span = {"trace_id": "0a" * 16, "span_id": "0b" * 8}
    body = {"draft": house.version(f"say {CANARY}"), "inputs": {"x": CANARY}, "span": span}
    answer = house.run(body)
    assert CANARY in answer["text"]
    kept = house.kept(answer["run_id"])
    assert (kept["span"], kept["inputs"], kept["output"], kept["input_tokens"]) == (span, None, None, 3)
    house.stub.then(Refusal(400, f"bad {CANARY}", "bad"))
    house.run(body, 502)
    assert CANARY not in json.dumps(house.latest())
    assert CANARY not in house.served.log


def test_long_texts_are_cut(house: House) -> None:
    house.stub.then(Answer("y" * 2_000))
    kept = house.kept(house.run({"draft": house.version("{{a}}"), "inputs": {"a": "x" * 2_000}})["run_id"])
    assert (kept["inputs"], len(kept["output"]), kept["cut"]) == (None, 1_000, True)


def test_another_model_must_be_the_organisations_own(house: House) -> None:
    other = premises(house.served, house.owner, "Other")
    name = house.prompt("x")
    for body in ({"prompt": name}, {"draft": house.version("x")}):
        refused = house.run({**body, "model_configuration_id": other.configuration_id}, 422)
        assert refused["errors"][0]["pointer"].endswith("/model_configuration_id")
    refused = house.run({"draft": {**house.version("x"), "model_configuration_id": other.configuration_id}}, 422)
    assert refused["type"] == "/problems/invalid-prompt"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": "p", "draft": {"messages": []}},
        {"prompt": "p", "span": {"trace_id": "0a", "span_id": "0b"}},
        {"prompt": "p", "unknown": 1},
        {"prompt": "p", "inputs": {"a": "\x00"}},
        {"prompt": "p", "inputs": []},
    ],
)
def test_what_cannot_be_run_is_refused(house: House, body: dict[str, Any]) -> None:
    refused = house.run({**body, **({"prompt": house.prompt("x")} if "prompt" in body else {})}, 422)
    assert refused["type"] in ("/problems/malformed-input", "/problems/invalid-prompt")


def test_a_prompt_and_its_versions_over_http(house: House) -> None:
    name = house.prompt("Be kind.\nHello {{name}}")
    at = f"{house.place.in_project}/prompts/{name}"
    made = house.owner.made(f"{at}/versions", house.version("Be kind.\nBye {{name}}", description="shorter"))
    assert (made["name"], made["variables"], made["required"]) == ("v1", ["name"], ["name"])
    promoted = house.owner.call("POST", f"{at}/versions/v1/promote").json()
    assert [(one["label"], one["number"]) for one in promoted["labels"]] == [("production", 1)]
    labelled = house.owner.call("PUT", f"{at}/labels/staging", {"version": "v0"}).json()
    assert [one["label"] for one in labelled["labels"]] == ["production", "staging"]
    assert house.owner.get(f"{at}/versions/staging").json()["number"] == 0
    diff = house.owner.get(f"{at}/diff?before=staging").json()
    assert [piece for piece in diff["messages"][0]["pieces"] if piece["change"] != "same"] == [
        {"change": "removed", "text": "Hello"},
        {"change": "added", "text": "Bye"},
    ]
    assert house.owner.call("DELETE", f"{at}/labels/staging").status_code == 200
    assert [one["name"] for one in house.owner.get(f"{at}/versions").json()["items"]] == ["v1", "v0"]
    assert house.owner.call("PATCH", at, {"metadata": {"team": "x"}}).json()["metadata"] == {"team": "x"}
    listed = house.owner.get(f"{house.place.in_project}/prompts?search={name}").json()
    assert [one["latest"] for one in listed["items"]] == [1]
    assert house.owner.call("DELETE", at).status_code == 204
    assert house.owner.get(at).json()["type"] == "/problems/unknown-prompt"


@pytest.mark.anyio
async def test_old_runs_are_forgotten_and_lost_ones_failed(house: House) -> None:
    copy = (
        "INSERT INTO prompt_runs SELECT gen_random_uuid(), now() - $1::interval, organisation_id, project_id, "
        "prompt_id, version_id, version_number, digest, trace, model_configuration_id, model, 'running', '', 0, 0, "
        "NULL, NULL, NULL, NULL, false, 'Ada', NULL FROM prompt_runs LIMIT 1 RETURNING id"
    )
    async with prompts_on(house.served.stored) as bench:
        (old,) = await bench.sql(copy, timedelta(days=31))
        (lost,) = await bench.sql(copy, timedelta(hours=2))
        assert await bench.runs.sweep() == 1
        ours = [old["id"], lost["id"]]
        found = await bench.sql("DELETE FROM prompt_runs WHERE id = ANY($1) RETURNING id, status", ours)
    assert [(row["id"], row["status"]) for row in found] == [(lost["id"], "failed")]


def _events(house: House, body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    answer = house.owner.call("POST", f"{house.place.in_project}/prompts/run/stream", body)
    assert answer.status_code == 200, answer.text
    blocks = [block.split("\n", 1) for block in answer.text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]
