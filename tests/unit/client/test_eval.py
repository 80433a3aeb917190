"""`arcane eval run`: what a file and options ask for, what is wrong with a file in a line, and the gate of a merge."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from arcane.client.errors import ClientError, Exit
from arcane.client.eval_file import EvaluationFile, read
from arcane.client.evaluating import Evaluations, Threshold, Wanted, failures, mappings_of
from tests.support.repository_files import ROOT
from tests.unit.client.test_client import instance

DATASET, EXACT, FAITHFUL = (f"0198b2c4-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
NAMED = {
    "datasets": [{"id": DATASET, "name": "Support questions"}],
    "scores": [{"id": EXACT, "name": "Exact match"}, {"id": FAITHFUL, "name": "Faithfulness"}],
}
FILE = """
name: Answers of main
dataset: Support questions
version: 3
split: test
scores:
  - Faithfulness
  - name: Exact match
    map: {response: "column:answer", reference: "column:expected"}
    at_least: 0.8
budget_usd: 2
metadata: {commit: 4f2c9e1}
"""


def evaluations() -> Evaluations:
    def answer(request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={"items": NAMED[kind], "next": None})

    return Evaluations(instance(answer))


def written(folder: Path, text: str, name: str = "eval.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def told(file: Path) -> EvaluationFile:
    found = read(file)
    assert isinstance(found, EvaluationFile)
    return found


def test_a_file_names_what_the_api_knows_by_id(tmp_path: Path) -> None:
    file = told(written(tmp_path, FILE))
    assert evaluations().body(file.under(Wanted())) == {
        "name": "Answers of main",
        "scope": "dataset",
        "dataset_id": DATASET,
        "dataset_version": 3,
        "split": "test",
        "score_ids": [FAITHFUL, EXACT],
        "mappings": {EXACT: {"response": "column:answer", "reference": "column:expected"}},
        "budget_usd": 2.0,
        "metadata": {"commit": "4f2c9e1"},
    }
    assert file.thresholds == [Threshold("Exact match", ">=", 0.8)]


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = told(written(tmp_path, FILE))
    mapped = mappings_of(["Faithfulness.response=trace:output"])
    wanted = Wanted(name="Mine", query="{}", since="2h", scores=["Faithfulness"], mappings=mapped)
    body = evaluations().body(file.under(wanted))
    assert (body["name"], body["scope"], body["search"]["query"], body["search"]["limit"]) == (
        "Mine",
        "traces",
        "{}",
        100,
    )
    assert "dataset_id" not in body
    assert (body["score_ids"], body["mappings"]) == ([FAITHFUL], {FAITHFUL: {"response": "trace:output"}})


@pytest.mark.parametrize(("name", "write"), [("a.json", json.dumps), ("a.yaml", json.dumps), ("a.toml", None)])
def test_the_body_of_the_api_is_a_file_too(tmp_path: Path, name: str, write: Any) -> None:
    body = {"name": "Mine", "scope": "dataset", "dataset_id": DATASET, "score_ids": [EXACT]}
    text = write(body) if write else "\n".join(f"{key} = {json.dumps(value)}" for key, value in body.items())
    found = read(written(tmp_path, text, name))
    assert found == body
    assert evaluations().body(Wanted(budget=1.0), found) == {**body, "budget_usd": 1.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scores: [Exact match", "line 1, column 21: expected ',' or ']', but got '<stream end>'"),
        ("- Exact match", "holds no evaluation: its top level has no names"),
        ("dataset: A", "scores: Field required"),
        ("dataset: A\nscores: []", "scores: List should have at least 1 item after validation, not 0"),
        ("dataset: A\nquery: '{}'\nscores: [B]", "say one of dataset, experiments and query"),
        ("dataset: A\nscores: [B]\nbudget: 3", "budget: Extra inputs are not permitted"),
        ("scores: [{name: B, at_least: good}]", "scores.0.at_least: Input should be a valid number"),
        ("scores: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ClientError) as caught:
        read(file)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)
    assert caught.value.code is Exit.REFUSED


@pytest.mark.parametrize("page", ["tutorial/first-evaluation.md", "how-to/gate-a-merge.md"])
def test_the_files_that_the_documentation_shows_are_read(tmp_path: Path, page: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    (shown,) = [block for block in blocks if "scores:" in block]
    assert told(written(tmp_path, shown)).thresholds


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="No such file"):
        read(tmp_path / "none.yaml")


def test_a_name_that_nobody_knows_is_refused_before_anything_begins() -> None:
    with pytest.raises(ClientError, match="there is nothing called Others among the datasets"):
        evaluations().body(Wanted(dataset="Others", scores=["Exact match"]))
    with pytest.raises(ClientError, match="say what is judged"):
        evaluations().body(Wanted(scores=["Exact match"]))
    with pytest.raises(ClientError, match="is no mapping"):
        mappings_of(["response=trace:output"])


def test_a_merge_is_held_up_by_each_mean_that_is_not_reached() -> None:
    evaluation = {"scores": [{"name": "Exact match", "score_id": EXACT}, {"name": "Toxicity", "score_id": FAITHFUL}]}
    summary: list[dict[str, Any]] = [{"score_id": EXACT, "mean": 0.75}, {"score_id": FAITHFUL, "mean": None}]
    gate = [Threshold.of(text) for text in ("exact match=0.8", "Toxicity<=0.1", "Other>=1", "Exact match<=0.75")]
    assert failures(gate, evaluation, summary) == [
        "exact match is 0.75, not >= 0.8",
        "Toxicity is nothing, not <= 0.1",
        "the evaluation has no score Other",
    ]
    assert failures(gate[:1], evaluation, []) == ["nothing was judged by exact match, so it is not >= 0.8"]
    with pytest.raises(ClientError, match="is no threshold"):
        Threshold.of("Exact match")
