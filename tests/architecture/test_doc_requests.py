"""The requests that the documentation shows are requests of the API: their address, their method and their body."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema

from tests.support.repository_files import ROOT, sources

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/reference/openapi.json").read_text())


@dataclass(frozen=True, slots=True)
class Shown:
    """A call of curl on a page."""

    page: str
    method: str
    path: str
    body: str | None

    @property
    def operation(self) -> dict[str, Any] | None:
        """What the API says of it."""
        for path, operations in DOCUMENT["paths"].items():
            if self.method in operations and re.fullmatch(re.sub(r"{[^}]*}", "[^/]+", path), self.path):
                found: dict[str, Any] = operations[self.method]
                return found
        return None


def _shown() -> Iterator[Shown]:
    for page in sources(".md"):
        text = (ROOT / page).read_text().replace("\\\n", " ")
        for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL):
            for call in re.findall(r"^curl .*?(?=^curl |\Z)", block, re.DOTALL | re.MULTILINE):
                yield _read(str(page), shlex.split(call))


def _read(page: str, words: list[str]) -> Shown:
    path = next(word for word in words if "/api/" in word).partition("/api/")[2].partition("?")[0]
    body = next((words[at + 1] for at, word in enumerate(words) if word in ("-d", "--data", "--json")), None)
    method = words[words.index("-X") + 1] if "-X" in words else "GET" if body is None else "POST"
    return Shown(page, method.lower(), f"/api/{path}", body)


def test_every_request_that_is_shown_is_one_of_the_api() -> None:
    shown = list(_shown())
    assert len(shown) >= 5
    assert [one for one in shown if one.operation is None] == []


def test_every_body_that_is_shown_has_the_declared_shape() -> None:
    wrong = []
    for one in _shown():
        if one.body is not None and one.operation is not None:
            schema = one.operation["requestBody"]["content"]["application/json"]["schema"]
            judge = jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
            wrong += [f"{one.page}: {fault.message}" for fault in judge.iter_errors(json.loads(one.body))]
    assert wrong == []
