"""A live evaluation as it runs in production: a backend, a worker, and a datasource that reads files as they grow.

The backend is killed in between. Whatever the speed of the machine, every trace is judged once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from arcane.evaluations.service.listing import is_sampled
from arcane.model.time import NANOS_PER_SECOND
from tests.support.postgres import MigratedDatabase, Server
from tests.support.served import Served, Visitor, cloned_database, served_settings, serving
from tests.support.workforce import KEY, Program, Workforce

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

EXACT = "ceeaa1d8-58d0-4bde-9bb6-b9380163b706"
"""Exact match, which every project has."""
QUIET_S = 1.0
WITHIN_S = 60.0
GOOD, BAD = "answer", "refuse"


@contextmanager
def at_work(stored: MigratedDatabase, folder: Path) -> Iterator[tuple[Callable[[], Any], Path]]:
    """Yields how to serve (again, at the same address), and the file that is read; a worker is at work all along."""
    file = folder / "live.jsonl"
    file.touch()
    live = {"live_every_s": 0.2, "live_quiet_s": QUIET_S, "lease_s": 2.0}
    settings = served_settings(stored, folder, worker={"key": KEY}, evaluations=live, jobs={"sweep_s": 1.0})
    force = Workforce(stored, settings, folder, Program("backend", (), {}, folder / "backend.log"))
    worker = force.add_worker("w1")
    try:
        yield lambda: serving(stored, settings, folder / "backend.log"), file
    finally:
        worker.kill()


def write(file: Path, numbers: range) -> None:
    """The file holds one more trace for each number; they end now."""
    end = time.time_ns()
    with file.open("a") as out:
        for number in numbers:
            span = {
                "traceId": f"{number:032x}",
                "spanId": f"{number:016x}",
                "name": GOOD if number % 2 else BAD,
                "startTimeUnixNano": str(end - NANOS_PER_SECOND // 10),
                "endTimeUnixNano": str(end),
            }
            resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "assistant"}}]}
            out.write(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}) + "\n")


def place(owner: Visitor) -> str:
    """Returns where a new project's things are; its traces are the file's."""
    organisation = owner.made("/api/v1/organisations", {"name": "Live"})
    at = f"/api/v1/organisations/{organisation['id']}"
    owner.made(f"{at}/datasources", {"name": "Files", "kind": "otlp_file", "settings": {"path": "live.jsonl"}})
    return f"/api/v1/projects/{owner.made(f'{at}/projects', {'name': 'Live'})['id']}"


def begun(owner: Visitor, at: str, name: str, sample: float) -> str:
    """Returns a live evaluation of every trace that begins from now on, as soon as a worker has told what it can."""
    search = {"query": '{ resource.service.name = "assistant" }', "sample": sample}
    mapping = {"response": "trace:name", "reference": f"text:{GOOD}"}
    body = {"name": name, "scope": "live", "search": search, "score_ids": [EXACT], "mappings": {EXACT: mapping}}
    give_up = time.monotonic() + WITHIN_S
    while True:
        answer = owner.call("POST", f"{at}/evaluations", body)
        if answer.status_code == 201:
            return str(answer.json()["id"])
        assert time.monotonic() < give_up, answer.text
        time.sleep(0.2)


def settled(served: Served, owner: Visitor, path: str, count: int) -> dict[str, Any]:
    """Returns the evaluation once it has said `count` things, and no less."""
    give_up = time.monotonic() + WITHIN_S
    while True:
        seen: dict[str, Any] = owner.get(path).json()
        if seen["tally"]["done"] >= count:
            return seen
        assert time.monotonic() < give_up, f"{seen}\n{served.log[-4_000:]}"
        time.sleep(0.1)


def judged(owner: Visitor, path: str) -> dict[str, float]:
    """Returns what was said of which trace."""
    found: dict[str, float] = {}
    cursor = ""
    while True:
        page = owner.get(f"{path}/subjects?limit=5{cursor}").json()
        for subject in page["items"]:
            assert subject["trace_id"] not in found
            (result,) = subject["results"]
            found[subject["trace_id"]] = result["value"]
        if not page["next"]:
            return found
        cursor = f"&cursor={page['next']}"


def test_new_traces_are_judged_once_each_over_a_backend_that_is_killed(
    postgres_server: Server, template_database: str, tmp_path: Path
) -> None:
    with (
        cloned_database(postgres_server, template_database) as stored,
        at_work(stored, tmp_path) as (serve, file),
    ):
        with serve() as served:
            owner = served.owner()
            at = place(owner)
            every, half = begun(owner, at, "All", 1.0), begun(owner, at, "Half", 0.5)
            write(file, range(1, 9))
            before = settled(served, owner, f"{at}/evaluations/{every}", 8)
            served.process.kill()
        write(file, range(9, 17))  # while nobody looks
        with serve() as served:
            owner = served.owner()
            write(file, range(17, 25))
            after = settled(served, owner, f"{at}/evaluations/{every}", 24)
            drawn = {f"{number:032x}" for number in range(1, 25) if is_sampled(UUID(half), f"{number:032x}", 0.5)}
            settled(served, owner, f"{at}/evaluations/{half}", len(drawn))
            assert judged(owner, f"{at}/evaluations/{every}") == {f"{n:032x}": float(n % 2) for n in range(1, 25)}
            assert judged(owner, f"{at}/evaluations/{half}").keys() == drawn
            assert after["watermark"] > before["watermark"]
            assert (after["tally"]["total"], after["tally"]["failed"], after["state"]) == (24, 0, "running")
