"""`arcane datasets` as a shell runs it: files in and out of a running instance, and what is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from arcane.cli.light import app
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

Run = Callable[..., Result]


@pytest.fixture
def run(served: Served, owner: Visitor) -> Run:
    """Returns a function that runs `arcane datasets` with a new project's key."""
    organisation = owner.made("/api/v1/organisations", {"name": f"Works {uuid4().hex[:8]}"})
    project = owner.made(f"/api/v1/organisations/{organisation['id']}/projects", {"name": "Shop"})
    key = owner.made(f"/api/v1/projects/{project['id']}/api-keys", {"name": "shell", "scope": "read-write"})["key"]
    where = {"ARCANE_URL": served.address, "ARCANE_API_KEY": key}
    return lambda *words: CliRunner().invoke(app, ["datasets", *map(str, words)], env=where)


def test_what_is_imported_is_exported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "questions.csv").write_text('question,n\n"Where, exactly?",1\n=SUM(A1),2\n')
    made = run("import", tmp_path / "questions.csv", "--type", "n:number")
    assert made.exit_code == 0, made.stderr
    assert "questions" in made.stdout
    (tmp_path / "more.jsonl").write_text('{"question": "And when?", "n": 3}\n')
    assert run("import", tmp_path / "more.jsonl", "--into", "questions").exit_code == 0
    out = run("export", "questions", "--output", tmp_path / "out.jsonl")
    assert out.exit_code == 0, out.stderr
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[2]) == {"question": "And when?", "n": 3}
    older = run("export", "questions", "--version", "2", "--format", "csv")
    assert older.stdout.splitlines() == ['\ufeff"question","n"', '"Where, exactly?","1"', '"\'=SUM(A1)","2"']
    listed = run("list", "--json").stdout
    assert '"row_count": 3' in listed
    made = json.loads(listed)["items"][0]
    head, row = run("list").stdout.splitlines()
    assert (head.split(), row.split()) == (
        ["name", "rows", "version", "columns", "id"],
        ["questions", "3", f"v{made['version']}", "question,", "n", made["id"]],
    )


def test_a_refused_export_leaves_the_file_that_was_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "questions.csv").write_text("question\nWhy?\n")
    assert run("import", tmp_path / "questions.csv").exit_code == 0
    done = run("export", "questions", "--output", tmp_path / "questions.csv", "--version", 7)
    assert (done.exit_code, done.stdout) == (4, "")
    assert (tmp_path / "questions.csv").read_text() == "question\nWhy?\n"
    nowhere = run("export", "questions", "--output", tmp_path / "nowhere" / "questions.csv")
    assert (nowhere.exit_code, "No such file or directory" in nowhere.stderr) == (4, True)
    assert [file.name for file in tmp_path.iterdir()] == ["questions.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "bad.csv", "--type", "n:number"), "line 3"),
        (("import", "what.xyz"), "say --format"),
        (("export", "nothing"), "there is no dataset nothing"),
    ],
    ids=["bad-row", "unknown-ending", "unknown-dataset"],
)
def test_what_is_refused_is_told_in_one_line(run: Run, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "bad.csv").write_text("n\n1\ntwo\n")
    (tmp_path / "what.xyz").write_text("?")
    done = run(*(tmp_path / word if "." in word else word for word in words))
    assert done.exit_code == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr
