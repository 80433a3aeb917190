"""A job that always fails is tried three times, at 0, 60 and 660 s of a clock 200 times as fast, and is dead."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from arcane.messaging.jobs import ScoreSpec
from arcane.messaging.scoring import Scale, ScorerSpec
from tests.support.brokers import broker_of
from tests.support.job_backend import with_table
from tests.support.postgres import MigratedDatabase
from tests.support.workforce import workforce

pytestmark = [pytest.mark.anyio, pytest.mark.postgres, pytest.mark.timeout(240)]

DELAYS_S = [0.3, 3.0]
POISON = ScoreSpec(scorer=ScorerSpec(key="a-scorer-nobody-has", scale=Scale.NUMERIC))


@pytest.mark.parametrize("broker", ["embedded", pytest.param("rabbitmq", marks=pytest.mark.connected("rabbitmq"))])
async def test_a_poison_job_is_tried_three_times_and_is_dead_with_its_three_errors(
    broker: str, migrated_database: MigratedDatabase, tmp_path: Path
) -> None:
    await with_table(migrated_database)
    with broker_of(broker, tmp_path) as server:
        told = {"retry_delays_s": DELAYS_S} | ({"url": SecretStr(server.url)} if server.url else {})
        with workforce(migrated_database, tmp_path, broker=told) as force:
            force.start_backend()
            force.add_worker("w1")
            run = await force.start_run(1, POISON)
            found = await force.until(lambda row: row["state"] == "done", run, within_s=90.0)
            assert (found["done"], found["failed"], found["total"]) == (0, 1, 1)
            (job,) = await force.fetch("SELECT state, failures, errors, discarded_at FROM jobs WHERE run_id = $1", run)
            assert (job["state"], job["failures"], job["discarded_at"]) == ("failed", 3, None)
            errors = msgspec.json.decode(job["errors"])
            assert [one["attempt"] for one in errors] == [1, 2, 3]
            assert {(one["worker"], one["kind"]) for one in errors} == {("w1", "unknown-scorer")}
            times = [datetime.fromisoformat(one["at"]) for one in errors]
            for (earlier, later), delay in zip(pairwise(times), DELAYS_S, strict=True):
                assert (later - earlier).total_seconds() >= delay * 0.85
            (row,) = await force.fetch("SELECT count(*) AS n, bool_and(failed) AS failed FROM counted_results")
            assert (row["n"], row["failed"]) == (1, True), "its subject heard of it once, as of a failure"
