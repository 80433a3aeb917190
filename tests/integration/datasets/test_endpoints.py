"""Datasets over REST, as a client sees them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.served import Json, Visitor

pytestmark = pytest.mark.postgres


@pytest.fixture
def project(owner: Visitor) -> str:
    """The address of a new project."""
    return _project(owner)


def _project(owner: Visitor) -> str:
    organisation = owner.made("/api/v1/organisations", {"name": f"Works {uuid4().hex[:8]}"})
    project = owner.made(f"/api/v1/organisations/{organisation['id']}/projects", {"name": "Shop"})
    return f"/api/v1/projects/{project['id']}/datasets"


def _asked(owner: Visitor, method: str, path: str, body: Any = None, status: int = 200) -> Json:
    answer = owner.call(method, path, body)
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def _sent(owner: Visitor, path: str, content: bytes, **more: Any) -> Any:
    return owner.http.post(path, content=content, headers={**owner.headers, "content-type": "text/csv"}, params=more)


def test_the_life_of_a_dataset(owner: Visitor, project: str) -> None:
    columns = [{"name": "question"}, {"name": "n", "type": "number"}]
    made = owner.made(project, {"name": "Q", "columns": columns})
    here = f"{project}/{made['id']}"
    added = owner.made(f"{here}/rows", {"rows": [{"values": {"question": f"q{n}", "n": n}} for n in range(4)]})
    ids = [row["row_id"] for row in added["items"]]
    assert (added["version"], added["items"][0]["values"]) == (2, {"question": "q0", "n": 0})
    edit = {"rows": [{"row_id": ids[0], "values": {"question": "better"}}], "version": 2}
    edited = _asked(owner, "PATCH", f"{here}/rows", edit)
    assert (edited["version"], edited["items"][0]["values"]["question"]) == (3, "better")
    assert _asked(owner, "PATCH", f"{here}/rows", edit, 409)["type"] == "/problems/dataset-changed"
    assert _asked(owner, "POST", f"{here}/rows/delete", {"row_ids": ids[1:2]})["row_count"] == 3
    shares = {"shares": {"train": 50, "test": 50}, "seed": "1"}
    assert _asked(owner, "POST", f"{here}/splits/by-chance", shares)["version"] == 5
    assert {one["name"] for one in _asked(owner, "GET", f"{here}/splits")["items"]} == {"train", "test"}
    first = _asked(owner, "GET", f"{here}/rows?limit=2&sort=n&order=desc")
    second = _asked(owner, "GET", f"{here}/rows?limit=2&sort=n&order=desc&cursor={first['next']}")
    assert [row["values"]["n"] for row in first["items"] + second["items"]] == [3, 2, 0]
    differences = _asked(owner, "GET", f"{here}/differences?older=2&newer=4")["items"]
    assert [(one["before"] is None, one["after"] is None) for one in differences] == [(False, False), (False, True)]
    assert _asked(owner, "POST", f"{here}/versions/2/restore")["row_count"] == 4
    versions = _asked(owner, "GET", f"{here}/versions?limit=1")
    assert (versions["items"][0]["change"], versions["next"] is None) == ("restored", False)
    assert owner.call("DELETE", here).status_code == 204
    assert _asked(owner, "GET", here, status=404)["type"] == "/problems/unknown-dataset"


def test_files_go_in_and_come_out(owner: Visitor, project: str) -> None:
    content = b"question,n\n'=1,1\n" + b"x" * 3_000_000 + b",2\n"
    refused = _sent(owner, f"{project}/imports", content, name="Large")
    assert refused.status_code == 422, refused.text
    assert refused.json()["detail"] == "line 3: a cell is longer than allowed, or a quote is not closed"
    preview = _sent(owner, f"{project}/imports/preview", b"question,n\n'=1,1\n", type="n:text").json()
    assert preview["columns"][1] == {"id": "c2", "name": "n", "type": "text"}
    assert preview["sample"] == [{"question": "=1", "n": "1"}]
    made = _sent(owner, f"{project}/imports", b"question,n\n'=1,1\n", name="Small")
    assert made.status_code == 201, made.text
    here = f"{project}/{made.json()['id']}"
    more = _sent(owner, f"{here}/imports", b"n,question\n2,two\n", mode="append")
    assert (more.status_code, more.json()["row_count"]) == (200, 2)
    export = owner.get(f"{here}/export")
    assert export.content == b'\xef\xbb\xbf"question","n"\r\n"\'=1","1"\r\n"two","2"\r\n'
    assert export.headers["content-disposition"].startswith('attachment; filename="Small v3.csv"')
    assert owner.get(f"{here}/export?format=parquet&version=2").content[:4] == b"PAR1"
    assert owner.get(f"{here}/export?format=jsonl").text.splitlines()[1] == '{"question":"two","n":2}'
    wrong = _sent(owner, f"{project}/imports", b"a\n", name="x", type="nonsense")
    assert wrong.json()["type"] == "/problems/bad-file"


def test_a_body_that_is_no_file_keeps_the_small_limit(owner: Visitor, project: str) -> None:
    answer = owner.http.post(project, content=b"x" * 3_000_000, headers=owner.headers)
    assert answer.json()["type"] == "/problems/body-too-large"


def test_another_projects_datasets_are_not_there(owner: Visitor, project: str) -> None:
    made = owner.made(project, {"name": "Q", "columns": [{"name": "a"}]})
    elsewhere = f"{_project(owner)}/{made['id']}"
    body = {"rows": [{"values": {"a": "x"}}]}
    for method, path, sent in (
        ("GET", "", None),
        ("GET", "/rows", None),
        ("POST", "/rows", body),
        ("GET", "/export", None),
        ("GET", "/versions", None),
        ("DELETE", "", None),
    ):
        assert _asked(owner, method, elsewhere + path, sent, 404)["type"] == "/problems/unknown-dataset"
    assert _asked(owner, "GET", f"{project}/{made['id']}")["row_count"] == 0
