import pytest

from arcane.catalog.breaker import Breaker, BreakerState
from arcane.settings import ResilienceSettings
from arcane.spi.errors import (
    BackendFailed,
    BadResponse,
    CircuitOpen,
    CutOff,
    DatasourceError,
    Forbidden,
    RateLimited,
    Rejected,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unreachable,
    Unsupported,
)

SETTINGS = ResilienceSettings(breaker_faults=3, breaker_pause_s=10, breaker_pause_max_s=35)


class Bench:
    """A breaker and the time it lives in."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.breaker = Breaker(SETTINGS, lambda: self.time)

    def fail(self, error: DatasourceError | None = None) -> None:
        self.breaker.failed(self.breaker.enter(), error or Unreachable("nobody there."))

    def opened(self) -> Breaker:
        for _ in range(3):
            self.fail()
        return self.breaker

    def refusal(self) -> CircuitOpen:
        with pytest.raises(CircuitOpen) as refused:
            self.breaker.enter()
        return refused.value


@pytest.mark.parametrize("fault", [TimedOut(), Unreachable(), BackendFailed(), CutOff()], ids=lambda one: one.kind)
def test_faults_in_a_row_open_it(fault: DatasourceError) -> None:
    bench = Bench()
    for _ in range(2):
        bench.fail(fault)
    assert bench.breaker.state is BreakerState.CLOSED
    bench.fail(fault)
    assert bench.breaker.state is BreakerState.OPEN


@pytest.mark.parametrize("error", [Rejected(), Unauthorized(), RateLimited(), BadResponse()], ids=lambda one: one.kind)
def test_what_a_query_earns_never_opens_it(error: DatasourceError) -> None:
    bench = Bench()
    for _ in range(50):
        bench.fail(error)
    assert bench.breaker.state is BreakerState.CLOSED


def test_an_answer_between_faults_begins_the_count_again() -> None:
    bench = Bench()
    for _ in range(20):
        bench.fail()
        bench.fail()
        bench.breaker.succeeded()
    assert bench.breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize(
    "answer", [Rejected(), Unauthorized(), RateLimited(), TooLarge(), BadResponse()], ids=lambda one: one.kind
)
def test_an_answer_that_is_no_use_begins_the_count_again_as_well(answer: DatasourceError) -> None:
    bench = Bench()
    for _ in range(20):
        bench.fail()
        bench.fail()
        bench.fail(answer)
    assert bench.breaker.state is BreakerState.CLOSED


def test_a_call_that_sent_nothing_says_nothing() -> None:
    bench = Bench()
    bench.fail()
    bench.fail()
    bench.fail(Unsupported())
    bench.fail()
    assert bench.breaker.state is BreakerState.OPEN
    bench.time += 10
    bench.fail(Forbidden())
    assert bench.breaker.state is BreakerState.OPEN
    assert bench.breaker.enter().probe


def test_while_it_is_open_the_reason_and_the_next_try_are_told() -> None:
    bench = Bench()
    bench.opened()
    bench.time += 3.5
    refused = bench.refusal()
    assert (
        str(refused) == "Not asked: it failed repeatedly and is tried again in 7 s. The last fault was: nobody there."
    )
    assert refused.retry_after_s == 7.0


def test_one_probe_decides_and_the_others_wait_for_it() -> None:
    bench = Bench()
    breaker = bench.opened()
    bench.time += 10
    assert breaker.enter().probe
    assert breaker.state is BreakerState.HALF_OPEN
    assert bench.refusal().retry_after_s == 1.0
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert not breaker.enter().probe


def test_a_probe_that_fails_doubles_the_pause_up_to_a_longest() -> None:
    bench = Bench()
    breaker = bench.opened()
    pauses = []
    for _ in range(4):
        pauses.append(breaker.retry_in_s)
        bench.time += breaker.retry_in_s or 0
        bench.fail()
    assert pauses == [10, 20, 35, 35]
    bench.time += 35
    breaker.succeeded()
    assert bench.opened().retry_in_s == 10


def test_a_probe_that_nobody_waited_for_lets_the_next_one_try() -> None:
    bench = Bench()
    breaker = bench.opened()
    bench.time += 10
    breaker.abandoned(breaker.enter())
    assert breaker.enter().probe


def test_a_query_refused_by_the_probed_datasource_shows_that_it_works() -> None:
    bench = Bench()
    breaker = bench.opened()
    bench.time += 10
    breaker.failed(breaker.enter(), Rejected())
    assert breaker.state is BreakerState.CLOSED


def test_calls_that_were_out_when_it_opened_change_nothing() -> None:
    bench = Bench()
    late = bench.breaker.enter()
    breaker = bench.opened()
    bench.time += 4
    breaker.failed(late, Unreachable())
    assert breaker.retry_in_s == 6


def test_a_person_who_tests_the_connection_is_let_through() -> None:
    bench = Bench()
    breaker = bench.opened()
    assert breaker.enter(always=True).probe
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
