"""Streams of progress end for whoever may not listen any more, and when what they tell of is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import anyio
import asyncpg
import pytest

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

_RUN = """
    INSERT INTO job_runs (id, created_at, organisation_id, project_id, kind, subject_id, state, deadline_s, created_by,
        total, done, failed, cancelled)
    VALUES ($1, $2, $3, $4, 'experiment', $5, 'running', 60, 'Ada', 1, 0, 0, 0)
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream tells of, and what makes it tell something."""

    path: str
    change: Callable[[], None]
    gone: str


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Premises:
    return premises(served, owner, "Streams")


def _experiment(served: Served, owner: Visitor, place: Premises) -> Told:
    path = f"{place.in_project}/experiments"
    made = owner.made(path, {"name": "Open", "dataset_id": place.dataset_id})
    return Told(f"{path}/{made['id']}", lambda: _renamed(owner, f"{path}/{made['id']}"), "unknown-experiment")


def _evaluation(served: Served, owner: Visitor, place: Premises) -> Told:
    path = f"{place.in_project}/evaluations"
    asked = {"scope": "dataset", "dataset_id": place.dataset_id, "score_ids": [place.score_id], "mode": "manual"}
    made = owner.made(path, {"name": "Open", **asked})
    return Told(f"{path}/{made['id']}", lambda: _renamed(owner, f"{path}/{made['id']}"), "unknown-evaluation")


def _run(served: Served, owner: Visitor, place: Premises) -> Told:
    run = uuid4()
    anyio.run(_sql, served, _RUN, run, datetime.now(UTC), place.organisation_id, place.project_id, uuid4())
    path = f"{place.in_project}/runs/{run}"
    return Told(path, lambda: _paused(owner, path), "not-found")


def _renamed(owner: Visitor, path: str) -> None:
    assert owner.call("PATCH", path, {"name": "Renamed"}).status_code == 200


def _paused(owner: Visitor, path: str) -> None:
    assert owner.call("POST", f"{path}/pause").status_code == 200


async def _sql(served: Served, statement: str, *values: object) -> None:
    connection = await asyncpg.connect(served.stored.superuser_dsn)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


STREAMS = pytest.mark.parametrize("stream", [_experiment, _evaluation, _run])


@STREAMS
def test_a_stream_ends_for_a_key_that_was_revoked(
    served: Served, owner: Visitor, place: Premises, stream: Callable[..., Told]
) -> None:
    told = stream(served, owner, place)
    key = owner.made(f"{place.in_project}/api-keys", {"name": "listens", "scope": "read"})
    listener = served.visitor(Authorization=f"Bearer {key['key']}")
    with listener.http.stream("GET", f"{told.path}/events") as answer:
        events = answer.iter_text()
        assert next(events).startswith("event: ")
        assert owner.call("DELETE", f"{place.in_project}/api-keys/{key['id']}").status_code == 204
        told.change()
        assert _problem(events)["type"] == "/problems/not-signed-in"


@pytest.mark.parametrize("stream", [_experiment, _evaluation])
def test_a_stream_ends_when_what_it_tells_of_is_deleted(
    served: Served, owner: Visitor, place: Premises, stream: Callable[..., Told]
) -> None:
    told = stream(served, owner, place)
    with owner.http.stream("GET", f"{told.path}/events") as answer:
        events = answer.iter_text()
        assert next(events).startswith("event: ")
        assert owner.call("DELETE", told.path).status_code == 204
        assert _problem(events)["type"] == f"/problems/{told.gone}"


def _problem(events: Iterator[str]) -> dict[str, str]:
    """Returns the one event that is still told: why there are no more."""
    rest = "".join(events)
    assert rest.startswith("event: problem\ndata: "), rest
    found: dict[str, str] = json.loads(rest.removeprefix("event: problem\ndata: "))
    return found
