from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from arcane.kit.egress_retry import Backoff, RetryingSession
from arcane.model.deadline import Deadline
from arcane.settings import ResilienceSettings
from arcane.spi.errors import BadResponse, CutOff, DatasourceError, TimedOut, Unreachable
from arcane.spi.http import HttpRequest, HttpResponse, HttpStream, retry_after_s

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAR_ZONE = "Sat, 21 Nov 2026 11:00:00 +" + "9" * 20
ASK = HttpRequest("/api")
Outcome = HttpResponse | DatasourceError


def answer(status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, {name.replace("_", "-"): text for name, text in headers.items()}, b"body")


@dataclass
class Opened:
    response: HttpResponse
    breaks: DatasourceError | None = None

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.response.headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.response.body
        if self.breaks is not None:
            raise self.breaks


@dataclass
class Script:
    """An HttpSession that does what stands in `outcomes`, one a request."""

    outcomes: list[Outcome]
    breaks: DatasourceError | None = None
    open: int = 0
    most_open: int = 0
    asked: int = 0

    def _next(self) -> HttpResponse:
        self.asked += 1
        outcome = self.outcomes[self.asked - 1]
        if isinstance(outcome, DatasourceError):
            raise outcome
        return outcome

    async def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        return self._next()

    @asynccontextmanager
    async def stream(self, request: HttpRequest, deadline: Deadline) -> AsyncIterator[HttpStream]:
        response = self._next()
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            yield Opened(response, self.breaks)
        finally:
            self.open -= 1


@dataclass
class Waits:
    """Takes down how long it was asked to wait; no time passes."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def retrying(
    script: Script, waits: Waits, chance: Callable[[], float] = lambda: 0.0, **settings: float
) -> RetryingSession:
    values = ResilienceSettings.model_validate({"retry_wait_s": 0.1, **settings})
    return RetryingSession(script, Backoff(values, waits, chance, lambda: NOON), lambda: None)


def soon() -> Deadline:
    return Deadline.after(30)


async def test_what_was_not_answered_is_sent_again_after_twice_as_long_each_time() -> None:
    script, waits = Script([Unreachable(), answer(503), answer()]), Waits()
    assert (await retrying(script, waits).send(ASK, soon())).status == 200
    assert waits.seconds == [0.1, 0.2]


async def test_waits_are_shortened_by_chance_and_have_a_longest() -> None:
    script, waits = Script([answer(503)] * 5), Waits()
    session = retrying(script, waits, lambda: 1.0, retries=4, retry_wait_max_s=0.3)
    assert (await session.send(ASK, soon())).status == 503
    assert waits.seconds == pytest.approx([0.05, 0.1, 0.15, 0.15])


async def test_the_last_fault_comes_out_when_the_tries_are_used_up() -> None:
    script, waits = Script([Unreachable("1"), Unreachable("2"), Unreachable("3")]), Waits()
    with pytest.raises(Unreachable, match="3"):
        await retrying(script, waits).send(ASK, soon())
    assert script.asked == 3


@pytest.mark.parametrize("outcome", [answer(200), answer(400), answer(404), answer(401), answer(500), answer(501)])
async def test_answers_are_not_asked_for_again(outcome: HttpResponse) -> None:
    script = Script([outcome])
    assert await retrying(script, Waits()).send(ASK, soon()) is outcome
    assert script.asked == 1


@pytest.mark.parametrize("error", [TimedOut(), BadResponse()])
async def test_faults_that_would_repeat_themselves_are_not_repeated(error: DatasourceError) -> None:
    with pytest.raises(type(error)):
        await retrying(Script([error]), Waits()).send(ASK, soon())


async def test_an_answer_that_was_cut_off_is_asked_for_again_where_it_is_read_whole() -> None:
    assert (await retrying(Script([CutOff(), answer()]), Waits()).send(ASK, soon())).status == 200


async def test_the_datasource_says_how_long_to_wait() -> None:
    for given, seconds in (("7", 7.0), ("Sat, 21 Nov 2026 12:00:09 GMT", 9.0)):
        waits = Waits()
        await retrying(Script([answer(429, retry_after=given), answer()]), waits).send(ASK, soon())
        assert waits.seconds == [seconds]


async def test_nobody_waits_past_the_deadline() -> None:
    script, waits = Script([answer(429, retry_after="7")]), Waits()
    assert (await retrying(script, waits).send(ASK, Deadline.after(5))).status == 429
    with pytest.raises(Unreachable):
        await retrying(Script([Unreachable()]), waits).send(ASK, Deadline.after(0.12))
    assert waits.seconds == []


def test_what_is_no_time_is_no_reason_to_wait() -> None:
    read = [retry_after_s({"retry-after": text}, NOON) for text in ("", "soon", "-3", "1e3", "\u0665", FAR_ZONE)]
    assert read == [None] * 6
    assert retry_after_s({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, NOON) == 0.0
    assert retry_after_s({"retry-after": "9" * 5_000}, NOON) == 999_999_999.0


async def test_a_stream_is_repeated_until_it_opens_and_only_one_is_ever_open() -> None:
    script, waits = Script([answer(503), Unreachable(), answer()]), Waits()
    async with retrying(script, waits).stream(ASK, soon()) as opened:
        assert [chunk async for chunk in opened.chunks()] == [b"body"]
        assert script.open == 1
    assert (script.most_open, script.open, script.asked) == (1, 0, 3)


async def test_a_stream_that_stays_busy_is_handed_on_as_it_is() -> None:
    script = Script([answer(503)] * 3)
    async with retrying(script, Waits()).stream(ASK, soon()) as opened:
        assert opened.status == 503


async def test_a_stream_whose_bytes_may_have_been_used_is_never_repeated() -> None:
    script = Script([answer(), answer()], breaks=CutOff())
    async with retrying(script, Waits()).stream(ASK, soon()) as opened:
        chunks = opened.chunks()
        assert await anext(chunks) == b"body"
        with pytest.raises(CutOff):
            await anext(chunks)
    assert script.asked == 1


async def test_repetitions_are_counted() -> None:
    counted: list[int] = []
    session = RetryingSession(
        Script([Unreachable(), answer()]), Backoff(ResilienceSettings(), Waits()), lambda: counted.append(1)
    )
    await session.send(ASK, soon())
    assert counted == [1]
