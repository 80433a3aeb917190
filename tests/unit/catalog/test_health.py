from datetime import UTC, datetime, timedelta

import anyio
import pytest

from arcane.catalog.breaker import Breaker, BreakerState
from arcane.catalog.health import HealthRecord
from arcane.catalog.views import HealthView
from arcane.model.deadline import Deadline
from arcane.settings import ResilienceSettings
from arcane.spi.errors import CircuitOpen, Unreachable
from tests.support.clock import SetClock

pytestmark = pytest.mark.anyio


def record_of(**settings: float) -> HealthRecord:
    values = ResilienceSettings.model_validate({"breaker_faults": 2, "breaker_slow_s": 0.0, **settings})
    return HealthRecord(SetClock(datetime(2026, 11, 21, tzinfo=UTC)), values, Breaker(values, lambda: 0.0))


def fail(record: HealthRecord) -> None:
    with pytest.raises(Unreachable), record.call(Deadline.after(5)):
        raise Unreachable("nobody there")


def test_latencies_are_of_the_latest_answers_only() -> None:
    record = record_of(latency_window=100)
    assert record.percentile_ms(0.5) is None
    for number in range(1_000):
        record.answered(number / 1_000)
    assert (record.percentile_ms(0.5), record.percentile_ms(0.95)) == (950.0, 995.0)
    assert record.answers == 1_000


def test_a_datasource_left_in_peace_fails_and_says_when_it_is_asked_again() -> None:
    record = record_of()
    fail(record)
    fail(record)
    with pytest.raises(CircuitOpen), record.call(Deadline.after(5)):
        raise AssertionError("it was asked")
    view = HealthView.of(record)
    assert (view.status, view.breaker, view.faults) == ("failing", BreakerState.OPEN, 2)
    assert view.retry_at == record.clock.now() + timedelta(seconds=10)
    assert view.error is not None
    assert view.error.message == "nobody there"


async def test_a_call_that_its_deadline_cancels_is_a_fault_of_the_datasource() -> None:
    record = record_of()
    for _ in range(2):
        deadline = Deadline.after(0.02)
        with anyio.move_on_after(deadline.remaining()), record.call(deadline):
            await anyio.sleep_forever()
    assert record.breaker.state is BreakerState.OPEN
    assert record.error_kind == "timed_out"


async def test_a_call_that_its_caller_gave_up_is_nobodys_fault() -> None:
    record = record_of()
    for _ in range(5):
        with anyio.move_on_after(0.001), record.call(Deadline.after(60)):
            await anyio.sleep_forever()
    assert (record.breaker.state, record.faults) == (BreakerState.CLOSED, 0)


async def test_a_deadline_too_short_for_anybody_opens_nothing() -> None:
    record = record_of(breaker_slow_s=1.0)
    for _ in range(5):
        deadline = Deadline.after(0.005)
        with anyio.move_on_after(deadline.remaining()), record.call(deadline):
            await anyio.sleep_forever()
    assert record.breaker.state is BreakerState.CLOSED


async def test_a_scan_that_is_closed_after_its_first_page_has_answered() -> None:
    record = record_of()
    fail(record)
    with record.call(Deadline.after(5)) as answered:
        answered(0.1)
    fail(record)
    assert record.breaker.state is BreakerState.CLOSED
