"""An organisation on a served backend with one of everything, so that a request for any of it finds something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from arcane.access.permissions import MEMBER, ORGANISATION_ADMIN, ORGANISATION_MEMBER, PROJECT_ADMIN
from tests.support.postgres import Server
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving

CORPUS = Path(__file__).resolve().parents[1] / "data" / "vectors" / "corpus.otlp.jsonl"
TRACE_ID, SPAN_ID = "0058b2a2055bb55bcbb37d2f2a4276b0", "066548bbcded8077"
"""The first span of the corpus."""
START, END = "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z"
"""Around the corpus."""
_TRACES = 40


def corpus_below(folder: Path) -> Path:
    """Returns a new folder for file roots, with `corpus.jsonl` in it."""
    files = folder / "files"
    files.mkdir()
    lines = CORPUS.read_text().splitlines(keepends=True)
    (files / "corpus.jsonl").write_text("".join(lines[:_TRACES]))
    return files


@contextmanager
def served_over_corpus(server: Server, template: str, folder: Path) -> Iterator[Served]:
    """While the block runs, there is a backend of its own, and `corpus.jsonl` below its file roots."""
    files = corpus_below(folder)
    with (
        cloned_database(server, template) as stored,
        serving(stored, served_settings(stored, files), folder / "backend.log") as served,
    ):
        yield served


@dataclass(frozen=True, slots=True)
class Premises:
    """What there is, by the names that paths and bodies use. `organisation` and `project` are short names."""

    organisation_id: str
    project_id: str
    datasource_id: str
    configuration_id: str
    role_id: str
    project_role_id: str
    user_id: str
    invitation_id: str
    key_id: str
    key: str
    score_id: str
    rule_id: str
    session_id: str
    prompt: str
    run_id: str
    dataset_id: str
    row_id: str
    experiment_id: str
    result_id: str
    evaluation_id: str
    subject_id: str
    organisation: str
    project: str
    member: Visitor
    trace_id: str = TRACE_ID
    span_id: str = SPAN_ID
    number: int = 1
    version: str = "v0"
    label: str = "production"

    @property
    def at(self) -> str:
        return f"/api/v1/organisations/{self.organisation_id}"

    @property
    def in_project(self) -> str:
        return f"/api/v1/projects/{self.project_id}"

    @property
    def pages(self) -> str:
        return f"/o/{self.organisation}/p/{self.project}"


def premises(served: Served, owner: Visitor, name: str = "Acme") -> Premises:
    """Returns a new organisation, made by the instance owner. The member is admin of it and of its project."""
    label = f"{name} {uuid4().hex[:8]}"
    organisation = owner.made("/api/v1/organisations", {"name": label})
    at = f"/api/v1/organisations/{organisation['id']}"
    project = owner.made(f"{at}/projects", {"name": label})
    inside = f"/api/v1/projects/{project['id']}"
    files = {"name": "Files", "kind": "otlp_file", "settings": {"path": "corpus.jsonl"}}
    email = f"{uuid4().hex[:12]}@example.com"
    member = served.visitor().invited(
        organisation["id"],
        email,
        owner,
        role_id=str(ORGANISATION_ADMIN.id),
        project_id=project["id"],
        project_role_id=str(PROJECT_ADMIN.id),
    )
    guest = {"email": f"guest-{email}", "role_id": str(ORGANISATION_MEMBER.id)}
    key = owner.made(f"{inside}/api-keys", {"name": "ci", "scope": "read-write"})
    model = {"name": "GPT", "provider": "openai", "model": "gpt-5-mini", "settings": {"api_key": "sk-premises"}}
    configuration_id = owner.made(f"{at}/model-configurations", model)["id"]
    said = {"messages": [{"role": "user", "text": "Hello {{name}}"}], "model_configuration_id": configuration_id}
    prompt = owner.made(f"{inside}/prompts", {"name": "Greeting", "version": said})["prompt"]["id"]
    owner.call("POST", f"{inside}/prompts/run", {"prompt": prompt})  # without a name: the run fails, and is kept
    score = owner.made(f"{inside}/scores", {"name": "Taste"})["id"]
    rule = {"attribute_name": "secret.thing", "hidden_role_ids": [str(MEMBER.id)]}
    return Premises(
        organisation_id=organisation["id"],
        project_id=project["id"],
        datasource_id=owner.made(f"{at}/datasources", files)["id"],
        configuration_id=configuration_id,
        role_id=owner.made(f"{at}/roles", {"name": "Reader", "permissions": ["organisations:read"]})["id"],
        project_role_id=owner.made(f"{inside}/roles", {"name": "Reader", "permissions": ["traces:read"]})["id"],
        user_id=member.user_id,
        invitation_id=owner.made(f"{at}/invitations", guest)["id"],
        key_id=key["id"],
        key=key["key"],
        score_id=score,
        rule_id=owner.made(f"{inside}/attribute-visibility-rules", rule)["id"],
        session_id=member.session_id,
        prompt=prompt,
        run_id=owner.get(f"{inside}/prompt-runs").json()["items"][0]["id"],
        **_judged(owner, inside, score),
        organisation=organisation["slug"],
        project=project["slug"],
        member=member,
    )


def _judged(owner: Visitor, inside: str, score: str) -> dict[str, str]:
    """Returns the ids of a dataset of one row, of an experiment over it, and of an evaluation of that by people."""
    columns = [{"name": "question"}]
    dataset = owner.made(f"{inside}/datasets", {"name": "Questions", "columns": columns})["id"]
    owner.made(f"{inside}/datasets/{dataset}/rows", {"rows": [{"values": {"question": "1+1"}}]})
    experiment = owner.made(f"{inside}/experiments", {"name": "By hand", "dataset_id": dataset})["id"]
    result = owner.get(f"{inside}/experiments/{experiment}/results").json()["items"][0]
    reported = {"row_id": result["row_id"], "output": "2"}
    owner.made(f"{inside}/experiments/{experiment}/results", reported)
    asked = {"scope": "experiments", "experiment_ids": [experiment], "score_ids": [score]}
    evaluation = owner.made(f"{inside}/evaluations", {"name": "Tasted", "mode": "manual", **asked})["id"]
    subject = owner.get(f"{inside}/evaluations/{evaluation}/subjects").json()["items"][0]
    return {
        "dataset_id": dataset,
        "row_id": result["row_id"],
        "experiment_id": experiment,
        "result_id": result["id"],
        "evaluation_id": evaluation,
        "subject_id": subject["id"],
    }
