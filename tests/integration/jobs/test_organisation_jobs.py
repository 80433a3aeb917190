"""An organisation's jobs over HTTP and on their page: those of its projects, for whoever may see all of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import anyio
import asyncpg
import pytest

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

_ERROR = {"at": "2026-11-21T12:00:00Z", "attempt": 3, "worker": "w1", "kind": "timeout", "message": "no answer in time"}

_RUN = """
    INSERT INTO job_runs (id, created_at, organisation_id, project_id, kind, subject_id, state, deadline_s, created_by,
        total, done, failed, cancelled)
    VALUES ($1, $2, $3, $4, 'experiment', $5, 'done', 60, 'Ada', $6, 0, $6, 0)
"""
_SPEC = "INSERT INTO job_specs (id, created_at, organisation_id, run_id, spec) VALUES ($1, $2, $3, $4, $5)"
_JOB = """
    INSERT INTO jobs (id, created_at, organisation_id, run_id, spec_id, state, failures, claims, errors, worker,
        promised_at, settled_at)
    VALUES ($1, $2, $3, $4, $5, 'failed', 3, 0, $6, 'w1', $2, $2)
"""


async def _with_dead_letters(served: Served, place: Premises, count: int) -> str:
    """Returns a run of the place's project, all of whose jobs have failed for the last time."""
    run, spec, now = uuid4(), uuid4(), datetime.now(UTC)
    connection = await asyncpg.connect(served.stored.superuser_dsn)
    try:
        await connection.execute(_RUN, run, now, place.organisation_id, place.project_id, uuid4(), count)
        await connection.execute(_SPEC, spec, now, place.organisation_id, run, json.dumps({"type": "idle"}))
        for _ in range(count):
            await connection.execute(_JOB, uuid4(), now, place.organisation_id, run, spec, json.dumps([_ERROR]))
    finally:
        await connection.close()
    return str(run)


@pytest.mark.parametrize("order", ["redrive", "discard"])
def test_a_dead_letter_is_found_and_dealt_with_above_its_project(served: Served, owner: Visitor, order: str) -> None:
    place = premises(served, owner)
    run = anyio.run(_with_dead_letters, served, place, 2)
    path = f"/api/v1/organisations/{place.organisation_id}"
    letters = owner.get(f"{path}/jobs", params={"state": "failed"}).json()["items"]
    assert [(one["run_id"], one["project_id"]) for one in letters] == [(run, place.project_id)] * 2
    page = f"/o/{place.organisation}/settings/jobs"
    shown = owner.http.get(page, headers={"accept": "text/html"})
    assert shown.status_code == 200
    assert shown.text.count("no answer in time") == 4
    assert f"/o/{place.organisation}/p/{place.project}/jobs/{run}" in shown.text
    form = {"csrf_token": owner.csrf_token, "job": letters[0]["id"]}
    told = owner.http.post(f"{page}/{run}/{order}", data=form, headers={"accept": "text/html"})
    assert told.status_code in (200, 303), told.text
    left = owner.get(f"{path}/jobs", params={"state": "failed"}).json()["items"]
    assert [one["id"] for one in left] == [letters[1]["id"]]
    assert owner.call("POST", f"{path}/runs/{run}/jobs/{order}", {}).json() == {"jobs": 1}
    assert owner.get(f"{path}/jobs", params={"state": "failed"}).json()["items"] == []
