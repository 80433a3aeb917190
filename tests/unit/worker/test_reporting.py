"""One result does not keep the others from the backend, whatever a model put into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import uuid4

import anyio
import msgspec
import pytest

from arcane.messaging.generation import Generated
from arcane.messaging.jobs import JobResult, ResultsAnswer
from worker.crew import Held
from worker.desk import Desk
from worker.reporting import Reports

pytestmark = pytest.mark.anyio


@dataclass
class Taking:
    """A desk that takes everything that comes as JSON."""

    taken: list[JobResult] = field(default_factory=list)

    async def send(self, results: Sequence[JobResult]) -> ResultsAnswer:
        self.taken += msgspec.json.decode(msgspec.json.encode(results), type=list[JobResult])
        return ResultsAnswer()


def _answered(text: str) -> Held:
    job = uuid4()
    result = JobResult(job=job, attempt=2, duration_ms=1.0, generated=Generated(text=text))
    return Held(job, uuid4(), [], result=result)


async def test_half_a_character_fails_its_own_job_alone() -> None:
    desk, settled, done = Taking(), list[Held](), anyio.Event()

    def note(held: Held) -> None:
        settled.append(held)
        if len(settled) == 2:
            done.set()

    reports = Reports(cast("Desk", desk), note)
    half, whole = _answered("so happy \ud83d"), _answered("so happy")
    async with anyio.create_task_group() as group:
        group.start_soon(reports.run)
        reports.add(half)
        reports.add(whole)
        with anyio.fail_after(30):
            await done.wait()
        group.cancel_scope.cancel()
    told, other = desk.taken
    assert (told.job, told.attempt, told.error and told.error.kind) == (half.job, 2, "unreadable")
    assert (other.job, other.generated) == (whole.job, Generated(text="so happy"))
